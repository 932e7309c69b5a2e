import { expect, test } from "vitest";
import type { Row } from "../backend/types";
import { FakePort, settled } from "./fake-port";
import { HistorySearch } from "./history.svelte";

const row = (seq: number): Row => ({
  seq,
  at: seq,
  kind: "publish",
  group: "publish",
  tone: "publish",
  source: "Plant",
  client: "press",
  topic: "plant",
  preview: "",
  size: 1,
  qos: 0,
  retain: false,
  messageId: null,
});

/** A history of `total` events, all of them found, of which one call looks through at most 150. */
function filled(total: number) {
  const port = new FakePort({
    "history.search": ({ before, count }) => {
      const newest = (before ?? total + 1) - 1;
      const length = Math.min(count, 150, newest);
      const rows = Array.from({ length }, (_, at) => row(newest - at));
      const next = newest - length;
      return { rows, next: next === 0 ? null : next + 1, looked: (total - next) / total, reached: next };
    },
  });
  return { port, history: new HistorySearch(port.rpc) };
}

/** Scrolls down to the end. */
async function toEnd(history: HistorySearch) {
  for (let at = 0; !history.done; at++) {
    if (at > 200) throw new Error("no end");
    history.show(Math.max(0, history.length - 30), 30);
    await settled();
  }
}

test("pages are asked for by key as the list is scrolled, and only then", async () => {
  const { port, history } = filled(1_000);
  history.show(0, 30);
  await history.search("kind:publish");
  expect([history.length, history.done, history.row(149)?.seq]).toEqual([150, false, 851]);
  history.show(120, 30);
  await settled();
  expect(history.length).toBe(350);
  expect(port.last("history.search")).toEqual({ line: "kind:publish", before: 801, count: 200 });
  await toEnd(history);
  expect([history.length, history.looked, history.row(999)?.seq]).toEqual([1_000, 1, 1]);
  expect(history.neighbour(1, 1)).toEqual({ seq: 1, index: 999 });
  expect(history.neighbour(500, -1)).toEqual({ seq: 501, index: 499 });
});

test("pages far from the screen are forgotten and asked for again", async () => {
  const { port, history } = filled(8_000);
  history.show(0, 30);
  await history.search("");
  await toEnd(history);
  expect([history.length, history.row(0)]).toEqual([8_000, undefined]);
  const asked = port.count("history.search");
  history.show(0, 30);
  for (let at = 0; at < 20 && !history.row(0); at++) await settled();
  expect([history.row(0)?.seq, history.length, port.count("history.search") - asked]).toEqual([8_000, 8_000, 2]);
});

test("a search that finds nothing says how far it is, can be stopped and goes on", async () => {
  const { port, history } = filled(1_000);
  let calls = 0;
  port.answers["history.search"] = ({ before }) => {
    calls++;
    if (calls === 2) history.stop();
    const next = (before ?? 1_001) - 100;
    return { rows: [], next: next <= 1 ? null : next, looked: (1_001 - next) / 1_000, reached: next };
  };
  history.show(0, 30);
  await history.search("nothing");
  expect([calls, history.stopped, history.done, history.looked, history.reached]).toEqual([2, true, false, 0.2, 801]);
  await history.goOn();
  expect([calls, history.done, history.searching, history.length]).toEqual([10, true, false, 0]);
});

test("a later search overtakes an earlier one", async () => {
  const { port, history } = filled(10);
  let release: () => void = () => undefined;
  const answer = port.answers["history.search"];
  port.answers["history.search"] = async (request) => {
    if (request.line === "slow") await new Promise<void>((resolve) => (release = resolve));
    if (!answer) throw new Error("no answer");
    return answer(request);
  };
  history.show(0, 30);
  const slow = history.search("slow");
  await history.search("quick");
  release();
  await slow;
  expect([history.length, history.done, history.searching]).toEqual([10, true, false]);
});

test("the first events of all are found without asking", async () => {
  const { port, history } = filled(0);
  let events = 0;
  port.answers["history.search"] = () => ({
    rows: events > 0 ? [row(1)] : [],
    next: null,
    looked: 1,
    reached: null,
  });
  port.answers["history.status"] = () => ({
    recording: true,
    bytes: 0,
    budget: 1,
    events,
    oldest: null,
    newest: null,
    missed: 0,
    notice: null,
  });
  history.show(0, 30);
  await history.load();
  await history.search("");
  expect(history.length).toBe(0);
  events = 1;
  await history.load();
  expect(history.length).toBe(1);
});
