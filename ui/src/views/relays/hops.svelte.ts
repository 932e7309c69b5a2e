// Owns the test of the way of a downlink: asked once at a time, its hops as the engine found them.

import { asApiError, type ApiError, type EndpointTestReport, type HopName, type Rpc } from "../../backend/types";

export const HOPS: readonly { name: HopName; label: string }[] = [
  { name: "listen", label: "Endpoint listens" },
  { name: "tls", label: "TLS" },
  { name: "access", label: "Access" },
  { name: "relay", label: "Relay" },
  { name: "session", label: "Broker connected" },
  { name: "publish", label: "Message acknowledged" },
];

export class HopTest {
  running = $state(false);
  report = $state.raw<EndpointTestReport | null>(null);
  failure = $state.raw<ApiError | null>(null);
  readonly #rpc: Rpc;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  /** Walks the way. Returns the refusal, when the topic is not in order. */
  async run(relayId: string, topic: string): Promise<ApiError | null> {
    if (this.running) return null;
    this.running = true;
    this.report = null;
    this.failure = null;
    try {
      this.report = await this.#rpc("endpoint.test", { relayId, topic });
      return null;
    } catch (error) {
      this.failure = asApiError(error);
      return this.failure;
    } finally {
      this.running = false;
    }
  }
}
