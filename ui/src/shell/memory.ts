/** Small choices of the page that outlive it. Where the web view keeps nothing, they last as long as the page. */

/** Whether a choice was made, here or in an earlier run. */
export function remembered(name: string): boolean {
  try {
    return localStorage.getItem(name) === "yes";
  } catch {
    return false;
  }
}

/** Keeps a choice. */
export function remember(name: string, chosen: boolean): void {
  try {
    if (chosen) localStorage.setItem(name, "yes");
    else localStorage.removeItem(name);
  } catch {
    // The choice holds until the window is closed.
  }
}
