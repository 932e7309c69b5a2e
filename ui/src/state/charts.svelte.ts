/**
 * The chart: what is charted, the part of time that is looked at, and its points. The engine reads numbers, thins them
 * and finds gaps; this class asks for what is new while the chart is on the screen, one question at a time.
 */
import {
  asApiError,
  type ApiError,
  type ChartDraft,
  type ChartPoints,
  type ChartSpan,
  type DecoderDraft,
  type Rpc,
} from "../backend/types";
import { merged, type Scales } from "../format/chart";
import type { Frames } from "./frames";

/** Seconds up to now, or everything. */
export type Reach = 60 | 300 | 3600 | "all";

export class Charts {
  /** Whether the chart is on the screen instead of rows. */
  open = $state(false);
  points = $state.raw<ChartPoints | null>(null);
  error = $state.raw<ApiError | null>(null);
  reach = $state<Reach>(300);
  /** A part of time that was drawn out with the pointer, Unix microseconds. */
  zoom = $state.raw<{ from: number; until: number } | null>(null);
  /** When the chart was paused; values go on being kept. */
  pausedAt = $state.raw<number | null>(null);
  scales = $state<Scales>("auto");
  /** Lines that are not drawn, by number. */
  hidden = $state.raw<readonly number[]>([]);

  readonly #rpc: Rpc;
  #steps = 600;
  #live = false;
  #fetching = false;
  #stale = false;

  constructor(rpc: Rpc, frames: Frames) {
    this.#rpc = rpc;
    frames.on("chart", () => this.follow());
  }

  get series() {
    return this.points?.series ?? [];
  }

  /** Whether the chart moves with time. */
  get moving(): boolean {
    return this.zoom === null && this.pausedAt === null;
  }

  /** The number of the series of this topic and path, if it is charted. */
  charted(topic: string, path: string): number | null {
    return this.series.find((series) => series.topic === topic && series.path === path)?.number ?? null;
  }

  /** Asks for what is new, if the chart is on the screen and moves. */
  follow(): void {
    if (this.open && this.moving) void this.#fetch();
  }

  /** Asks for the points anew: the chart came onto the screen, or another part of time is looked at. */
  load(): Promise<void> {
    this.#live = false;
    return this.#fetch();
  }

  /** Says how many points there is room for. */
  resize(steps: number): void {
    if (Math.abs(steps - this.#steps) < 50) return;
    this.#steps = steps;
    if (this.open) void this.load();
  }

  show(reach: Reach): void {
    this.reach = reach;
    this.zoom = null;
    void this.load();
  }

  zoomTo(from: number, until: number): void {
    this.zoom = { from: Math.floor(from), until: Math.ceil(until) };
    void this.load();
  }

  reset(): void {
    if (this.zoom === null) return;
    this.zoom = null;
    void this.load();
  }

  setPaused(paused: boolean): void {
    this.pausedAt = paused ? (this.points?.until ?? null) : null;
    void this.load();
  }

  toggle(line: number): void {
    const others = this.hidden.filter((other) => other !== line);
    this.hidden = others.length < this.hidden.length ? others : [...others, line];
  }

  /** Charts a number of a message. Rejects with the engine's words. */
  async pick(seq: number, path: string, decoder: DecoderDraft | null): Promise<void> {
    await this.#rpc("chart.pick", { seq, path, decoder });
    await this.load();
  }

  /** Charts a number of a topic or of many. Rejects with every problem at its field. */
  async add(draft: ChartDraft): Promise<void> {
    await this.#rpc("chart.add", draft);
    await this.load();
  }

  /** Gives up a line, a series (`line` is `null`) or everything. */
  async remove(series: number | null, line: number | null): Promise<void> {
    await this.#rpc("chart.remove", { series, line });
    await this.load();
  }

  /** Writes the values in sight to a file; its path. */
  async exportCsv(): Promise<string> {
    return (await this.#rpc("chart.export", { span: this.#span() })).path;
  }

  /** Writes a picture to a file; its path. */
  async savePicture(png: string): Promise<string> {
    return (await this.#rpc("chart.picture", { png })).path;
  }

  #span(): ChartSpan {
    if (this.zoom) return { is: "between", ...this.zoom };
    const until = this.pausedAt;
    if (this.reach === "all")
      return until === null ? { is: "all" } : { is: "between", from: this.points?.from ?? 0, until };
    if (until !== null) return { is: "between", from: until - this.reach * 1_000_000, until };
    return { is: "last", seconds: this.reach };
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
        const had = this.#live ? this.points : null;
        const known = had ? { revision: had.revision, step: had.step, settled: had.settled } : null;
        this.#live = this.moving;
        const answer = await this.#rpc("chart.points", { span: this.#span(), steps: this.#steps, known });
        this.points = merged(had, answer);
        this.error = null;
      } while (this.#stale);
    } catch (error) {
      this.error = asApiError(error);
      this.#live = false;
    } finally {
      this.#fetching = false;
    }
  }
}
