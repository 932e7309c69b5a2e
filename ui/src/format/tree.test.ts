import { expect, test } from "vitest";
import type { PayloadNode } from "../backend/types";
import { decoderWords } from "./decoder";
import { lineAt } from "./mistake";
import { holderOf, rowsOf } from "./tree";

const node = (step: string, children: PayloadNode[] = []): PayloadNode => ({
  name: step,
  step,
  kind: children.length > 0 ? "object" : "number",
  value: "",
  number: null,
  range: null,
  note: null,
  children,
});
const root = node("$", [node(".a", [node("[0]"), node("[1]")]), node('["b c"]')]);

test("a small tree is open, a large one at its root; a hand turns it", () => {
  const paths = (total: number, turned: string[] = []) => rowsOf(root, total, new Set(turned)).map(({ path }) => path);
  expect(paths(5)).toEqual(["$", "$.a", "$.a[0]", "$.a[1]", '$["b c"]']);
  expect(paths(5_000)).toEqual(["$", "$.a", '$["b c"]']);
  expect(paths(5_000, ["0.0"])).toEqual(paths(5));
  expect(paths(5, ["0"])).toEqual(["$"]);
  const rows = rowsOf(root, 5, new Set());
  expect([holderOf(rows, 3), holderOf(rows, 4), holderOf(rows, 0)]).toEqual([1, 0, 0]);
});

test("decoders and mistakes in words", () => {
  expect(decoderWords({ kind: "gzip", inner: { kind: "protobuf", schema: "s", message: "plant.Reading" } })).toBe(
    "gzip, zlib › Protobuf plant.Reading",
  );
  expect(lineAt("one\ntwo\nthree", "Line 2, column 1: no")).toBe("two");
  expect(lineAt("one", "It is empty.")).toBe("");
});
