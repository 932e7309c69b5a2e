import { expect, test } from "vitest";
import type { RecordingView, ReplayProgress } from "../backend/types";
import { FakePort } from "./fake-port";
import { Frames } from "./frames";
import { Recordings } from "./recordings.svelte";

function recording(change: Partial<RecordingView> = {}): RecordingView {
  const base = { number: 1, name: "a.ndjson", size: 5, read: 0, lines: 0, events: 0, givenUp: 0, broken: 0 };
  return { ...base, brokenLines: [], done: false, ...change };
}

function progress(change: Partial<ReplayProgress>): ReplayProgress {
  const base = { number: 1, broker: "Plant", messages: 3, sent: 0, taken: 0, refused: 0, refusals: [], next: null };
  return { ...base, pace: "most", paused: false, done: false, words: "", tone: "idle", ...change };
}

test("a file is handed over byte by byte and said to be at its end", async () => {
  const parts: { data: string; last: boolean }[] = [];
  const port = new FakePort({
    "recordings.begin": () => recording(),
    "recordings.add": ({ data, last }) => {
      parts.push({ data, last });
      return recording({ done: last });
    },
  });
  const recordings = new Recordings(port.rpc, new Frames());
  const begun: number[] = [];
  await recordings.read(new File([new Uint8Array([0, 255, 10, 65])], "a.ndjson"), (number) => begun.push(number));
  expect(begun).toEqual([1]);
  expect(parts).toEqual([{ data: "AP8KQQ==", last: true }]);
  expect(recordings.open?.done).toBe(true);
});

test("an export that failed is over", async () => {
  const port = new FakePort({
    "capture.export": () => {
      throw { code: "failed", message: "No space.", problems: [], users: [] };
    },
  });
  const recordings = new Recordings(port.rpc, new Frames());
  const writing = recordings.write({ of: { is: "view", view: 1 }, format: "csv", folder: "" });
  expect(recordings.exporting?.number).toBe(1);
  await expect(writing).rejects.toMatchObject({ message: "No space." });
  expect(recordings.exporting).toBeNull();
});

test("a replay's progress goes forward only", async () => {
  const frames = new Frames();
  const recordings = new Recordings(new FakePort({ "replay.act": () => progress({ sent: 1 }) }).rpc, frames);
  frames.emit({ kind: "replay", ...progress({ sent: 2 }) });
  await recordings.act("pause");
  expect(recordings.replay?.sent).toBe(2);
  frames.emit({ kind: "replay", ...progress({ sent: 3, done: true }) });
  frames.emit({ kind: "replay", ...progress({ sent: 2 }) });
  expect(recordings.replay).toMatchObject({ sent: 3, done: true });
});
