/**
 * A search of the history on disk, newest first. The engine looks through a part of it at each call and says from where
 * to go on; this class asks on while rows for the screen are missing, and can be stopped. Pages far from the screen are
 * forgotten and asked for again by the key they began with.
 */
import { asApiError, type ApiError, type HistoryStatus, type Row, type Rpc } from "../backend/types";

const PAGE = 200;
/** Pages that are kept at once: what a page costs does not grow with what was found. */
const KEPT = 25;

interface Page {
  /** The key it began with; `null` is the newest event. */
  before: number | null;
  /** `null` once forgotten. */
  rows: Row[] | null;
  count: number;
}

export class HistorySearch {
  /** Whether the inspector shows it, instead of the feed. */
  shown = $state(false);
  status = $state.raw<HistoryStatus | null>(null);
  error = $state.raw<ApiError | null>(null);
  /** Rows found so far. */
  length = $state(0);
  searching = $state(false);
  /** A person stopped it before its end. */
  stopped = $state(false);
  /** Everything has been looked through. */
  done = $state(false);
  /** How much has been looked through, 0 to 1, and back to when. */
  looked = $state(0);
  reached = $state<number | null>(null);

  readonly #rpc: Rpc;
  #changed = $state(0);
  #line = "";
  #run = 0;
  #next: number | null = null;
  #pages: Page[] = [];
  #window = { from: 0, count: 0 };
  #filling = false;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  /** How the history stands. */
  async load(): Promise<void> {
    try {
      const before = this.status?.events ?? 0;
      this.status = await this.#rpc("history.status", null);
      // The first events of all: there was nothing to find before.
      if (before === 0 && this.status.events > 0 && this.length === 0 && this.done) await this.search(this.#line);
    } catch (error) {
      this.error = asApiError(error);
    }
  }

  /** Searches with a filter's line, from the newest event on. */
  async search(line: string): Promise<void> {
    this.#run++;
    this.#line = line;
    this.#next = null;
    this.#pages = [];
    this.length = 0;
    this.looked = 0;
    this.reached = null;
    this.error = null;
    this.searching = this.done = this.stopped = false;
    this.#changed++;
    await this.#grow();
  }

  /** The same search, from what is newest now. */
  again(): Promise<void> {
    void this.load();
    return this.search(this.#line);
  }

  /** Stops looking; what was found stays. */
  stop(): void {
    this.stopped = true;
  }

  /** Goes on after a stop or a failure. */
  goOn(): Promise<void> {
    this.stopped = false;
    this.error = null;
    return this.#grow();
  }

  /** A row by its place; `undefined` while it is asked for again. */
  row(index: number): Row | undefined {
    void this.#changed;
    return this.#pages[Math.floor(index / PAGE)]?.rows?.[index % PAGE];
  }

  /** Says which rows are on the screen. */
  show(from: number, count: number): void {
    this.#window = { from, count };
    void this.#fill();
    void this.#grow();
  }

  /** The row `step` rows below the given one (above, if negative). */
  neighbour(seq: number | null, step: number): { seq: number; index: number } | null {
    const page = this.#pages.findIndex(({ rows }) => rows?.some((row) => row.seq === seq));
    const at = page < 0 ? -1 : page * PAGE + (this.#pages[page]?.rows?.findIndex((row) => row.seq === seq) ?? 0);
    const index = at < 0 ? 0 : Math.max(0, Math.min(at + step, this.length - 1));
    const row = this.row(index);
    return row ? { seq: row.seq, index } : null;
  }

  /** Whether the screen is near the last row that was found. */
  get #short(): boolean {
    return this.#window.from + this.#window.count > this.length - PAGE / 2;
  }

  /** Looks for more, a page at a time, while the screen is near the end of what was found. */
  async #grow(): Promise<void> {
    if (this.searching || this.#run === 0) return;
    const run = this.#run;
    this.searching = true;
    try {
      while (this.#short && !this.done && !this.stopped && !this.error) {
        let page = this.#pages.at(-1);
        if (!page || page.count === PAGE) {
          page = { before: this.#next, rows: [], count: 0 };
          this.#pages.push(page);
        }
        const asked = { line: this.#line, before: this.#next, count: PAGE - page.count };
        const { rows, next, looked, reached } = await this.#rpc("history.search", asked);
        if (run !== this.#run) return;
        page.rows = [...(page.rows ?? []), ...rows];
        page.count += rows.length;
        this.length += rows.length;
        this.looked = looked;
        this.reached = reached ?? this.reached;
        this.#next = next;
        this.done = next === null;
        this.#changed++;
      }
    } catch (error) {
      if (run === this.#run) this.error = asApiError(error);
    } finally {
      if (run === this.#run) this.searching = false;
    }
  }

  /** Asks again for pages on the screen that were forgotten, and forgets others. */
  async #fill(): Promise<void> {
    if (this.#filling) return;
    this.#filling = true;
    const run = this.#run;
    try {
      for (let page = this.#missing(); page && run === this.#run; page = this.#missing()) {
        const rows: Row[] = [];
        let before = page.before;
        do {
          const asked = { line: this.#line, before, count: page.count - rows.length };
          const answer = await this.#rpc("history.search", asked);
          rows.push(...answer.rows);
          before = answer.next;
        } while (before !== null && rows.length < page.count && run === this.#run);
        page.rows = rows;
        this.#changed++;
      }
    } catch (error) {
      if (run === this.#run) this.error = asApiError(error);
    } finally {
      this.#filling = false;
    }
    const middle = Math.floor((this.#window.from + this.#window.count / 2) / PAGE);
    const held = this.#pages.map((page, at) => ({ page, far: Math.abs(at - middle) })).filter(({ page }) => page.rows);
    held.sort((one, other) => one.far - other.far);
    for (const { page } of held.slice(KEPT)) if (page.count === PAGE) page.rows = null;
  }

  #missing(): Page | undefined {
    const first = Math.floor(this.#window.from / PAGE);
    const last = Math.floor((this.#window.from + this.#window.count) / PAGE);
    return this.#pages.slice(first, last + 1).find((page) => page.rows === null);
  }
}
