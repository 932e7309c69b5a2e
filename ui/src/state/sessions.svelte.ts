/** The inspector's open sessions: what the engine says of them, and what can be asked of them. */
import type { Rpc, SessionDraft, SessionView } from "../backend/types";
import type { Frames } from "./frames";

export class Sessions {
  list = $state.raw<SessionView[]>([]);
  /** The session that a dialog adds a filter to; `new` opens another one. */
  asking = $state.raw<number | "new" | null>(null);
  readonly #rpc: Rpc;

  constructor(rpc: Rpc, frames: Frames) {
    this.#rpc = rpc;
    frames.on("sessions", (frame) => (this.list = frame.sessions));
  }

  /** Reads what is open already. Rejects with the engine's words. */
  async load(): Promise<void> {
    this.list = (await this.#rpc("sessions.list", null)).sessions;
  }

  /** Opens a session. Rejects with every problem at its field. */
  async open(draft: SessionDraft): Promise<void> {
    this.#take(await this.#rpc("sessions.open", draft));
  }

  /** Adds a filter, or changes its QoS, over the connection there is. */
  async add(number: number, filter: string, qos: 0 | 1 | 2, everything: boolean): Promise<void> {
    this.#take(await this.#rpc("sessions.add", { number, filter, qos, everything }));
  }

  async remove(number: number, filter: string): Promise<void> {
    this.#take(await this.#rpc("sessions.remove", { number, filter }));
  }

  async close(number: number): Promise<void> {
    await this.#rpc("sessions.close", { number });
    this.list = this.list.filter((session) => session.number !== number);
  }

  #take(view: SessionView): void {
    const others = this.list.filter((session) => session.number !== view.number);
    this.list = [...others, view].sort((a, b) => a.number - b.number);
  }
}
