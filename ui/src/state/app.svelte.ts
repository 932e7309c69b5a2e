/**
 * All state of the page, wired to the engine once. Views import `app`; tests build their own `App` around a port that
 * answers from values.
 */
import { backend } from "../backend/tauri";
import type { Backend, Rpc } from "../backend/types";
import { Charts } from "./charts.svelte";
import { Clock } from "./clock.svelte";
import { Config } from "./config.svelte";
import { Decoders } from "./decoders.svelte";
import { FeedView } from "./feed.svelte";
import { Frames } from "./frames";
import { HistorySearch } from "./history.svelte";
import { Navigation, type Intent, type Place } from "./navigation.svelte";
import { resting } from "./pace";
import { Publishing } from "./publishing.svelte";
import { Recordings } from "./recordings.svelte";
import { Selection } from "./selection.svelte";
import { Sessions } from "./sessions.svelte";
import { Settings } from "./settings.svelte";
import { Status } from "./status.svelte";
import { Toasts } from "./toasts.svelte";

export class App {
  readonly rpc: Rpc;
  readonly frames = new Frames();
  readonly navigation = new Navigation();
  readonly toasts = new Toasts();
  readonly clock = new Clock();
  readonly status: Status;
  readonly config: Config;
  readonly settings: Settings;
  readonly feed: FeedView;
  readonly history: HistorySearch;
  readonly selection: Selection;
  readonly charts: Charts;
  readonly decoders: Decoders;
  readonly sessions: Sessions;
  readonly publishing: Publishing;
  readonly recordings: Recordings;
  readonly #backend: Backend;

  constructor(port: Backend) {
    this.#backend = port;
    this.rpc = port.rpc;
    this.status = new Status(port.rpc, this.frames);
    this.config = new Config(port.rpc, this.frames);
    this.settings = new Settings(port.rpc);
    this.feed = new FeedView(port.rpc, this.frames, resting());
    this.history = new HistorySearch(port.rpc);
    this.selection = new Selection(port.rpc, this.frames);
    this.charts = new Charts(port.rpc, this.frames);
    this.decoders = new Decoders(port.rpc);
    this.sessions = new Sessions(port.rpc, this.frames);
    this.publishing = new Publishing(port.rpc, this.frames);
    this.recordings = new Recordings(port.rpc, this.frames);
  }

  /** Subscribes first, so that nothing is missed, then reads what there is. */
  async start(): Promise<void> {
    this.clock.start();
    try {
      await this.#backend.subscribe((frame) => this.frames.emit(frame));
    } catch (error) {
      this.toasts.failed(error);
    }
    await Promise.all([
      this.settings.load(),
      this.status.snapshot.load(),
      this.config.load(),
      this.config.regions.load(),
      this.sessions.load().catch((error: unknown) => this.toasts.failed(error)),
    ]);
  }

  /** Goes to a place. Leaving the first-run doors any way counts as passing them. */
  go(place: Place, intent?: Intent): void {
    if (this.settings.firstRun) this.settings.passDoors().catch((error: unknown) => this.toasts.failed(error));
    this.navigation.go(place, intent);
  }

  /** *Try it*: broker, devices, relay and local stand-in, then the feed. Rejects with the engine's words. */
  async startDemo(): Promise<void> {
    await this.rpc("demo.start", null);
    this.go("inspector");
  }
}

export const app = new App(backend);
