import { expect, test } from "vitest";
import type { ChartPoints, ChartRequest } from "../backend/types";
import { Charts } from "./charts.svelte";
import { FakePort, settled } from "./fake-port";
import { Frames } from "./frames";

const points = (changed: Partial<ChartPoints> = {}): ChartPoints => ({
  revision: 1,
  step: 64,
  from: 0,
  until: 300_000_000,
  since: 0,
  settled: 299_000_000,
  series: [
    { number: 4, topic: "plant/1", path: "$.t", source: null, read: 1, without: 0, why: null, more: false, lines: [] },
  ],
  ...changed,
});

function charts(answer = points()) {
  const port = new FakePort({ "chart.points": () => answer, "chart.pick": () => null, "chart.remove": () => null });
  const frames = new Frames();
  return { port, frames, charts: new Charts(port.rpc, frames), last: () => port.last("chart.points") as ChartRequest };
}

test("only what is new is asked for while the chart is on the screen", async () => {
  const { port, frames, charts: chart, last } = charts();
  frames.emit({ kind: "chart", count: 1 });
  expect(port.count("chart.points"), "nobody sees it").toBe(0);
  chart.open = true;
  await chart.load();
  expect(last()).toEqual({ span: { is: "last", seconds: 300 }, steps: 600, known: null });
  for (let count = 0; count < 5; count++) frames.emit({ kind: "chart", count });
  await settled();
  expect(last().known).toEqual({ revision: 1, step: 64, settled: 299_000_000 });
  expect(port.count("chart.points"), "one question at a time").toBe(3);
});

test("a pause holds the part of time, and a zoom lies in it", async () => {
  const { port, frames, charts: chart, last } = charts();
  chart.open = true;
  await chart.load();
  chart.setPaused(true);
  await settled();
  expect(last()).toMatchObject({ span: { is: "between", from: 0, until: 300_000_000 }, known: null });
  const asked = port.count("chart.points");
  frames.emit({ kind: "chart", count: 2 });
  await settled();
  expect(port.count("chart.points")).toBe(asked);
  chart.zoomTo(1.5, 8.2);
  await settled();
  expect(last().span).toEqual({ is: "between", from: 1, until: 9 });
  chart.reset();
  chart.setPaused(false);
  await settled();
  expect(last().span).toEqual({ is: "last", seconds: 300 });
});

test("what is charted is known by topic and path", async () => {
  const { port, charts: chart } = charts();
  await chart.pick(7, "$.t", null);
  expect(port.last("chart.pick")).toEqual({ seq: 7, path: "$.t", decoder: null });
  expect([chart.charted("plant/1", "$.t"), chart.charted("plant/1", "$.u")]).toEqual([4, null]);
  chart.toggle(9);
  expect(chart.hidden.includes(9)).toBe(true);
  chart.toggle(9);
  expect(chart.hidden.includes(9)).toBe(false);
});

test("a failure is told, and the next answer is whole", async () => {
  const { port, charts: chart, last } = charts();
  chart.open = true;
  await chart.load();
  const answers = port.answers;
  port.answers = {};
  chart.follow();
  await settled();
  expect(chart.error?.message).toContain("chart.points");
  port.answers = answers;
  chart.follow();
  await settled();
  expect([chart.error, last().known]).toEqual([null, null]);
});
