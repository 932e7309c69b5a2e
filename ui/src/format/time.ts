/** Times as texts. Takes Unix milliseconds and returns words; never reads the clock itself. */

const two = (n: number) => String(n).padStart(2, "0");

/** Time of day with milliseconds, in the system's zone: `14:02:11.846`. */
export function clockTime(at: number): string {
  const d = new Date(at);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, "0")}`;
}

/** Date and time with milliseconds: `2026-11-20 14:02:11.846`. */
export function dateClockTime(at: number): string {
  return `${dateTime(at).slice(0, 10)} ${clockTime(at)}`;
}

/** A span to the millisecond, as it stands in a column: `0.000`, `+12.846`, `+3:07.120`, `+26:02:03`, `-0.004`. */
export function lapse(millis: number): string {
  const total = Math.abs(millis);
  const [h, m, s] = [Math.floor(total / 3_600_000), Math.floor(total / 60_000) % 60, Math.floor(total / 1_000) % 60];
  const rest = `.${String(total % 1_000).padStart(3, "0")}`;
  const sign = millis < 0 ? "-" : millis > 0 ? "+" : "";
  if (h > 0) return `${sign}${h}:${two(m)}:${two(s)}`;
  return m > 0 ? `${sign}${m}:${two(s)}${rest}` : `${sign}${s}${rest}`;
}

/** Date and time to the second: `2026-11-20 14:02:11`. */
export function dateTime(at: number): string {
  const d = new Date(at);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** How long, in its largest unit: `49 s`, `5 min`, `2 h`, `4 d`. */
export function duration(millis: number): string {
  const s = Math.max(0, Math.floor(millis / 1_000));
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

/** Age of something at `now`; what lies in the future (clocks differ) is 0 s old. */
export function age(at: number, now: number): string {
  return duration(now - at);
}

/** Steps of a journey, from microseconds: `0 ms`, `+0.2 ms`, `+41 ms`, `+2.5 s`. */
export function offset(micros: number): string {
  if (micros <= 0) return "0 ms";
  if (micros < 10_000) return `+${(Math.max(100, micros) / 1_000).toFixed(1)} ms`;
  if (micros < 1_000_000) return `+${Math.round(micros / 1_000)} ms`;
  if (micros < 60_000_000) return `+${(micros / 1_000_000).toFixed(1)} s`;
  return `+${duration(micros / 1_000)}`;
}
