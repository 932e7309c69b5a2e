import { expect, test } from "vitest";
import { changedPaths, rebase, same } from "./changes";

test("equal values have no changes, whatever the order of their keys", () => {
  expect(same({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
  expect(same([1, 2], [1])).toBe(false);
  expect(same(null, {})).toBe(false);
});

test("changes are counted by field, also inside objects and rows", () => {
  const before = { host: "a", tls: { ca: "", alpn: "" }, mappings: [{ filter: "x" }], will: null };
  const after = {
    host: "b",
    tls: { ca: "PEM", alpn: "" },
    mappings: [{ filter: "x" }, { filter: "y" }],
    will: { topic: "t" },
  };
  expect(changedPaths(before, after)).toEqual(["host", "tls.ca", "mappings.1", "will"]);
});

test("a tagged value is one field", () => {
  expect(changedPaths({ password: { kind: "keep" } }, { password: { kind: "set", value: "x" } })).toEqual(["password"]);
});

test("newer saved values come under the edits", () => {
  const before = { name: "Plant", enabled: true, port: "1883" };
  const edited = { ...before, name: "Plant 2" };
  expect(rebase(edited, before, { ...before, enabled: false })).toEqual({
    name: "Plant 2",
    enabled: false,
    port: "1883",
  });
});
