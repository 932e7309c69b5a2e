/** Everything that changes by itself: asked for once, then pushed as whole snapshots. */
import type { BrokerStatus, RelayStatus, Rpc, StatusSnapshot, TapStatus } from "../backend/types";
import type { Frames } from "./frames";
import { Loaded } from "./loaded.svelte";

export class Status {
  readonly snapshot: Loaded<StatusSnapshot>;

  constructor(rpc: Rpc, frames: Frames) {
    this.snapshot = new Loaded(() => rpc("app.status", null));
    frames.on("status", (frame) => this.snapshot.set(frame));
  }

  get value(): StatusSnapshot | null {
    return this.snapshot.value;
  }

  relay(id: string): RelayStatus | undefined {
    return this.value?.relays.find((relay) => relay.id === id);
  }

  broker(id: string): BrokerStatus | undefined {
    return this.value?.brokers.find((broker) => broker.id === id);
  }

  tap(id: string): TapStatus | undefined {
    return this.value?.taps.find((tap) => tap.id === id);
  }
}
