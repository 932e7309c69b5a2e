import { expect, test } from "vitest";
import { problemTab } from "./tabs";

const tabs = (...problems: number[]) => problems.map((n, at) => ({ value: `t${at}`, problems: n }));

test("the open tab stays when it has a problem, otherwise the first with one opens", () => {
  expect(problemTab(tabs(1, 0, 2), "t2")).toBe("t2");
  expect(problemTab(tabs(0, 1, 2), "t0")).toBe("t1");
  expect(problemTab(tabs(0, 0, 0), "t2")).toBe("t2");
});
