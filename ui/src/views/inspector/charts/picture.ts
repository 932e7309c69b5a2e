/** A picture of the chart for a file: the plot as it is drawn, and below it what its lines are. */
import { paint } from "./paint";

/** A line of the legend. */
export interface Entry {
  /** Its place among all lines. */
  at: number;
  name: string;
  value: string;
}

const ROW = 20;
const EDGE = 12;

/** The PNG as Base64, or nothing where there is no canvas to draw on. */
export function picture(plot: HTMLCanvasElement, entries: readonly Entry[], root: Element): string | null {
  const style = getComputedStyle(root);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const scale = plot.width / Math.max(1, plot.clientWidth);
  const canvas = document.createElement("canvas");
  canvas.width = plot.width;
  canvas.height = plot.height + (entries.length * ROW + 2 * EDGE) * scale;
  const to = canvas.getContext("2d");
  if (!to) return null;
  to.fillStyle = token("--bg");
  to.fillRect(0, 0, canvas.width, canvas.height);
  to.drawImage(plot, 0, 0);
  to.scale(scale, scale);
  to.font = `12px ${token("--mono")}`;
  to.textBaseline = "middle";
  to.lineWidth = 2;
  entries.forEach((entry, row) => {
    const y = plot.clientHeight + EDGE + (row + 0.5) * ROW;
    const { token: colour, dash } = paint(entry.at);
    to.strokeStyle = token(colour);
    to.setLineDash(dash ?? []);
    to.beginPath();
    to.moveTo(EDGE, y);
    to.lineTo(EDGE + 22, y);
    to.stroke();
    to.fillStyle = token("--text");
    to.fillText(`${entry.value}  ${entry.name}`, EDGE + 32, y);
  });
  return canvas.toDataURL("image/png").split(",")[1] ?? null;
}
