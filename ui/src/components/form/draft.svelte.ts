// Owns one form at work: the draft being edited, the saved values it began from, the problems the engine found, and
// whether a save is under way. It never judges a value; it only compares and carries.

import { asApiError, type ApiError } from "../../backend/types";
import { changedPaths, rebase, same } from "./changes";
import { FormProblems } from "./problems.svelte";

export class DraftForm<D extends object> {
  #saved: D = $state.raw({} as D);
  draft: D = $state({} as D);
  /** A failure that belongs to no field. */
  failure = $state.raw<ApiError | null>(null);
  busy = $state(false);
  readonly problems = new FormProblems();

  /** How many fields differ from what is saved. */
  readonly changes = $derived(changedPaths(this.#saved, this.draft).length);

  constructor(saved: D) {
    this.#saved = saved;
    this.draft = structuredClone(saved);
  }

  /** What the draft began from. */
  get saved(): D {
    return this.#saved;
  }

  /** A plain copy of the draft, to send. */
  snapshot(): D {
    return $state.snapshot(this.draft) as D;
  }

  /** Puts the saved values back. */
  discard(): void {
    this.draft = structuredClone(this.#saved);
    this.problems.set([]);
    this.failure = null;
  }

  /** Follows newer saved values; what was edited here stays edited. */
  follow(saved: D): void {
    if (same(saved, this.#saved)) return;
    this.draft = structuredClone(rebase(this.snapshot(), this.#saved, saved));
    this.#saved = saved;
  }

  /** Shows what the engine refused: at the fields, or above the form. */
  refuse(error: unknown): ApiError {
    const known = asApiError(error);
    this.problems.set(known.problems);
    this.failure = known.code === "invalid" && known.problems.length > 0 ? null : known;
    return known;
  }

  /** Sends the draft; `send` answers with the values as they are saved now. Returns whether it was accepted. */
  async submit(send: (draft: D) => Promise<D>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    try {
      const saved = await send(this.snapshot());
      this.#saved = saved;
      this.discard();
      return true;
    } catch (error) {
      this.refuse(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
