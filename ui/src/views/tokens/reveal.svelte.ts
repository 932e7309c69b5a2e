// Owns the one token that is shown in the clear: for twenty seconds, then it is forgotten again.

import type { Rpc } from "../../backend/types";

export const SHOWN_MILLIS = 20_000;

export class Reveal {
  id = $state<string | null>(null);
  value = $state("");
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #rpc: Rpc;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  /** Shows the token, or hides it when it is shown. Rejects with the engine's words. */
  async toggle(id: string): Promise<void> {
    if (this.id === id) {
      this.hide();
      return;
    }
    const { value } = await this.#rpc("tokens.reveal", { id });
    this.hide();
    this.id = id;
    this.value = value;
    this.#timer = setTimeout(() => this.hide(), SHOWN_MILLIS);
  }

  hide(): void {
    clearTimeout(this.#timer);
    this.id = null;
    this.value = "";
  }
}
