// Owns the page of dead letters on the screen: of which relay, from which row, and the newest answer to that question.

import { asApiError, type ApiError, type DeadLetters, type Rpc } from "../../backend/types";

export const PAGE = 100;

export class Letters {
  relayId = $state<string | null>(null);
  from = $state(0);
  value = $state.raw<DeadLetters | null>(null);
  error = $state.raw<ApiError | null>(null);
  #asked = 0;
  readonly #rpc: Rpc;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  /** Reads what is on the screen again. */
  async load(): Promise<void> {
    const asked = ++this.#asked;
    try {
      const value = await this.#rpc("queue.deadLetters", { relayId: this.relayId, from: this.from, count: PAGE });
      if (asked !== this.#asked) return;
      this.value = value;
      this.error = null;
      // The last page may have emptied meanwhile.
      if (value.letters.length === 0 && this.from > 0) await this.turn(0);
    } catch (error) {
      if (asked === this.#asked) this.error = asApiError(error);
    }
  }

  /** Shows those of one relay, or of all. */
  choose(relayId: string | null): Promise<void> {
    this.relayId = relayId;
    return this.turn(0);
  }

  /** Shows the page that begins at a row. */
  turn(from: number): Promise<void> {
    this.from = Math.max(0, from);
    return this.load();
  }
}
