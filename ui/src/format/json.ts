/** Splits indented JSON into pieces by what they are, for colour only. Never changes a character. */

export type Piece = { text: string; kind: "key" | "string" | "number" | "word" | "plain" };

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

/** Longer texts are shown in one colour: thousands of pieces would make the page slow. */
export const MOST = 20_000;

export function pieces(json: string): Piece[] {
  if (json.length > MOST) return [{ text: json, kind: "plain" }];
  const out: Piece[] = [];
  let end = 0;
  for (const match of json.matchAll(TOKENS)) {
    const [whole, string, colon, number] = match;
    if (match.index > end) out.push({ text: json.slice(end, match.index), kind: "plain" });
    if (string !== undefined) {
      out.push({ text: string, kind: colon === undefined ? "string" : "key" });
      if (colon !== undefined) out.push({ text: colon, kind: "plain" });
    } else {
      out.push({ text: whole, kind: number !== undefined ? "number" : "word" });
    }
    end = match.index + whole.length;
  }
  if (end < json.length) out.push({ text: json.slice(end), kind: "plain" });
  return out;
}
