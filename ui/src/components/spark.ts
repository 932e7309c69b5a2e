/** The line of a sparkline in a box of `width` × `height`, from zero at the bottom. Pure arithmetic. */

export interface Spark {
  line: string;
  /** The same, closed along the bottom. */
  area: string;
}

/** `values` oldest first; the highest one reaches the top. With nothing but zeros the line lies at the bottom. */
export function spark(values: readonly number[], width: number, height: number): Spark {
  const points = values.length === 1 ? [values[0] ?? 0, values[0] ?? 0] : values;
  if (points.length === 0) return { line: "", area: "" };
  const most = Math.max(...points, 0);
  const flat = `M0 ${height}L${width} ${height}`;
  if (most === 0) return { line: flat, area: `${flat}Z` };
  const round = (n: number) => Math.round(n * 10) / 10;
  const line = points
    .map((value, i) => {
      const x = (i * width) / (points.length - 1);
      const y = height - (Math.max(0, value) / most) * height;
      return `${i === 0 ? "M" : "L"}${round(x)} ${round(y)}`;
    })
    .join("");
  return { line, area: `${line}L${width} ${height}L0 ${height}Z` };
}
