/** How the line of a place among the lines is drawn: six colours, and from the seventh on the same ones dashed. */
const COLOURS = 6;

export function paint(at: number): { token: string; dash: number[] | null } {
  return { token: `--chart-${(at % COLOURS) + 1}`, dash: at >= COLOURS ? [6, 4] : null };
}
