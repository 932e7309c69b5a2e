/** The saved lists: brokers, relays, tokens, taps. Read again whenever the engine says that the configuration changed. */
import type { BrokerView, RegionChoice, RelayView, Rpc, TapView, TokenView } from "../backend/types";
import type { Frames } from "./frames";
import { Loaded } from "./loaded.svelte";

export class Config {
  readonly brokers: Loaded<BrokerView[]>;
  readonly relays: Loaded<RelayView[]>;
  readonly tokens: Loaded<TokenView[]>;
  readonly taps: Loaded<TapView[]>;
  /** Regions never change while the app runs. */
  readonly regions: Loaded<RegionChoice[]>;

  constructor(rpc: Rpc, frames: Frames) {
    this.brokers = new Loaded(() => rpc("brokers.list", null));
    this.relays = new Loaded(() => rpc("relays.list", null));
    this.tokens = new Loaded(() => rpc("tokens.list", null));
    this.regions = new Loaded(() => rpc("app.regions", null));
    this.taps = new Loaded(() => rpc("taps.list", null));
    frames.on("config", () => void this.load());
  }

  /** The broker that the source of an event is, or is before: brokers and taps are named there. */
  brokerOf(source: string): string | null {
    const broker = this.brokers.value?.find((view) => view.broker.name === source)?.broker.id;
    return broker ?? this.taps.value?.find((view) => view.tap.name === source)?.draft.brokerId ?? null;
  }

  /** Reads all lists. */
  async load(): Promise<void> {
    await Promise.all([this.brokers.load(), this.relays.load(), this.tokens.load(), this.taps.load()]);
  }
}
