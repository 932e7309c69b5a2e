/**
 * The view of the Live Inspector: its filter, its rows, its pause. The engine decides what a row is and which rows the
 * view has; this class asks for those on the screen, one question at a time, and keeps the newest answer.
 *
 * A frame only says that the view changed. Frames that come while rows are being fetched lead to one more fetch, so
 * the page costs the same at ten events a second and at ten thousand.
 */
import {
  asApiError,
  type ApiError,
  type KindGroup,
  type Row,
  type Rpc,
  type ViewFilter,
  type ViewFrame,
} from "../backend/types";
import type { Frames } from "./frames";

export const CAPS = [25, 50, 100, 500] as const;
export type Cap = (typeof CAPS)[number];

export class FeedView {
  /** What the engine last said of the view; `null` until it is open. */
  frame = $state.raw<ViewFrame | null>(null);
  /** Rows on the screen, newest first; the first one is row number `from` of the view. */
  rows = $state.raw<Row[]>([]);
  from = $state(0);
  error = $state.raw<ApiError | null>(null);
  kinds = $state<KindGroup[]>([]);
  text = $state("");
  cap = $state<Cap>(100);

  readonly #rpc: Rpc;
  #window = { from: 0, count: 0 };
  #fetching = false;
  #stale = false;
  #reopened = false;
  #opening: Promise<void> = Promise.resolve();

  constructor(rpc: Rpc, frames: Frames) {
    this.#rpc = rpc;
    frames.on("view", (frame) => {
      if (frame.view !== this.frame?.view) return;
      this.frame = frame;
      void this.#fetch();
    });
  }

  /** Rows that the list shows: never more than the cap. */
  get length(): number {
    return Math.min(this.frame?.total ?? 0, this.cap);
  }

  get paused(): boolean {
    return this.frame?.paused ?? false;
  }

  get filtered(): boolean {
    return this.kinds.length > 0 || this.text !== "";
  }

  /** Opens the view, or gives an open one the present filter. Calls queue up, so the last filter wins. */
  open(): Promise<void> {
    this.#opening = this.#opening.then(async () => {
      const filter: ViewFilter = { kinds: [...this.kinds], text: this.text };
      try {
        this.frame = await this.#rpc("feed.open", { view: this.frame?.view ?? null, filter });
        this.error = null;
      } catch (error) {
        this.error = asApiError(error);
        return;
      }
      await this.#fetch();
    });
    return this.#opening;
  }

  /** The screen is elsewhere: rows are not asked for. The view stays, and with it a pause. */
  hide(): void {
    this.#window = { from: 0, count: 0 };
  }

  /** Says which rows are on the screen. */
  show(from: number, count: number): void {
    if (from === this.#window.from && count === this.#window.count) return;
    this.#window = { from, count };
    void this.#fetch();
  }

  /** A chip was clicked. No chip chosen shows every kind. */
  toggle(kind: KindGroup): Promise<void> {
    this.kinds = this.kinds.includes(kind) ? this.kinds.filter((k) => k !== kind) : [...this.kinds, kind];
    return this.open();
  }

  search(text: string): Promise<void> {
    this.text = text;
    return this.open();
  }

  resetFilter(): Promise<void> {
    this.kinds = [];
    return this.search("");
  }

  setPaused(paused: boolean): Promise<void> {
    return this.#change((view) => this.#rpc("feed.pause", { view, paused }));
  }

  clear(): Promise<void> {
    return this.#change((view) => this.#rpc("feed.clear", { number: view }));
  }

  /** The row `step` rows below the given one (above, if negative), within what the list shows. */
  async neighbour(seq: number | null, step: number): Promise<{ seq: number; index: number } | null> {
    const view = this.frame?.view;
    if (view === undefined || this.length === 0) return null;
    let rows = this.rows;
    let from = this.from;
    let at = rows.findIndex((row) => row.seq === seq);
    if (rows[at + step] === undefined || at < 0) {
      try {
        rows = (await this.#rpc("feed.rows", { view, from: 0, count: this.length })).rows;
      } catch (error) {
        this.error = asApiError(error);
        return null;
      }
      from = 0;
      at = rows.findIndex((row) => row.seq === seq);
    }
    const index = at < 0 ? 0 : Math.max(0, Math.min(at + step, rows.length - 1));
    const row = rows[index];
    return row ? { seq: row.seq, index: from + index } : null;
  }

  async #change(call: (view: number) => Promise<ViewFrame>): Promise<void> {
    const view = this.frame?.view;
    if (view === undefined) return;
    try {
      this.frame = await call(view);
      this.error = null;
    } catch (error) {
      this.error = asApiError(error);
      return;
    }
    await this.#fetch();
  }

  async #fetch(): Promise<void> {
    if (this.#fetching) {
      this.#stale = true;
      return;
    }
    this.#fetching = true;
    try {
      do {
        this.#stale = false;
        const view = this.frame?.view;
        const { from, count } = this.#window;
        if (view === undefined || count === 0) break;
        const answer = await this.#rpc("feed.rows", { view, from, count });
        if (this.frame?.view !== view) continue;
        this.from = from;
        this.rows = answer.rows;
        this.frame = { ...this.frame, total: answer.total };
        this.error = null;
        this.#reopened = false;
      } while (this.#stale);
    } catch (error) {
      this.error = asApiError(error);
    } finally {
      this.#fetching = false;
    }
    // The engine forgot the view (it was started anew): open another one.
    if (this.error?.code === "notFound" && this.frame !== null && !this.#reopened) {
      this.#reopened = true;
      this.frame = null;
      await this.open();
    }
  }
}
