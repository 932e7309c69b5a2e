/** Which rows of a list of equal rows are on the screen. Pure arithmetic. */

export interface Window {
  /** First row to draw. */
  from: number;
  /** Rows to draw. */
  count: number;
}

/** Engines lay out no element higher than this (2^25 pixels), and a little is left for what stands below the list. */
const HIGHEST = 33_000_000;

/** How a list of any length is scrolled: its rows' pixels, of those that the scroll bar has. */
export interface Scale {
  /** Height of the element that is scrolled through, pixels. */
  height: number;
  /** Pixels of rows for each of the scroll bar's. */
  ratio: number;
}

/** One to one as long as an element can be as high as all rows together; beyond that the scroll bar has fewer pixels. */
export function scaleOf(total: number, rowHeight: number, height: number, highest = HIGHEST): Scale {
  const whole = total * rowHeight;
  return whole <= highest || highest <= height
    ? { height: whole, ratio: 1 }
    : { height: highest, ratio: (whole - height) / (highest - height) };
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
