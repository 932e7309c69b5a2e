/**
 * The row of the feed that the keyboard is on, and everything about it once it is opened. While it is open it is asked
 * for again about once a second, since a message's journey goes on.
 */
import { asApiError, type ApiError, type EventDetail, type Rpc } from "../backend/types";
import type { Frames } from "./frames";

const AGAIN = 1_000;

export class Selection {
  seq = $state<number | null>(null);
  /** Whether it is a row of the history, not of the feed. */
  history = $state(false);
  open = $state(false);
  detail = $state.raw<EventDetail | null>(null);
  error = $state.raw<ApiError | null>(null);
  readonly #rpc: Rpc;
  #asked = 0;
  #lastAt = 0;

  constructor(rpc: Rpc, frames: Frames) {
    this.#rpc = rpc;
    frames.on("view", () => {
      if (this.open && !this.history && this.detail?.row.messageId && Date.now() - this.#lastAt >= AGAIN)
        void this.#load();
    });
  }

  /** Moves to a row; when the details are open they follow. */
  select(seq: number, history = this.history): void {
    if (seq === this.seq && history === this.history) return;
    this.seq = seq;
    this.history = history;
    this.error = null;
    if (this.open) void this.#load();
    else this.detail = null;
  }

  /** Opens the details of a row. */
  async show(seq: number, history = this.history): Promise<void> {
    this.seq = seq;
    this.history = history;
    this.open = true;
    this.error = null;
    await this.#load();
  }

  /** Closes the details; the row stays selected. */
  close(): void {
    this.#asked++;
    this.open = false;
    this.detail = null;
    this.error = null;
  }

  /** Nothing is selected: the rows are others. */
  clear(): void {
    this.close();
    this.seq = null;
  }

  /** The details of the selected row, asked for when they are not there yet (to copy without opening). */
  async fetch(): Promise<EventDetail | null> {
    if (this.seq === null) return null;
    if (this.detail?.row.seq !== this.seq) await this.#load();
    return this.detail;
  }

  async #load(): Promise<void> {
    const { seq, history } = this;
    if (seq === null) return;
    const asked = ++this.#asked;
    this.#lastAt = Date.now();
    try {
      const detail = await this.#rpc(history ? "history.event" : "feed.event", { seq });
      if (asked !== this.#asked) return;
      this.detail = detail;
      this.error = null;
    } catch (error) {
      if (asked !== this.#asked) return;
      if (this.detail?.row.seq !== seq) this.detail = null;
      this.error = asApiError(error);
    }
  }
}
