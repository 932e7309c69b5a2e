// Owns the engine's word on one filter while it is typed: asked a moment after the last key, and the newest answer wins.

import type { FilterCheck, Rpc } from "../../backend/types";

export const PAUSE_MILLIS = 150;

export class FilterWatch {
  /** The last answer; stays while the next one is on its way. */
  answer = $state.raw<FilterCheck | null>(null);
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #rpc: Rpc;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  /** Takes the filter as it stands now. */
  watch(filter: string): void {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    this.#timer = setTimeout(() => {
      this.#rpc("topics.check", { text: filter }).then(
        (answer) => {
          if (asked === this.#asked) this.answer = answer;
        },
        () => {
          // Saving says what is wrong as well; while typing, silence is enough.
          if (asked === this.#asked) this.answer = null;
        },
      );
    }, PAUSE_MILLIS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#asked++;
  }
}
