/** The line that a mistake such as `Line 2, column 46: …` is about. Pure. */
export function lineAt(text: string, message: string): string {
  const number = /^Line ([\d,]+)/.exec(message)?.[1]?.replaceAll(",", "");
  return number === undefined ? "" : (text.split("\n")[Number(number) - 1] ?? "");
}
