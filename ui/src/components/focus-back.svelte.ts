/** Gives the focus back to what had it before something was opened over the page. */
import { tick } from "svelte";

/**
 * Owners mount a dialog only while it is open: it is gone before the dialog library can give the focus back. Call it while
 * a component is set up.
 */
export function giveFocusBack(open: () => boolean): void {
  $effect.pre(() => {
    if (!open()) return;
    const before = document.activeElement;
    return () => {
      void tick().then(() => {
        if (document.activeElement === document.body && before instanceof HTMLElement) before.focus();
      });
    };
  });
}
