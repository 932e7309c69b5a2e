/** Which events an export or a replay is of: those of the view, those marked in it, or the history on disk. */
import type { CaptureOf } from "../../backend/types";
import type { FeedView } from "../../state/feed.svelte";

type What = "view" | "range" | "history";

export class Captured {
  what = $state<What>("view");
  readonly #feed: FeedView;

  /** Begins with what is looked at: the history if it is shown, else what is marked, else the view. */
  constructor(feed: FeedView, history: boolean) {
    this.#feed = feed;
    this.what = history ? "history" : feed.marked ? "range" : "view";
  }

  /** What can be chosen; `name` begins their test ids. */
  options(name: string, all: string): { value: What; label: string; testid: string; disabled?: boolean }[] {
    return [
      { value: "view", label: all, testid: `${name}-view` },
      { value: "range", label: "Marked rows", testid: `${name}-range`, disabled: this.#feed.marked === null },
      { value: "history", label: "History", testid: `${name}-history`, disabled: this.#feed.recording !== null },
    ];
  }

  /** Says what is chosen; of the view, what its owner says. */
  about(view: string): string {
    const { filtered } = this.#feed;
    const said: Record<What, string> = {
      view,
      range: "From one end to the other, as the filter selects them",
      history: filtered ? "What is on disk, as the filter selects it" : "Everything that is on disk",
    };
    return said[this.what];
  }

  /** As the engine is asked for it. */
  of(view: number): CaptureOf {
    const { line, marked } = this.#feed;
    if (this.what === "history") return { is: "history", line };
    if (this.what === "range" && marked) return { is: "range", view, from: marked.from, to: marked.to };
    return { is: "view", view };
  }
}
