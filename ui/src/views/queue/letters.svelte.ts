/**
 * The dead letters on the screen: which are asked for, the window of rows that is seen, what is ticked, and what is done
 * with them. The engine selects, counts and moves; here is only what a person chose.
 */
import {
  asApiError,
  type ApiError,
  type Discarded,
  type ExportFormat,
  type Exported,
  type LetterChoice,
  type LetterRow,
  type Letters as Answer,
  type LettersFilter,
  type LettersMoved,
  type LetterStatus,
  type Rpc,
} from "../../backend/types";

/** Rows that are asked for besides those on the screen, so that scrolling finds them there. */
const SPARE = 40;

export class Letters {
  relayId = $state<string | null>(null);
  text = $state("");
  status = $state.raw<LetterStatus | null>(null);
  /** The list begins below this number while it is scrolled, so that new letters move no rows. */
  before = $state<number | null>(null);
  value = $state.raw<Answer | null>(null);
  error = $state.raw<ApiError | null>(null);
  /** Index of the first row that is there. */
  from = $state(0);
  /** Everything of the filter is ticked but `marked`; otherwise `marked` is what is ticked. */
  all = $state(false);
  marked = $state.raw<readonly number[]>([]);
  #upto = 0;
  #window = { from: 0, count: 60 };
  #asked = 0;
  readonly #rpc: Rpc;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  get filter(): LettersFilter {
    return { relayId: this.relayId, text: this.text, status: this.status };
  }

  get filtered(): boolean {
    return this.relayId !== null || this.text !== "" || this.status !== null;
  }

  /** How many rows the list has: those below the place where it is held. */
  get length(): number {
    return this.value?.length ?? 0;
  }

  get newer(): number {
    return this.before === null || !this.value ? 0 : this.value.total - this.value.length;
  }

  get ticked(): number {
    return this.all
      ? Math.max(0, (this.value?.total ?? 0) - this.#newerThanChoice() - this.marked.length)
      : this.marked.length;
  }

  row(index: number): LetterRow | undefined {
    return this.value?.letters[index - this.from];
  }

  isTicked(id: number): boolean {
    return this.all ? id <= this.#upto && !this.marked.includes(id) : this.marked.includes(id);
  }

  /** Reads what is on the screen again. */
  async load(): Promise<void> {
    const asked = ++this.#asked;
    const skip = Math.max(0, this.#window.from - SPARE);
    const count = Math.min(500, this.#window.count + 2 * SPARE);
    try {
      const value = await this.#rpc("queue.letters", { filter: this.filter, before: this.before, skip, count });
      if (asked !== this.#asked) return;
      this.value = value;
      this.from = skip;
      this.error = null;
    } catch (error) {
      if (asked === this.#asked) this.error = asApiError(error);
    }
  }

  /** The list shows these rows now. */
  show(from: number, count: number): void {
    this.#window = { from, count };
    const there = this.value?.letters.length ?? 0;
    if (from < this.from || from + count > this.from + there) void this.load();
  }

  /** Selects anew; what was ticked is ticked no more. */
  choose(change: Partial<LettersFilter>): Promise<void> {
    if (change.relayId !== undefined) this.relayId = change.relayId;
    if (change.text !== undefined) this.text = change.text;
    if (change.status !== undefined) this.status = change.status;
    this.untick();
    this.before = null;
    this.#window.from = 0;
    return this.load();
  }

  /** Keeps the rows where they are: the list is being read. */
  hold(): void {
    if (this.before === null && this.value) this.before = this.value.newest + 1;
  }

  /** Shows the newest again. */
  release(): void {
    if (this.before === null) return;
    this.before = null;
    void this.load();
  }

  toggle(id: number): void {
    const others = this.marked.filter((other) => other !== id);
    this.marked = others.length < this.marked.length ? others : [...others, id];
  }

  /** Ticks everything that the filter selects now. */
  tickAll(): void {
    this.all = true;
    this.#upto = this.value?.newest ?? 0;
    this.marked = [];
  }

  untick(): void {
    this.all = false;
    this.marked = [];
  }

  /** What is ticked, or everything of the filter when nothing is. */
  choice(): LetterChoice {
    if (this.all) return { kind: "matching", filter: this.filter, upto: this.#upto, except: [...this.marked] };
    if (this.marked.length > 0) return { kind: "these", ids: [...this.marked] };
    return { kind: "matching", filter: this.filter, upto: this.value?.newest ?? 0, except: [] };
  }

  resend(choice: LetterChoice): Promise<LettersMoved> {
    return this.#moving(this.#rpc("queue.resend", choice));
  }

  discard(choice: LetterChoice): Promise<Discarded> {
    return this.#moving(this.#rpc("queue.discard", choice));
  }

  undo(undo: number): Promise<LettersMoved> {
    return this.#moving(this.#rpc("queue.undoDiscard", { undo }));
  }

  export(choice: LetterChoice, format: ExportFormat): Promise<Exported> {
    return this.#rpc("queue.export", { choice, format });
  }

  /** What came after everything was ticked is not ticked. */
  #newerThanChoice(): number {
    if (!this.value || this.value.newest <= this.#upto) return 0;
    return this.value.letters.filter((row) => row.id > this.#upto).length;
  }

  async #moving<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } finally {
      this.untick();
      await this.load();
    }
  }
}
