/**
 * Events in files: the export under way, the recording that was opened, and its replay. The engine reads, writes and
 * publishes; this class hands a chosen file over in parts and keeps what the engine last said.
 */
import type {
  CaptureFrame,
  CaptureRequest,
  Exported,
  RecordingView,
  ReplayAct,
  ReplayPlan,
  ReplayProgress,
  ReplayRequest,
  Rpc,
} from "../backend/types";
import type { Frames } from "./frames";

/** Bytes of a file that are handed over at once. */
const PART = 768 * 1024;

export class Recordings {
  /** The recording that is open, or being read. */
  open = $state.raw<RecordingView | null>(null);
  /** How far the export is; `null` while there is none. */
  exporting = $state.raw<CaptureFrame | null>(null);
  replay = $state.raw<ReplayProgress | null>(null);
  /** The dialog that is open. */
  asking = $state<"export" | "replay" | null>(null);
  readonly #rpc: Rpc;
  #exports = 0;

  constructor(rpc: Rpc, frames: Frames) {
    this.#rpc = rpc;
    frames.on("capture", (frame) => {
      if (frame.number === this.exporting?.number) this.exporting = frame;
    });
    frames.on("replay", (progress) => this.#take(progress));
  }

  async folder(): Promise<string> {
    return (await this.#rpc("capture.folder", null)).folder;
  }

  /** Writes a file. Rejects with the engine's words, also when it was cancelled. */
  async write(request: Omit<CaptureRequest, "number">): Promise<Exported> {
    const number = ++this.#exports;
    this.exporting = { number, words: "Writing", done: 0, total: 0 };
    try {
      return await this.#rpc("capture.export", { ...request, number });
    } finally {
      this.exporting = null;
    }
  }

  async cancelExport(): Promise<void> {
    const number = this.exporting?.number;
    if (number !== undefined) await this.#rpc("capture.cancel", { number });
  }

  /** Reads a file; it can be looked at while it is read. Ends early when the recording is closed. */
  async read(file: File, begun: (recording: number) => void): Promise<void> {
    const started = await this.#rpc("recordings.begin", { name: file.name, size: file.size });
    const { number } = started;
    this.open = started;
    this.replay = null;
    begun(number);
    for (let from = 0; from <= file.size; from += PART) {
      const data = await base64(file.slice(from, from + PART));
      if (this.open?.number !== number) return;
      const last = from + PART > file.size;
      const view: RecordingView = await this.#rpc("recordings.add", { number, data, last });
      if (this.open?.number !== number) return;
      this.open = view;
    }
  }

  async close(): Promise<void> {
    const number = this.open?.number;
    this.open = null;
    if (number !== undefined) await this.#rpc("recordings.close", { number });
  }

  plan(request: ReplayRequest): Promise<ReplayPlan> {
    return this.#rpc("replay.plan", request);
  }

  async start(request: ReplayRequest, messages: number): Promise<void> {
    this.replay = null;
    this.#take(await this.#rpc("replay.start", { request, messages }));
  }

  async act(act: ReplayAct): Promise<void> {
    const number = this.replay?.number;
    if (number !== undefined) this.#take(await this.#rpc("replay.act", { number, act }));
  }

  /** Takes what is newer: a frame may overtake an answer. */
  #take(progress: ReplayProgress): void {
    const known = this.replay;
    if (known && progress.number < known.number) return;
    const older = known?.number === progress.number && (known.done || known.sent > progress.sent);
    if (!older || progress.done) this.replay = progress;
  }
}

/** Bytes as Base64, without a copy for each byte. */
async function base64(part: Blob): Promise<string> {
  const bytes = new Uint8Array(await part.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
