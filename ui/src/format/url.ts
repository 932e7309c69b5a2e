/** An address as it stands where room is scarce, without its scheme: `127.0.0.1:3200`. Other names stay as they are. */
export function shortAddress(name: string): string {
  return name.replace(/^https?:\/\//, "");
}
