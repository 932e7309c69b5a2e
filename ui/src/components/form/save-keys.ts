/** Which keys save the form that is open. */

/** Whether a key means *save*: Ctrl+S (on a Mac also ⌘S), and Enter in a single line of a form. */
export function savesForm(event: KeyboardEvent): boolean {
  if (event.altKey || event.shiftKey || event.isComposing) return false;
  const command = event.ctrlKey || event.metaKey;
  if (command) return event.key.toLowerCase() === "s";
  const { target } = event;
  return event.key === "Enter" && target instanceof HTMLInputElement && target.matches(".editor .form-control");
}
