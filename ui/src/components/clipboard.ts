/** Copying text. Where the web view has no clipboard interface, a selection in a field off the screen does it. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    return;
  } catch {
    // Not allowed or not there: the old way.
  }
  const back = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "sr-only";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (back instanceof HTMLElement) back.focus({ preventScroll: true });
  if (!copied) throw new Error("The system's clipboard can't be reached.");
}
