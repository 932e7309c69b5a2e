/** Numbers and sizes as texts: the same everywhere in the app, like its words, so not by the system's language. */

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `48,213` */
export function count(n: number): string {
  return grouped.format(n);
}

/** `1 relay`, `3 relays` */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Rate per second: `0/s`, `0.4/s`, `1,180/s`. */
export function rate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 9.95) {
    const text = Math.max(0.1, perSecond).toFixed(1);
    return `${text.endsWith(".0") ? text.slice(0, -2) : text}/s`;
  }
  return `${count(perSecond)}/s`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** Size in decimal units: `39 B`, `48.2 kB`, `62 MB`. */
export function bytes(n: number): string {
  let value = n;
  let unit = 0;
  while (unit < UNITS.length - 1 && value >= (unit === 0 ? 1_000 : 999.5)) {
    value /= 1_000;
    unit++;
  }
  const text = unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1);
  return `${text.endsWith(".0") ? text.slice(0, -2) : text} ${UNITS[unit]}`;
}

/** A part of a whole, both in megabytes: `62 of 256 MB`. */
export function ofMegabytes(part: number, whole: number): string {
  const mega = (n: number) => (n > 0 && n < 950_000 ? (n / 1e6).toFixed(1) : count(n / 1e6));
  return `${mega(part)} of ${count(whole / 1e6)} MB`;
}
