/** Rows of the feed's view over time, for the chart above them. The engine counts; this asks once a second. */
import { asApiError, type ApiError, type RateChart, type Rpc } from "../backend/types";

/** Spans of the chart. */
const SPANS = 120;

export class Rate {
  chart = $state.raw<RateChart | null>(null);
  error = $state.raw<ApiError | null>(null);
  readonly #rpc: Rpc;
  #asked = 0;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  async load(view: number): Promise<void> {
    const asked = ++this.#asked;
    try {
      const chart = await this.#rpc("feed.rate", { view, seconds: null, buckets: SPANS });
      if (asked === this.#asked) this.chart = chart;
      this.error = null;
    } catch (error) {
      this.error = asApiError(error);
    }
  }
}
