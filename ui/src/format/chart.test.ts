import { expect, test } from "vitest";
import type { ChartLine, ChartPoints } from "../backend/types";
import { columns, linesOf, merged, scaleOf, tick, value, valueAt } from "./chart";

const line = (number: number, points: [number, number | null][]): ChartLine => ({
  number,
  topic: "plant/1",
  source: "Plant",
  count: points.length,
  last: 1,
  lastAt: 0,
  range: null,
  scale: number,
  times: points.map(([at]) => at),
  values: points.map(([, value]) => value),
});

const points = (since: number, lines: ChartLine[], from = 0): ChartPoints => ({
  revision: 1,
  step: 1,
  from,
  until: 100,
  since,
  settled: 0,
  series: [
    { number: 1, topic: "plant/1", path: "$.t", source: null, read: 1, without: 0, why: null, more: false, lines },
  ],
});

const drawn = (all: ChartPoints) => linesOf(all).map(({ line }) => line.times.map((at, i) => [at, line.values[i]]));

test("what is new replaces what was not settled, and what left the edge goes, but for one point", () => {
  const before = points(0, [
    line(1, [
      [10, 1],
      [20, 2],
      [30, 3],
      [40, 4],
    ]),
    line(2, [[10, 9]]),
  ]);
  const answer = points(
    30,
    [
      line(1, [
        [20, 2],
        [30, 5],
        [50, 6],
      ]),
      line(3, [[40, 7]]),
    ],
    25,
  );
  expect(drawn(merged(before, answer))).toEqual([
    [
      [20, 2],
      [30, 5],
      [50, 6],
    ],
    [[40, 7]],
  ]);
  const slow = merged(points(0, [line(1, [[10, 1]])]), points(90, [line(1, [])], 50));
  expect(drawn(slow), "the last point stays, so that its line does").toEqual([[[10, 1]]]);
  expect(merged(before, points(0, [])).series[0]?.lines).toEqual([]);
});

test("lines share one list of times; a gap is null, no point is undefined", () => {
  const lines = [
    line(1, [
      [1_000, 1],
      [3_000, null],
      [3_500, 2],
    ]),
    line(2, [[2_000, 5]]),
  ];
  expect(columns(lines)).toEqual([
    [1, 2, 3, 3.5],
    [1, undefined, null, 2],
    [undefined, 5, undefined, undefined],
  ]);
});

test("the value at a time is the last before it, and none in a gap", () => {
  const one = line(1, [
    [10, 1],
    [20, 2],
    [29, null],
    [30, 3],
  ]);
  expect([5, 10, 25, 29, 99].map((at) => valueAt(one, at))).toEqual([null, 1, 2, null, 3]);
});

test("scales are shared as the engine says, as one, or not at all", () => {
  const one = line(3, []);
  expect([scaleOf(one, 7, "auto"), scaleOf(one, 7, "one"), scaleOf(one, 7, "each")]).toEqual(["y3", "y0", "y7"]);
});

test("numbers and times are as exact as they have to be", () => {
  expect([71.4, 1480, 0, 1e-7, 123456789, 0.1 + 0.2].map(value)).toEqual([
    "71.4",
    "1,480",
    "0",
    "1e-7",
    "123,456,789",
    "0.3",
  ]);
  const at = new Date(2026, 10, 21, 14, 2, 11, 846).getTime();
  expect([1, 1_000, 60_000, 86_400_000].map((distance) => tick(at, distance))).toEqual([
    "14:02:11.846",
    "14:02:11",
    "14:02",
    "2026-11-21",
  ]);
});
