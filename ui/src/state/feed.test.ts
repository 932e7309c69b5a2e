import { beforeEach, describe, expect, test } from "vitest";
import type { EventDetail, FilterReading, KindName, Row, ViewFrame } from "../backend/types";
import { FakePort, settled } from "./fake-port";
import { FeedView } from "./feed.svelte";
import { Frames } from "./frames";
import { Selection } from "./selection.svelte";

const row = (seq: number): Row => ({
  seq,
  at: seq,
  kind: "publish",
  group: "publish",
  tone: "publish",
  source: "Plant",
  client: "press-03",
  topic: "plant/3",
  preview: "",
  size: 0,
  qos: 0,
  retain: false,
  messageId: "m",
});

const frame = (changed: Partial<ViewFrame> = {}): ViewFrame => ({
  view: 7,
  total: 1_000,
  waiting: 0,
  paused: false,
  recorded: 1_000,
  looked: 0,
  toLook: 0,
  gone: 0,
  evicted: 0,
  notTaken: 0,
  rate: 10,
  ...changed,
});

const detail = (seq: number): EventDetail => ({
  row: row(seq),
  title: "[MQTT] Device publish",
  fields: [],
  payload: null,
  journey: [],
});

/** A line as the engine reads it: here only kinds are told. */
const reading = (line: string, kinds: KindName[] = []): FilterReading => ({
  line,
  filter: { terms: [] },
  kinds,
  muted: [],
  mistakes: [],
});
const opened = (changed: Partial<ViewFrame> = {}) => ({ frame: frame(changed), reading: reading("") });

let port: FakePort;
let frames: Frames;
let feed: FeedView;

/** Newest first: row 0 has the number 1000. */
const rows = ({ from, count }: { from: number; count: number }) => ({
  total: 1_000,
  newer: 0,
  rows: Array.from({ length: Math.min(count, 1_000 - from) }, (_, i) => row(1_000 - from - i)),
});

beforeEach(() => {
  port = new FakePort({ "feed.open": () => opened(), "feed.rows": rows });
  frames = new Frames();
  feed = new FeedView(port.rpc, frames);
});

describe("the view of the feed", () => {
  test("asks for the rows on the screen only", async () => {
    await feed.open();
    expect(port.count("feed.rows")).toBe(0);
    feed.show(10, 30);
    await settled();
    expect(port.last("feed.rows")).toEqual({ view: 7, from: 10, count: 30 });
    expect(feed.from).toBe(10);
    expect(feed.rows.map(({ seq }) => seq)[0]).toBe(990);
  });

  test("lists no more rows than the cap", async () => {
    await feed.open();
    expect(feed.length).toBe(1_000);
    expect(feed.older).toBe(0);
    feed.cap = 25;
    expect(feed.length).toBe(25);
    expect(feed.older).toBe(975);
  });

  test("many frames during one fetch lead to one more fetch", async () => {
    await feed.open();
    feed.show(0, 10);
    for (let i = 0; i < 50; i++) frames.emit({ kind: "view", ...frame({ total: 1_000 + i }) });
    await settled();
    expect(port.count("feed.rows")).toBe(2);
  });

  test("a frame that was told before a click was answered does not take the click back", async () => {
    const shows: (() => Promise<void>)[] = [];
    feed = new FeedView(port.rpc, frames, (show) => shows.push(show));
    await feed.open();
    port.answers["feed.pause"] = ({ paused }) => frame({ paused });
    frames.emit({ kind: "view", ...frame({ total: 1_001 }) });
    await feed.setPaused(true);
    await shows[0]?.();
    expect(feed.paused).toBe(true);
    frames.emit({ kind: "view", ...frame({ paused: true, waiting: 5 }) });
    await shows[1]?.();
    expect(feed.frame?.waiting).toBe(5);
  });

  test("a frame of another view changes nothing", async () => {
    await feed.open();
    frames.emit({ kind: "view", ...frame({ view: 8, total: 5 }) });
    expect(feed.frame?.total).toBe(1_000);
  });

  test("a chip and what is typed become one line, which the engine writes", async () => {
    port.answers["filters.edit"] = ({ line }) => reading(`${line} kind:publish`, ["publish"]);
    port.answers["feed.open"] = ({ line }) => ({ frame: frame(), reading: reading(line, ["publish"]) });
    await feed.open();
    await feed.search("temp");
    await feed.toggle("publish");
    expect(port.last("filters.edit")).toEqual({
      line: "temp",
      edit: { is: "toggle", field: "kind", value: "publish" },
    });
    expect(port.last("feed.open")).toEqual({ view: 7, line: "temp kind:publish", look: "feed" });
    expect(feed.kinds).toEqual(["publish"]);
    expect(feed.filtered).toBe(true);
    await feed.resetFilter();
    expect(port.last("feed.open")).toEqual({ view: 7, line: "", look: "feed" });
  });

  test("a part of time is written into the line, and taken out of it", async () => {
    port.answers["filters.edit"] = ({ line, edit }) =>
      reading(edit.is === "put" ? `${line} ${edit.field}:${edit.value}`.trim() : line, []);
    await feed.open();
    await feed.search("temp");
    await feed.during({ since: 1_000, until: 2_000 });
    expect(feed.line).toBe("temp since:@1000 until:@2000");
    expect(port.last("feed.open")).toEqual({ view: 7, line: feed.line, look: "feed" });
    await feed.during(null);
    expect(port.last("filters.edit")).toMatchObject({ edit: { is: "put", field: "until", value: "" } });
  });

  test("a mistake is told, and the view stays as it was", async () => {
    await feed.open();
    const mistakes = [{ from: 0, to: 3, message: "There is no field “knd”." }];
    port.answers["feed.open"] = ({ line }) => ({
      frame: null,
      reading: { line, filter: null, kinds: [], muted: [], mistakes },
    });
    await feed.search("knd:publish");
    expect(feed.mistakes).toEqual(mistakes);
    expect(feed.frame?.view).toBe(7);
    expect(feed.error).toBeNull();
  });

  test("pausing is the engine's answer, not a guess", async () => {
    port.answers["feed.pause"] = ({ paused }) => frame({ paused, waiting: 0 });
    await feed.open();
    await feed.setPaused(true);
    expect(feed.paused).toBe(true);
    frames.emit({ kind: "view", ...frame({ paused: true, waiting: 1_204 }) });
    expect(feed.frame?.waiting).toBe(1_204);
  });

  test("a failure is kept, and the next success clears it", async () => {
    port.answers["feed.open"] = () => {
      throw { code: "failed", message: "No.", problems: [], users: [] };
    };
    await feed.open();
    expect(feed.error?.message).toBe("No.");
    port.answers["feed.open"] = () => opened();
    await feed.open();
    expect(feed.error).toBeNull();
  });

  test("a view that the engine forgot is opened anew", async () => {
    await feed.open();
    port.answers["feed.rows"] = (request) => {
      if (request.view === 7) throw { code: "notFound", message: "Gone.", problems: [], users: [] };
      return rows(request);
    };
    port.answers["feed.open"] = () => opened({ view: 9 });
    feed.show(0, 10);
    await settled();
    expect(feed.frame?.view).toBe(9);
    expect(feed.error).toBeNull();
    expect(feed.rows).toHaveLength(10);
  });

  test("while the screen is elsewhere nothing is asked for", async () => {
    await feed.open();
    feed.show(0, 10);
    await settled();
    feed.hide();
    const before = port.count("feed.rows");
    frames.emit({ kind: "view", ...frame() });
    await settled();
    expect(port.count("feed.rows")).toBe(before);
  });
});

describe("a list that the reader has scrolled", () => {
  /** The engine's view: numbers from the newest to the oldest. */
  let seqs: number[];
  const come = async (...fresh: number[]) => {
    seqs = [...fresh.reverse(), ...seqs];
    frames.emit({ kind: "view", ...frame({ total: seqs.length }) });
    await settled();
  };
  const onScreen = () => Array.from({ length: 10 }, (_, i) => feed.rows[20 + i - feed.from]?.seq);

  beforeEach(async () => {
    seqs = Array.from({ length: 1_000 }, (_, i) => 1_000 - i);
    port.answers["feed.rows"] = ({ from, count, anchor }) => {
      const place = anchor ? seqs.filter((seq) => seq > anchor.seq).length : 0;
      const newer = Math.max(0, place - (anchor?.index ?? 0));
      return { total: seqs.length, newer, rows: seqs.slice(newer + from, newer + from + count).map(row) };
    };
    await feed.open();
    feed.show(20, 10);
    await settled();
    feed.hold();
  });

  test("stands still while newer events come, and counts them", async () => {
    const before = onScreen();
    await come(1_001, 1_002, 1_003);
    expect(onScreen()).toEqual(before);
    expect(feed.held).toBe(3);
    expect(feed.length).toBe(1_000);
    feed.cap = 100;
    expect(feed.length).toBe(100);
    expect(feed.older).toBe(900);
  });

  test("stands still when old events go at the same time, as they do at the budget", async () => {
    const before = onScreen();
    seqs = seqs.slice(0, -500);
    await come(...Array.from({ length: 500 }, (_, i) => 1_001 + i));
    expect(onScreen()).toEqual(before);
    expect(feed.held).toBe(500);
  });

  test("asks once, however many come meanwhile", async () => {
    const before = [onScreen(), port.count("feed.rows")] as const;
    await come(...Array.from({ length: 20_000 }, (_, i) => 1_001 + i));
    expect(onScreen()).toEqual(before[0]);
    expect(port.count("feed.rows")).toBe(before[1] + 1);
  });

  test("goes on from the oldest kept when what it showed is gone", async () => {
    seqs = [];
    await come(...Array.from({ length: 50 }, (_, i) => 2_001 + i));
    await come(2_051);
    expect(feed.rows.length).toBeGreaterThan(0);
    expect(feed.held).toBeGreaterThan(0);
  });

  test("can be read further down", async () => {
    await come(1_001, 1_002);
    feed.show(60, 10);
    await settled();
    expect(feed.rows[60 - feed.from]?.seq).toBe(940);
    expect(feed.held).toBe(2);
  });

  test("shows the newest once it is released, cleared or filtered", async () => {
    await come(1_001, 1_002);
    feed.release();
    await settled();
    expect(feed.held).toBeNull();
    expect(feed.rows[0]?.seq).toBe(982);
    feed.hold();
    await feed.search("publish");
    expect(feed.held).toBeNull();
  });
});

test("where a key leads is asked of the engine, within what the list shows", async () => {
  await feed.open();
  feed.show(0, 10);
  await settled();
  port.answers["feed.step"] = () => ({ seq: 999, index: 1 });
  feed.cap = 100;
  expect(await feed.neighbour(1_000, 1)).toEqual({ seq: 999, index: 1 });
  expect(port.last("feed.step")).toEqual({ view: 7, seq: 1_000, step: 1, most: 100 });
  feed.cap = "all";
  feed.hold();
  await feed.neighbour(null, -1);
  expect(port.last("feed.step")).toEqual({
    view: 7,
    seq: null,
    step: -1,
    most: 0xffff_ffff,
    anchor: { seq: 995, index: 5 },
  });
});

describe("the selected event", () => {
  test("is asked for once it is opened, and follows the selection", async () => {
    port.answers["feed.event"] = ({ seq }) => detail(seq);
    const selection = new Selection(port.rpc, frames);
    selection.select(5);
    expect(port.count("feed.event")).toBe(0);
    await selection.show(5);
    expect(selection.detail?.row.seq).toBe(5);
    selection.select(6);
    await settled();
    expect(selection.detail?.row.seq).toBe(6);
    selection.close();
    expect(selection.detail).toBeNull();
    expect(selection.seq).toBe(6);
  });

  test("an answer that was overtaken is dropped", async () => {
    const waiting = new Map<number, (detail: EventDetail) => void>();
    port.answers["feed.event"] = ({ seq }) => new Promise((resolve) => waiting.set(seq, resolve));
    const selection = new Selection(port.rpc, frames);
    void selection.show(1);
    void selection.show(2);
    waiting.get(2)?.(detail(2));
    await settled();
    waiting.get(1)?.(detail(1));
    await settled();
    expect(selection.detail?.row.seq).toBe(2);
  });

  test("an event that is no longer kept says so", async () => {
    port.answers["feed.event"] = () => {
      throw { code: "notFound", message: "This event is no longer kept.", problems: [], users: [] };
    };
    const selection = new Selection(port.rpc, frames);
    await selection.show(1);
    expect(selection.error?.message).toBe("This event is no longer kept.");
  });
});
