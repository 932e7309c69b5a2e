import { expect, test } from "vitest";
import { megabytes } from "./megabytes";

test("a whole number is taken as typed", () => {
  expect(megabytes(" 256 ")).toBe(256);
});

test("anything else is for the engine to refuse", () => {
  for (const typed of ["", "a lot", "1.5", "-4", "99999999999"]) expect(megabytes(typed)).toBe(0);
});
