import { expect, test } from "vitest";
import { fieldText, momentText, sizeTest } from "./filter";

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

test("times are shown as they can be typed", () => {
  expect(momentText({ is: "clock", millis: 36_000_000 })).toBe("10:00");
  expect(momentText({ is: "clock", millis: 36_005_250 })).toBe("10:00:05.250");
  expect(momentText({ is: "date", year: 2026, month: 3, day: 7, millis: 0 })).toBe("2026-03-07");
  expect(momentText({ is: "date", year: 2026, month: 11, day: 21, millis: 65_000 })).toBe("2026-11-21T00:01:05");
  expect(momentText({ is: "unix", millis: new Date(2026, 10, 21, 9, 5, 0, 40).getTime() })).toBe(
    "2026-11-21T09:05:00.040",
  );
  expect(momentText({ is: "ago", millis: 300_000 })).toBe("5m");
  expect(momentText({ is: "ago", millis: 172_800_000 })).toBe("2d");
  expect(momentText({ is: "ago", millis: 1_250 })).toBe("1250ms");
  expect(fieldText({ field: "since", value: { is: "ago", millis: 30_000 } })).toBe("30s");
});
