// Owns the problems of one form: what the engine said is wrong, by the path of the field. A problem disappears when
// its field is edited; only the engine makes new ones. Fields find the problems of their form through the context.

import { getContext, setContext } from "svelte";
import type { Problem } from "../../backend/types";
import { isWithin } from "./paths";

const KEY = Symbol("problems of the form");

export class FormProblems {
  #list = $state.raw<readonly Problem[]>([]);

  /** All of them, in the engine's order. */
  get list(): readonly Problem[] {
    return this.#list;
  }

  /** Takes what the engine answered, instead of what was there. */
  set(problems: readonly Problem[]): void {
    this.#list = problems;
  }

  /** The message for the field at a path, or nothing. Several are joined. */
  at(path: string): string | undefined {
    const messages = this.#list.filter((problem) => problem.field === path).map((problem) => problem.message);
    return messages.length === 0 ? undefined : messages.join(" ");
  }

  /** How many problems lie at or below any of the paths. */
  count(roots: readonly string[]): number {
    return this.#list.filter((problem) => roots.some((root) => isWithin(problem.field, root))).length;
  }

  /** Problems at none of the paths: shown above the form, so that none is hidden. */
  outside(roots: readonly string[]): readonly Problem[] {
    return this.#list.filter((problem) => !roots.some((root) => isWithin(problem.field, root)));
  }

  /** Forgets the problems at or below a path: its field was edited. */
  clear(root: string): void {
    if (this.#list.some((problem) => isWithin(problem.field, root))) {
      this.#list = this.#list.filter((problem) => !isWithin(problem.field, root));
    }
  }
}

/** Offers the problems to the fields inside the calling component. */
export function provideProblems(problems: FormProblems): FormProblems {
  return setContext(KEY, problems);
}

/** The problems of the form around the calling component. */
export function formProblems(): FormProblems {
  return getContext<FormProblems | undefined>(KEY) ?? new FormProblems();
}
