// Owns what is open in a place that shows either a list or one of its things in a form. Brokers and relays both live
// so. Knows drafts and saved views only by their ids.

import type { ApiError } from "../../backend/types";
import type { Intent } from "../../state/navigation.svelte";

/** The list as the place sees it. */
interface Listed<V> {
  readonly value: V[] | null;
  readonly error: ApiError | null;
  load(): Promise<void>;
}

/** One opening of the form. `id` is null until it is saved; `turn` tells one opening from the next. */
interface Opening<D> {
  id: string | null;
  draft: D;
  turn: number;
}

export class Opened<V extends { draft: D }, D> {
  now = $state.raw<Opening<D> | null>(null);
  /** The one that was open before: the keyboard goes back to it. */
  last = $state<string | null>(null);
  readonly #list: Listed<V>;
  readonly #idOf: (view: V) => string;
  #turn = 0;
  #listed: string | null = null;

  constructor(list: Listed<V>, idOf: (view: V) => string) {
    this.#list = list;
    this.#idOf = idOf;
  }

  /** The saved view of what is open; nothing while it is new. */
  get view(): V | undefined {
    const id = this.now?.id;
    return this.#list.value?.find((view) => this.#idOf(view) === id);
  }

  open(view: V): void {
    this.now = { id: this.#idOf(view), draft: view.draft, turn: ++this.#turn };
  }

  begin(draft: D): void {
    this.now = { id: null, draft, turn: ++this.#turn };
  }

  close(): void {
    this.last = this.now?.id ?? null;
    this.now = null;
  }

  /** It was saved: the form stays open, on what is stored. */
  async saved(view: V): Promise<void> {
    await this.#list.load();
    if (this.now) this.now = { ...this.now, id: this.#idOf(view) };
  }

  /** Deleted, here or elsewhere: back to the list. One that was only just saved may not be listed yet. */
  follow(): void {
    const { view, now } = this;
    if (view) this.#listed = this.#idOf(view);
    else if (now?.id && now.id === this.#listed && this.#list.value !== null) this.now = null;
  }

  /** Does what the place was asked for on arrival; `begin` makes a new one. */
  arrive(intent: Intent | null, begin: () => void): void {
    if (intent === "new") begin();
    else if (intent === "list") this.close();
    else if (intent !== null && typeof intent === "object") {
      const view = this.#list.value?.find((one) => this.#idOf(one) === intent.edit);
      if (view) this.open(view);
    }
  }
}
