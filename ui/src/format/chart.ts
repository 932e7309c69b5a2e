/** The chart's points, brought into the form in which they are drawn, and its numbers and times as texts. Pure. */
import type { ChartLine, ChartPoints, ChartSeries } from "../backend/types";

/** A line with what it is one of, in the order in which lines are coloured. */
export interface Named {
  series: ChartSeries;
  line: ChartLine;
}

export function linesOf(points: ChartPoints | null): Named[] {
  return (points?.series ?? []).flatMap((series) => series.lines.map((line) => ({ series, line })));
}

/** Puts an answer behind what is there: before `since`, points stand as they were. */
export function merged(before: ChartPoints | null, answer: ChartPoints): ChartPoints {
  if (!before || answer.since <= answer.from) return answer;
  const old = new Map(linesOf(before).map(({ line }) => [line.number, line]));
  const joined = (line: ChartLine): ChartLine => {
    const had = old.get(line.number);
    if (!had) return line;
    const kept = had.times.findIndex((at) => at >= answer.since);
    const end = kept < 0 ? had.times.length : kept;
    // One point is left of the edge, so that the line reaches it.
    const inside = had.times.findIndex((at) => at >= answer.from);
    const begin = Math.min(end, Math.max(0, (inside < 0 ? end : inside) - 1));
    const fresh = line.times.findIndex((at) => at >= answer.since);
    const from = fresh < 0 ? line.times.length : fresh;
    return {
      ...line,
      times: [...had.times.slice(begin, end), ...line.times.slice(from)],
      values: [...had.values.slice(begin, end), ...line.values.slice(from)],
    };
  };
  return { ...answer, series: answer.series.map((series) => ({ ...series, lines: series.lines.map(joined) })) };
}

/** One list of times in milliseconds and one of values for each line: `null` is a gap, `undefined` no point there. */
export function columns(lines: readonly ChartLine[]): [number[], ...(number | null | undefined)[][]] {
  const times = [...new Set(lines.flatMap((line) => line.times))].sort((one, other) => one - other);
  const place = new Map(times.map((at, index) => [at, index]));
  const values = lines.map((line) => {
    const column: (number | null | undefined)[] = new Array<undefined>(times.length).fill(undefined);
    line.times.forEach((at, index) => (column[place.get(at) ?? 0] = line.values[index] ?? null));
    return column;
  });
  return [times.map((at) => at / 1_000), ...values];
}

/** The value a line has at a time: that of the last point before, unless the line is interrupted there. */
export function valueAt(line: ChartLine, at: number): number | null {
  let low = 0;
  let high = line.times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((line.times[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return line.values[low - 1] ?? null;
}

/** How the lines share scales. */
export type Scales = "auto" | "one" | "each";

/** The name of a line's scale, by its number among the lines. */
export function scaleOf(line: ChartLine, index: number, scales: Scales): string {
  return scales === "one" ? "y0" : `y${scales === "each" ? index : line.scale}`;
}

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const broken = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 7 });

/** `71.4`, `1,480`, `2.5e-7` */
export function value(number: number): string {
  const size = Math.abs(number);
  if (size !== 0 && (size >= 1e12 || size < 1e-4)) return Number(number.toPrecision(6)).toExponential();
  return (Number.isInteger(number) ? whole : broken).format(number);
}

const two = (number: number) => String(number).padStart(2, "0");

/** A time on the axis, as exact as the distance of its neighbours (both in milliseconds) asks for. */
export function tick(at: number, distance: number): string {
  const date = new Date(at);
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (distance >= 86_400_000) return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  if (distance >= 60_000) return minutes;
  const seconds = `${minutes}:${two(date.getSeconds())}`;
  return distance >= 1_000 ? seconds : `${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
