/**
 * How the payload of the open event is read: the decoder that ran and why, the tree it gave, and a decoder chosen by
 * hand, which stays while one looks at messages of the same topic.
 */
import {
  asApiError,
  type ApiError,
  type CopyForm,
  type DecodedEvent,
  type DecoderDraft,
  type PayloadDiff,
  type Rpc,
} from "../backend/types";

export type Form = "tree" | "pretty" | "hex";

export class Reading {
  seq = $state<number | null>(null);
  /** Whether the event is one of the history, not of the feed. */
  history = $state(false);
  read = $state.raw<DecodedEvent | null>(null);
  error = $state.raw<ApiError | null>(null);
  /** The decoder chosen by hand; `null` leaves it to bindings. */
  chosen = $state.raw<DecoderDraft | null>(null);
  /** What a person chose to see; what is shown may be less. */
  wanted = $state<Form>("tree");
  diff = $state.raw<PayloadDiff | null>(null);
  diffError = $state.raw<ApiError | null>(null);
  /** An event to compare with, instead of the one before. */
  pinned = $state<number | null>(null);

  readonly #rpc: Rpc;
  #topic = "";
  #asked = 0;
  #compared = 0;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  /** What is shown: the tree needs one, the text a decoder that could read it. */
  get form(): Form {
    const decoded = this.read?.decoded;
    if (!decoded || decoded.decoder === "hex") return "hex";
    return this.wanted === "tree" && decoded.root.children.length === 0 ? "pretty" : this.wanted;
  }

  get #place(): { history?: boolean } {
    return this.history ? { history: true } : {};
  }

  /** What the open event is compared with. */
  get left(): number | null {
    return this.pinned !== null && this.pinned !== this.seq ? this.pinned : (this.read?.previous ?? null);
  }

  /** Reads the payload of an event. */
  async show(seq: number, topic: string, history = false): Promise<void> {
    if (seq === this.seq && history === this.history) return;
    // Numbers of the feed and of the history have nothing to do with each other.
    if (history !== this.history) this.pinned = null;
    this.history = history;
    if (topic !== this.#topic) this.chosen = null;
    this.#topic = topic;
    this.seq = seq;
    this.read = null;
    await this.#load();
  }

  /** Nothing is open any more, or an event without a payload. */
  close(): void {
    this.#asked++;
    this.seq = null;
    this.read = null;
    this.error = null;
    this.diff = null;
  }

  /** One click overrides the decoder; `null` goes back to what is bound. */
  choose(decoder: DecoderDraft | null): Promise<void> {
    this.chosen = decoder;
    return this.#load();
  }

  /** Reads it again: bindings or schemas changed. */
  again(): Promise<void> {
    return this.#load();
  }

  /** Binds the chosen decoder to a topic filter. Rejects with the engine's words. */
  async remember(filter: string): Promise<void> {
    if (!this.chosen) return;
    await this.#rpc("decode.saveBinding", { id: null, filter, decoder: this.chosen });
    this.chosen = null;
    await this.#load();
  }

  /** Compares with the event to the left. */
  async compare(): Promise<void> {
    const { seq, left } = this;
    const asked = ++this.#compared;
    this.diff = null;
    this.diffError = null;
    if (seq === null || left === null) return;
    try {
      const diff = await this.#rpc("decode.diff", { left, right: seq, decoder: this.chosen, ...this.#place });
      if (asked === this.#compared) this.diff = diff;
    } catch (error) {
      if (asked === this.#compared) this.diffError = asApiError(error);
    }
  }

  /** A text to copy, of any event. */
  copy(seq: number, form: CopyForm, history = false): Promise<{ text: string; words: string }> {
    const decoder = seq === this.seq && history === this.history ? this.chosen : null;
    return this.#rpc("decode.copy", { seq, form, decoder, ...(history ? { history } : {}) });
  }

  async #load(): Promise<void> {
    const seq = this.seq;
    if (seq === null) return;
    const asked = ++this.#asked;
    try {
      const read = await this.#rpc("decode.event", { seq, decoder: this.chosen, ...this.#place });
      if (asked !== this.#asked) return;
      this.read = read;
      this.error = null;
    } catch (error) {
      if (asked !== this.#asked) return;
      this.read = null;
      this.error = asApiError(error);
    }
  }
}
