/** Which keys belong to the page, and when they belong to what has the focus instead. */

/** Whether what is typed now goes into a field. */
export function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  if (!(target instanceof HTMLInputElement)) return false;
  return !["checkbox", "radio", "button", "file", "range"].includes(target.type);
}

/** Whether Space and Enter already mean something where the focus is. */
export function pressable(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("button, a, input, select, textarea, [role=option]") !== null;
}

/** Whether a window lies over the page; then the page's keys rest. */
export function covered(): boolean {
  return document.querySelector("[role=dialog][data-state=open], [role=alertdialog][data-state=open]") !== null;
}
