// Owns one connection test at a time: its steps as they end, its report, and its cancelling. The engine tests; this
// only keeps what it said.

import {
  asApiError,
  type ApiError,
  type BrokerDraft,
  type Rpc,
  type TestStep,
  type TestStepName,
} from "../../backend/types";
import type { Frames } from "../../state/frames";

export const STEPS: readonly { name: TestStepName; label: string }[] = [
  { name: "name", label: "Name lookup" },
  { name: "tcp", label: "TCP" },
  { name: "tls", label: "TLS" },
  { name: "connack", label: "CONNACK" },
  { name: "suback", label: "Subscribe" },
];

// The engine keeps tests apart by this number; a reloaded page must not repeat one that still runs.
let lastId = Date.now() % 1_000_000_000;

export class ConnectionTest {
  running = $state(false);
  /** Whether the broker can be used; `null` before the first report. */
  passed = $state<boolean | null>(null);
  failure = $state.raw<ApiError | null>(null);
  /** What was tested, to say when the form has moved on. */
  tested = $state.raw<BrokerDraft | null>(null);
  #steps = $state.raw<Partial<Record<TestStepName, TestStep>>>({});
  #id = 0;
  readonly #rpc: Rpc;
  readonly #frames: Frames;

  constructor(rpc: Rpc, frames: Frames) {
    this.#rpc = rpc;
    this.#frames = frames;
  }

  /** The step as far as it is known. */
  step(name: TestStepName): TestStep | undefined {
    return this.#steps[name];
  }

  /** The step that is under way. */
  get current(): TestStepName | null {
    if (!this.running) return null;
    return STEPS.find(({ name }) => this.#steps[name] === undefined)?.name ?? null;
  }

  /** Tests what the form holds. Returns the refusal, when the form itself is not in order. */
  async run(draft: BrokerDraft): Promise<ApiError | null> {
    const id = ++lastId;
    this.#id = id;
    this.#steps = {};
    this.passed = null;
    this.failure = null;
    this.tested = draft;
    this.running = true;
    const stop = this.#frames.on("testStep", (frame) => {
      if (frame.testId === id && this.#id === id) this.#keep([frame.step]);
    });
    try {
      const report = await this.#rpc("brokers.test", { draft, testId: id });
      if (this.#id !== id) return null;
      this.#keep(report.steps);
      this.passed = report.passed;
      return null;
    } catch (error) {
      if (this.#id !== id) return null;
      this.failure = asApiError(error);
      return this.failure;
    } finally {
      stop();
      if (this.#id === id) this.running = false;
    }
  }

  /** Asks the engine to stop; the steps then say so themselves. */
  async cancel(): Promise<void> {
    if (!this.running) return;
    try {
      await this.#rpc("brokers.testCancel", { number: this.#id });
    } catch (error) {
      this.failure = asApiError(error);
    }
  }

  #keep(steps: readonly TestStep[]): void {
    this.#steps = { ...this.#steps, ...Object.fromEntries(steps.map((step) => [step.name, step])) };
  }
}
