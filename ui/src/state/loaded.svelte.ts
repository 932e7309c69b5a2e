/**
 * One answer of the engine that can be asked for again: loading, there, or failed. What was there stays while it is
 * asked for again, and an answer that was overtaken by a later question is dropped.
 */
import { asApiError, type ApiError } from "../backend/types";

export class Loaded<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  loading = $state(false);
  readonly #ask: () => Promise<T>;
  #asked = 0;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  /** Asks (again). Never rejects: a failure is in `error`. */
  async load(): Promise<void> {
    const asked = ++this.#asked;
    this.loading = true;
    try {
      const value = await this.#ask();
      if (asked !== this.#asked) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (asked !== this.#asked) return;
      this.error = asApiError(error);
    }
    this.loading = false;
  }

  /** Takes a value that came another way: a push, or the answer to a save. */
  set(value: T): void {
    this.#asked++;
    this.value = value;
    this.error = null;
    this.loading = false;
  }
}
