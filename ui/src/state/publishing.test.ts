import { expect, test } from "vitest";
import type { PublishProgress, SavedMessage } from "../backend/types";
import { FakePort, settled } from "./fake-port";
import { Frames } from "./frames";
import { blankMessage, Publishing } from "./publishing.svelte";

function progress(number: number, change: Partial<PublishProgress> = {}): PublishProgress {
  const base = { broker: "Plant", topic: "a", count: 3, sent: 0, taken: 0, done: false, words: "Connecting." };
  return { number, ...base, tone: "idle", responseTopic: null, pairs: [], ...change };
}

test("what would be sent follows the form", () => {
  const publishing = new Publishing(new FakePort().rpc, new Frames());
  publishing.draft.topic = "a";
  expect(publishing.request()).toEqual({
    brokerId: null,
    session: null,
    message: { ...blankMessage(), topic: "a" },
    repeat: null,
  });
  publishing.brokerId = "b";
  publishing.session = "7";
  publishing.repeats = true;
  expect(publishing.request()).toMatchObject({ brokerId: "b", session: 7, repeat: { count: "10", every: "1000" } });
});

test("progress goes forward only, newest publication first", async () => {
  const frames = new Frames();
  let number = 0;
  const port = new FakePort({ "publish.start": () => progress(++number) });
  const publishing = new Publishing(port.rpc, frames);
  await publishing.publish();
  frames.emit({ kind: "publish", ...progress(1, { sent: 3, taken: 3, done: true, words: "3 published." }) });
  // An answer that was on its way longer than the frame.
  frames.emit({ kind: "publish", ...progress(1, { sent: 1 }) });
  expect(publishing.sent[0]).toMatchObject({ done: true, sent: 3 });
  await publishing.publish();
  expect(publishing.sent.map((one) => one.number)).toEqual([2, 1]);
});

test("a check that was overtaken by a later one is dropped", async () => {
  const answers: ((size: number) => void)[] = [];
  const port = new FakePort({
    "publish.check": () =>
      new Promise((resolve) => answers.push((size) => resolve({ problems: [], mistake: null, size }))),
  });
  const publishing = new Publishing(port.rpc, new Frames());
  const looks = [publishing.look(), publishing.look()];
  await settled();
  answers[1]?.(2);
  answers[0]?.(1);
  await Promise.all(looks);
  expect(publishing.check?.size).toBe(2);
});

test("a kept message is replaced by the form it came from, unless kept anew", async () => {
  const kept: SavedMessage = { id: 5, folder: "plant", name: "start", message: { ...blankMessage(), topic: "go" } };
  const port = new FakePort({
    "messages.save": ({ id, folder, name, message }) => ({ id: id ?? 6, folder, name, message }),
    "messages.list": () => [kept],
    "messages.delete": () => null,
    "publish.check": () => ({ problems: [], mistake: null, size: 0 }),
  });
  const publishing = new Publishing(port.rpc, new Frames());
  publishing.take(kept);
  publishing.draft.payload = "x";
  expect(kept.message.payload).toBe("");
  await publishing.keep("plant", "start", false);
  expect(port.last("messages.save")).toMatchObject({ id: 5, message: { topic: "go", payload: "x" } });
  await publishing.keep("plant", "other", true);
  expect(port.last("messages.save")).toMatchObject({ id: null, name: "other" });
  await publishing.forget(6);
  expect(publishing.kept).toBeNull();
});

test("a message that was seen fills the form, with its properties", async () => {
  const properties = { ...blankMessage().properties, contentType: "text/plain" };
  const seen = { ...blankMessage(), topic: "seen", payload: "1", retain: true, properties };
  const port = new FakePort({
    "publish.again": () => seen,
    "publish.check": () => ({ problems: [], mistake: null, size: 1 }),
  });
  const publishing = new Publishing(port.rpc, new Frames());
  publishing.repeats = true;
  await publishing.takeSeen(7, true, "plant");
  expect(port.last("publish.again")).toEqual({ seq: 7, history: true });
  expect(publishing.request()).toMatchObject({ brokerId: "plant", message: seen, repeat: null });
  await publishing.takeSeen(8, false, null);
  expect(port.last("publish.again")).toEqual({ seq: 8 });
  expect(publishing.brokerId).toBe("plant");
});
