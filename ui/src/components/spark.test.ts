import { expect, test } from "vitest";
import { spark } from "./spark";

test("nothing draws nothing", () => expect(spark([], 60, 40)).toEqual({ line: "", area: "" }));

test("zeros lie at the bottom", () => expect(spark([0, 0, 0], 60, 40).line).toBe("M0 40L60 40"));

test("the highest value reaches the top and the area is closed", () => {
  const { line, area } = spark([0, 5, 10], 60, 40);
  expect(line).toBe("M0 40L30 20L60 0");
  expect(area).toBe("M0 40L30 20L60 0L60 40L0 40Z");
});

test("a single value is a level line", () => expect(spark([3], 60, 40).line).toBe("M0 0L60 0"));
