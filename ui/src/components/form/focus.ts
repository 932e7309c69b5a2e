// Owns where the keyboard goes after a refused save: to the first control, in reading order, that the engine named.

/** Focuses the first control marked invalid inside `root`. Returns whether there was one. */
export function focusFirstInvalid(root: ParentNode | null | undefined): boolean {
  const marked = root?.querySelector<HTMLElement>('[aria-invalid="true"]:not([disabled])');
  if (!marked) return false;
  // A group of radio buttons is marked as a whole; the keyboard goes to the chosen one.
  const control = marked.querySelector<HTMLElement>("input:checked") ?? marked;
  control.focus();
  control.scrollIntoView({ block: "nearest" });
  return true;
}
