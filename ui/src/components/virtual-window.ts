/** Which rows of a list of equal rows are on the screen. Pure arithmetic. */

export interface Window {
  /** First row to draw. */
  from: number;
  /** Rows to draw. */
  count: number;
}

/** Rows that a list of `total` rows must draw, with `spare` ones above and below for fast scrolling. */
export function windowOf(scrollTop: number, height: number, rowHeight: number, total: number, spare = 8): Window {
  if (total <= 0 || height <= 0) return { from: 0, count: 0 };
  const top = Math.max(0, Math.min(scrollTop, total * rowHeight - height));
  const first = Math.floor(top / rowHeight);
  const last = Math.ceil((top + height) / rowHeight);
  const from = Math.max(0, first - spare);
  return { from, count: Math.min(total, last + spare) - from };
}

/** Where to scroll so that a row is wholly seen, moving no further than needed. */
export function scrollFor(index: number, scrollTop: number, height: number, rowHeight: number): number {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + height) return top + rowHeight - height;
  return scrollTop;
}
