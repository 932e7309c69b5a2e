import { describe, expect, test } from "vitest";
import { scaleOf, scrollFor, windowOf } from "./virtual-window";

describe("the rows on the screen", () => {
  test("an empty list and a list without height draw nothing", () => {
    expect(windowOf(0, 260, 26, 0)).toEqual({ from: 0, count: 0 });
    expect(windowOf(0, 0, 26, 100)).toEqual({ from: 0, count: 0 });
  });

  test("a short list is drawn whole", () => {
    expect(windowOf(0, 260, 26, 3)).toEqual({ from: 0, count: 3 });
  });

  test("at the top there is nothing spare above", () => {
    expect(windowOf(0, 260, 26, 500, 8)).toEqual({ from: 0, count: 18 });
  });

  test("a row that is half seen is drawn", () => {
    expect(windowOf(13, 260, 26, 500, 0)).toEqual({ from: 0, count: 11 });
  });

  test("in the middle rows are spare on both sides", () => {
    expect(windowOf(2_600, 260, 26, 500, 8)).toEqual({ from: 92, count: 26 });
  });

  test("the end is the end, also when the list shrank under the scroll bar", () => {
    expect(windowOf(13_000 - 260, 260, 26, 500, 8)).toEqual({ from: 482, count: 18 });
    expect(windowOf(99_999, 260, 26, 20, 0)).toEqual({ from: 10, count: 10 });
    expect(windowOf(99_999, 260, 26, 5, 0)).toEqual({ from: 0, count: 5 });
  });
});

describe("a list that is higher than an element can be", () => {
  test("up to a million rows are scrolled one to one", () => {
    expect(scaleOf(1_000_000, 26, 600)).toEqual({ height: 26_000_000, ratio: 1 });
  });

  test("beyond, the first and the last row are at the ends of the scroll bar", () => {
    const total = 10_000_000;
    const { height, ratio } = scaleOf(total, 26, 600);
    expect(height).toBeLessThan(2 ** 25);
    expect(windowOf(0, 600, 26, total).from).toBe(0);
    const last = windowOf((height - 600) * ratio, 600, 26, total, 0);
    expect(last.from + last.count).toBe(total);
  });
});

describe("bringing a row into sight", () => {
  test("a row in sight moves nothing", () => expect(scrollFor(5, 0, 260, 26)).toBe(0));
  test("a row above comes to the top", () => expect(scrollFor(2, 260, 260, 26)).toBe(52));
  test("a row below comes to the bottom", () => expect(scrollFor(10, 0, 260, 26)).toBe(26));
});
