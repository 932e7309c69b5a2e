/** Filters of the feed that were saved under a name. */
import { asApiError, type Rpc, type SavedFilter } from "../backend/types";

export class SavedFilters {
  list = $state.raw<SavedFilter[]>([]);
  /** Why the last thing could not be done. */
  failure = $state("");
  readonly #rpc: Rpc;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  load(): Promise<boolean> {
    return this.#do(() => Promise.resolve());
  }

  /** Saves a new filter, or another name or line of an old one. Whether it was done. */
  save(id: number | null, name: string, line: string): Promise<boolean> {
    return this.#do(() => this.#rpc("filters.save", { id, name, line }));
  }

  delete(id: number): Promise<boolean> {
    return this.#do(() => this.#rpc("filters.delete", { id }));
  }

  async #do(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act();
      this.list = await this.#rpc("filters.list", null);
      this.failure = "";
      return true;
    } catch (error) {
      const known = asApiError(error);
      this.failure = known.problems.map(({ message }) => message).join(" ") || known.message;
      return false;
    }
  }
}
