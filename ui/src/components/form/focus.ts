// Owns where the keyboard goes after a refused save: to the first control, in reading order, that the engine named.

/** Focuses the first control marked invalid inside `root`. Returns whether there was one. */
export function focusFirstInvalid(root: ParentNode | null | undefined): boolean {
  const control = root?.querySelector<HTMLElement>('[aria-invalid="true"]:not([disabled])');
  if (!control) return false;
  control.focus();
  control.scrollIntoView({ block: "nearest" });
  return true;
}
