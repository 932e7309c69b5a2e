import { expect, test } from "vitest";
import { usable } from "./locale";

test.each([
  ["C", "en-US"],
  ["", "en-US"],
  ["C.UTF-8", "en-US"],
  [undefined, "en-US"],
  ["de-DE", "de-DE"],
])("%s is used as %s", (language, used) => {
  expect(usable(language)).toBe(used);
  expect(() => new Intl.NumberFormat(usable(language))).not.toThrow();
});
