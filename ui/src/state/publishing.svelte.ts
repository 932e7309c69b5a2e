/**
 * The message being written, what the engine says of it while it is typed, and what was published in this run. The draft
 * stays while one is elsewhere in the app. Nothing is judged here.
 */
import type {
  MessageCheck,
  MessageDraft,
  PublishProgress,
  PublishRequest,
  RepeatDraft,
  Rpc,
  SavedMessage,
} from "../backend/types";
import type { Frames } from "./frames";
import { Loaded } from "./loaded.svelte";

/** Publications listed. */
const LISTED = 20;

export function blankMessage(): MessageDraft {
  return {
    topic: "",
    source: "text",
    payload: "",
    fileName: "",
    qos: 1,
    retain: false,
    properties: {
      contentType: "",
      responseTopic: "",
      correlation: "",
      correlationForm: "text",
      expiry: "",
      utf8: false,
      user: [],
    },
  };
}

export class Publishing {
  brokerId = $state("");
  /** Number of an open session of that broker as a text; empty for a connection of its own. */
  session = $state("");
  draft = $state<MessageDraft>(blankMessage());
  repeats = $state(false);
  repeat = $state<RepeatDraft>({ count: "10", every: "1000" });
  check = $state.raw<MessageCheck | null>(null);
  /** Newest first. */
  sent = $state.raw<PublishProgress[]>([]);
  /** The kept message that the draft came from. */
  kept = $state.raw<SavedMessage | null>(null);
  readonly messages: Loaded<SavedMessage[]>;
  readonly #rpc: Rpc;
  #asked = 0;

  constructor(rpc: Rpc, frames: Frames) {
    this.#rpc = rpc;
    this.messages = new Loaded(() => rpc("messages.list", null));
    frames.on("publish", (progress) => this.#take(progress, false));
  }

  /** What would be sent. */
  request(): PublishRequest {
    const session = this.session === "" ? null : Number(this.session);
    return {
      brokerId: this.brokerId || null,
      session,
      message: $state.snapshot(this.draft),
      repeat: this.repeats ? $state.snapshot(this.repeat) : null,
    };
  }

  /** Publishes. Rejects with every problem at its field. */
  async publish(): Promise<void> {
    this.#take(await this.#rpc("publish.start", this.request()), true);
  }

  async cancel(number: number): Promise<void> {
    this.#take(await this.#rpc("publish.cancel", { number }), false);
  }

  /** Asks what the engine says of the draft; an answer that was overtaken is dropped. */
  async look(): Promise<void> {
    const asked = ++this.#asked;
    const check = await this.#rpc("publish.check", $state.snapshot(this.draft)).catch(() => null);
    if (asked === this.#asked) this.check = check;
  }

  /** Keeps the draft: under a new name, or in the place of the one it came from. */
  async keep(folder: string, name: string, anew: boolean): Promise<void> {
    const id = anew ? null : (this.kept?.id ?? null);
    const message = $state.snapshot(this.draft);
    this.kept = await this.#rpc("messages.save", { id, folder, name, message });
    await this.messages.load();
  }

  /** Takes a kept message into the form. */
  take(saved: SavedMessage): void {
    this.kept = saved;
    this.draft = structuredClone(saved.message);
    void this.look();
  }

  /** Takes a message that was seen into the form, with its properties. Rejects when its payload is not there whole. */
  async takeSeen(seq: number, history: boolean, brokerId: string | null): Promise<void> {
    const seen = await this.#rpc("publish.again", { seq, ...(history ? { history } : {}) });
    this.kept = null;
    this.repeats = false;
    this.session = "";
    if (brokerId !== null) this.brokerId = brokerId;
    this.draft = seen;
    void this.look();
  }

  /** Gives a kept message another folder or name. */
  async move(id: number, folder: string, name: string): Promise<void> {
    const moved = await this.#rpc("messages.move", { id, folder, name });
    if (this.kept?.id === id) this.kept = moved;
    await this.messages.load();
  }

  async forget(id: number): Promise<void> {
    await this.#rpc("messages.delete", { id });
    if (this.kept?.id === id) this.kept = null;
    await this.messages.load();
  }

  #take(progress: PublishProgress, fresh: boolean): void {
    const at = this.sent.findIndex((one) => one.number === progress.number);
    // Frames may overtake the answer, and never go back.
    if (at >= 0) {
      const known = this.sent[at];
      if (known && (known.done || known.sent > progress.sent) && !progress.done) return;
      this.sent = this.sent.map((one) => (one.number === progress.number ? progress : one));
    } else if (fresh || this.sent.every((one) => one.number < progress.number)) {
      this.sent = [progress, ...this.sent].slice(0, LISTED);
    }
  }
}
