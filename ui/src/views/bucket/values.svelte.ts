// Owns the stored values of one device on the screen: newest first, more on demand, read again when there are new ones.

import { asApiError, type ApiError, type BucketRow, type Rpc } from "../../backend/types";

export const STEP = 100;
const MOST = 500;

export class Values {
  serial = $state<string | null>(null);
  total = $state(0);
  rows = $state.raw<readonly BucketRow[]>([]);
  error = $state.raw<ApiError | null>(null);
  #wanted = STEP;
  #asked = 0;
  readonly #rpc: Rpc;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  /** Whether older values can be shown too. */
  get more(): boolean {
    return this.rows.length < this.total && this.#wanted < MOST;
  }

  open(serial: string): Promise<void> {
    if (serial !== this.serial) this.rows = [];
    this.serial = serial;
    this.#wanted = STEP;
    return this.load();
  }

  older(): Promise<void> {
    this.#wanted = Math.min(MOST, this.#wanted + STEP);
    return this.load();
  }

  async load(): Promise<void> {
    const serial = this.serial;
    if (serial === null) return;
    const asked = ++this.#asked;
    try {
      const { total, rows } = await this.#rpc("bucket.rows", { serial, from: 0, count: this.#wanted });
      if (asked !== this.#asked) return;
      this.total = total;
      this.rows = rows;
      this.error = null;
    } catch (error) {
      if (asked === this.#asked) this.error = asApiError(error);
    }
  }
}
