/**
 * The view of the Live Inspector: its filter, its rows, its pause. The engine decides what a row is and which rows the
 * view has; this class asks for those on the screen, one question at a time, and keeps the newest answer.
 *
 * A frame only says that the view changed. Frames that come while rows are being fetched lead to one more fetch, so
 * the page costs the same at ten events a second and at ten thousand.
 *
 * Once the reader has left the top, the list stands still under them: it is held at the event it shows, and what is
 * newer is only counted.
 */
import {
  asApiError,
  type Anchor,
  type ApiError,
  type FilterEdit,
  type FilterField,
  type FilterReading,
  type KindName,
  type Look,
  type Mistake,
  type Row,
  type Rpc,
  type Stepped,
  type ViewFrame,
} from "../backend/types";
import type { Frames } from "./frames";
import { atOnce, type Pace } from "./pace";

export const CAPS = [25, 50, 100, 500, "all"] as const;
/** More than a view ever has. */
const MOST = 0xffff_ffff;
export type Cap = (typeof CAPS)[number];

export class FeedView {
  /** What the engine last said of the view; `null` until it is open. */
  frame = $state.raw<ViewFrame | null>(null);
  /** Rows on the screen, newest first; the first one is row number `from` of the list. */
  rows = $state.raw<Row[]>([]);
  from = $state(0);
  error = $state.raw<ApiError | null>(null);
  /** The filter as it is typed. */
  line = $state("");
  /** What the engine read of it. */
  reading = $state.raw<FilterReading | null>(null);
  /** How the rows are arranged. */
  look = $state<Look>("feed");
  cap = $state<Cap>("all");
  /** How often the view was given a filter or a look: what was read of an earlier one is void. */
  opened = $state(0);
  /** How many events are newer than the list, while it stands still; `null` while it moves. */
  held = $state<number | null>(null);

  /** The recording that is shown instead of the live feed. */
  recording = $state<number | null>(null);
  /** Two events between which rows are marked, both included. */
  marked = $state.raw<{ from: number; to: number } | null>(null);

  readonly #rpc: Rpc;
  /** The live view while a recording is shown. */
  #live: ViewFrame | null = null;
  #window = { from: 0, count: 0 };
  /** The view's size when `rows` were read. */
  #total = $state(0);
  /** An event of the list and its place there, while the list stands still. */
  #anchor: Anchor | null = null;
  /** How often the engine answered with how the view stands. */
  #answers = 0;
  #fetching = false;
  #stale = false;
  #reopened = false;
  #opening: Promise<void> = Promise.resolve();

  constructor(rpc: Rpc, frames: Frames, pace: Pace = atOnce) {
    this.#rpc = rpc;
    frames.on("view", (frame) => {
      const answers = this.#answers;
      pace(async () => {
        if (frame.view !== this.frame?.view) return;
        // What was told before a person's click was answered is older than the answer.
        if (answers === this.#answers) this.frame = frame;
        await this.#fetch();
      });
    });
  }

  /** Rows that the list shows: never more than the cap. */
  get length(): number {
    return Math.min(this.#reach, this.#most);
  }

  get #most(): number {
    return this.cap === "all" ? MOST : this.cap;
  }

  /** Events that the view has below the list's last row. */
  get older(): number {
    return this.#reach - this.length;
  }

  get #reach(): number {
    return this.held === null ? (this.frame?.total ?? 0) : Math.max(0, this.#total - this.held);
  }

  get paused(): boolean {
    return this.frame?.paused ?? false;
  }

  get filtered(): boolean {
    return this.line.trim() !== "";
  }

  /** Kinds that the filter asks for. */
  get kinds(): KindName[] {
    return this.reading?.kinds ?? [];
  }

  /** What is wrong with the line; until it is mended the view keeps its last filter. */
  get mistakes(): Mistake[] {
    return this.reading?.mistakes ?? [];
  }

  /** How much of what was recorded has been looked at, 0 to 1. */
  get looked(): number {
    const frame = this.frame;
    return frame && frame.toLook > 0 ? frame.looked / frame.toLook : 1;
  }

  /** Opens the view, or gives an open one the present filter. Calls queue up, so the last filter wins. */
  open(): Promise<void> {
    this.#let();
    this.#opening = this.#opening.then(async () => {
      const { line, look } = this;
      try {
        const recording = this.recording === null ? {} : { recording: this.recording };
        const view = this.frame?.view ?? null;
        const { frame, reading } = await this.#rpc("feed.open", { view, line, look, ...recording });
        if (line === this.line) this.reading = reading;
        if (frame) {
          this.frame = frame;
          this.#answers++;
          this.opened++;
        }
        this.error = null;
      } catch (error) {
        this.error = asApiError(error);
        return;
      }
      await this.#fetch();
    });
    return this.#opening;
  }

  /** Shows a recording instead of the live feed, or the live feed again. The live view stays open, and with it a pause. */
  turnTo(recording: number | null): Promise<void> {
    if (recording === this.recording) return this.open();
    if (this.recording === null) this.#live = this.frame;
    this.recording = recording;
    this.marked = null;
    this.rows = [];
    this.#total = 0;
    this.frame = recording === null ? this.#live : null;
    return this.open();
  }

  /** Marks the rows from one event to another. */
  mark(from: number, to: number): void {
    this.marked = { from: Math.min(from, to), to: Math.max(from, to) };
  }

  /** The screen is elsewhere: rows are not asked for. The view stays, and with it a pause. */
  hide(): void {
    this.#window = { from: 0, count: 0 };
    this.#let();
  }

  /** The reader left the top: from now on the list stands still. */
  hold(): void {
    const at = Math.floor(this.rows.length / 2);
    const row = this.rows[at];
    if (this.held !== null || !row) return;
    this.#anchor = { seq: row.seq, index: this.from + at };
    this.held = 0;
    // An answer that is under way was asked for by a list that moved.
    if (this.#fetching) this.#stale = true;
  }

  /** The reader is at the top again: the list shows the newest and moves on. */
  release(): void {
    if (this.held === null) return;
    this.#let();
    void this.#fetch();
  }

  #let(): void {
    this.#anchor = null;
    this.held = null;
  }

  /** Says which rows are on the screen. */
  show(from: number, count: number): void {
    if (from === this.#window.from && count === this.#window.count) return;
    this.#window = { from, count };
    void this.#fetch();
  }

  /** A chip was clicked. No chip chosen shows every kind. */
  toggle(kind: KindName): Promise<void> {
    return this.edit({ is: "toggle", field: "kind", value: kind });
  }

  /** Changes the line by a click; the engine writes it anew. */
  async edit(edit: FilterEdit): Promise<void> {
    try {
      await this.#edit(edit);
    } catch (error) {
      this.error = asApiError(error);
    }
  }

  /** Asks for the value of a field, or no longer for the field when it is empty; what is wrong with the value, if it is. */
  async put(field: FilterField, value: string): Promise<string | null> {
    try {
      await this.#edit({ is: "put", field, value });
      return null;
    } catch (error) {
      return asApiError(error).message;
    }
  }

  async #edit(edit: FilterEdit): Promise<void> {
    const reading = await this.#rpc("filters.edit", { line: this.line, edit });
    this.reading = reading;
    if (reading.filter === null) return;
    this.line = reading.line;
    await this.open();
  }

  /** Selects rows of a part of time, Unix milliseconds; of all times with `null`. */
  async during(span: { since: number; until: number } | null): Promise<void> {
    try {
      let line = this.line;
      for (const field of ["since", "until"] as const) {
        const value = span ? `@${span[field]}` : "";
        const reading = await this.#rpc("filters.edit", { line, edit: { is: "put", field, value } });
        this.reading = reading;
        if (reading.filter === null) return;
        line = reading.line;
      }
      this.line = line;
    } catch (error) {
      this.error = asApiError(error);
      return;
    }
    await this.open();
  }

  /** Arranges the same rows in another way. */
  arrange(look: Look): Promise<void> {
    this.look = look;
    // Other looks ask for their own rows.
    if (look !== "feed") this.hide();
    return this.open();
  }

  search(line: string): Promise<void> {
    this.line = line;
    return this.open();
  }

  resetFilter(): Promise<void> {
    return this.search("");
  }

  setPaused(paused: boolean): Promise<void> {
    return this.#change((view) => this.#rpc("feed.pause", { view, paused }));
  }

  clear(): Promise<void> {
    this.#let();
    return this.#change((view) => this.#rpc("feed.clear", { number: view }));
  }

  /** The row `step` rows below the given one (above, if negative), within what the list shows. */
  async neighbour(seq: number | null, step: number): Promise<Stepped | null> {
    const view = this.frame?.view;
    if (view === undefined) return null;
    try {
      return await this.#rpc("feed.step", { view, seq, step, most: this.#most, ...this.#held() });
    } catch (error) {
      this.error = asApiError(error);
      return null;
    }
  }

  /** While the list stands still, the engine finds its place in the view by the anchor. */
  #held(): { anchor?: Anchor } {
    return this.#anchor ? { anchor: this.#anchor } : {};
  }

  async #change(call: (view: number) => Promise<ViewFrame>): Promise<void> {
    const view = this.frame?.view;
    if (view === undefined) return;
    try {
      this.frame = await call(view);
      this.#answers++;
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
        const anchor = this.#anchor;
        const part = await this.#rpc("feed.rows", { view, from, count, ...this.#held() });
        if (this.frame?.view !== view || this.#anchor !== anchor) continue;
        this.from = from;
        this.rows = part.rows;
        this.#total = part.total;
        this.frame = { ...this.frame, total: part.total };
        if (anchor) {
          this.held = part.newer;
          const at = Math.min(part.rows.length - 1, count >> 1);
          const row = part.rows[at];
          if (row) this.#anchor = { seq: row.seq, index: from + at };
          else this.#let();
        }
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
