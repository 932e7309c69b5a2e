import { expect, test } from "vitest";
import { fieldText, sizeTest } from "./filter";

test("a field is shown as it is typed", () => {
  expect(fieldText({ field: "topic", value: ["plant/#", "a b", 'x"y'] })).toBe('plant/#,"a b","x\\"y"');
  expect(fieldText({ field: "size", value: { is: "above", bytes: 10_000 } })).toBe(">10k");
  expect(fieldText({ field: "qos", value: [1] })).toBe("");
  expect(fieldText(undefined)).toBe("");
});

test("sizes are short where they can be", () => {
  expect(sizeTest({ is: "between", least: 1_000, most: 1_500_000 })).toBe("1k..1500k");
  expect(sizeTest({ is: "exactly", bytes: 0 })).toBe("0");
  expect(sizeTest({ is: "atMost", bytes: 64 })).toBe("<=64");
  expect(sizeTest({ is: "below", bytes: 2_000_000 })).toBe("<2M");
});
