/** The lines of a payload that are on the screen. The engine breaks it into lines and hands out those asked for. */
import { asApiError, type ApiError, type PayloadLinesRequest, type Rpc } from "../backend/types";

export type LinesOf = Pick<PayloadLinesRequest, "seq" | "decoder" | "form" | "columns" | "history">;

export class PayloadText {
  total = $state(0);
  from = $state(0);
  lines = $state.raw<string[]>([]);
  error = $state.raw<ApiError | null>(null);
  readonly #rpc: Rpc;
  #of: LinesOf | null = null;
  #window = { from: 0, count: 0 };
  #fetching = false;
  #stale = false;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  /** Another payload, or the same in another width. */
  open(of: LinesOf): Promise<void> {
    this.#of = of;
    if (this.#window.count === 0) this.#window = { from: 0, count: 100 };
    return this.#fetch();
  }

  /** Says which lines are on the screen. */
  show(from: number, count: number): void {
    if (count === 0 || (from === this.#window.from && count === this.#window.count)) return;
    this.#window = { from, count };
    void this.#fetch();
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
        const of = this.#of;
        if (!of) break;
        const window = this.#window;
        const { total, lines } = await this.#rpc("decode.lines", { ...of, ...window });
        if (of !== this.#of) continue;
        this.total = total;
        this.from = window.from;
        this.lines = lines;
        this.error = null;
      } while (this.#stale);
    } catch (error) {
      this.error = asApiError(error);
    } finally {
      this.#fetching = false;
    }
  }
}
