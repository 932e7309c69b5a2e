import { expect, test } from "vitest";
import { MOST, pieces } from "./json";

test("keys, numbers, strings and words are told apart", () => {
  const kinds = pieces('{\n  "temp": 71.4,\n  "state": "run: 1",\n  "ok": true\n}')
    .filter(({ kind }) => kind !== "plain")
    .map(({ text, kind }) => `${kind} ${text}`);
  expect(kinds).toEqual(['key "temp"', "number 71.4", 'key "state"', 'string "run: 1"', 'key "ok"', "word true"]);
});

test.each(['{"a\\"b": -1e-9}', "[]", '"<img src=x onerror=alert(1)>"', "not json at all 12", ""])(
  "no character of %s is lost",
  (text) =>
    expect(
      pieces(text)
        .map((piece) => piece.text)
        .join(""),
    ).toBe(text),
);

test("a long text stays in one piece", () => expect(pieces("1,".repeat(MOST))).toHaveLength(1));
