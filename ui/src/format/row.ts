/** The last column of a row of the feed: size, quality of service, retain flag. */
import { bytes } from "./number";

export function sizeText(size: number | null): string {
  return size === null ? "" : bytes(size);
}

/** `1`, `0 R`; nothing when the event has no quality of service. */
export function qosText(qos: number | null, retain: boolean): string {
  if (qos === null) return retain ? "R" : "";
  return retain ? `${qos} R` : String(qos);
}
