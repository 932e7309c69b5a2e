import { beforeEach, expect, test } from "vitest";
import type { DecodedEvent } from "../backend/types";
import { FakePort, settled } from "./fake-port";
import { PayloadText } from "./lines.svelte";
import { Reading } from "./reading.svelte";

const read: DecodedEvent = {
  choice: { decoder: { kind: "text" }, why: { kind: "payload" }, words: "no rule: shown as text" },
  decoded: null,
  error: null,
  numbers: [],
  previous: 4,
  kept: null,
};

let port: FakePort;
beforeEach(() => {
  port = new FakePort({
    "decode.event": () => read,
    "decode.diff": () => ({ lines: [], same: true, notes: [] }),
    "decode.lines": ({ from, count }) => ({
      total: 1_000,
      lines: Array.from({ length: count }, (_, at) => `line ${from + at}`),
    }),
  });
});

test("a chosen decoder stays for messages of the same topic", async () => {
  const reading = new Reading(port.rpc);
  await reading.show(5, "plant/1");
  await reading.choose({ kind: "cbor", schema: null, message: "", inner: null });
  await reading.show(6, "plant/1");
  expect(port.last("decode.event")).toMatchObject({ seq: 6, decoder: { kind: "cbor" } });
  await reading.show(7, "plant/2");
  expect(port.last("decode.event")).toEqual({ seq: 7, decoder: null });
});

test("an event is compared with the one before, or with the pinned one", async () => {
  const reading = new Reading(port.rpc);
  await reading.show(5, "plant/1");
  expect(reading.left).toBe(4);
  reading.pinned = 2;
  await reading.compare();
  expect(port.last("decode.diff")).toEqual({ left: 2, right: 5, decoder: null });
  reading.pinned = 5;
  expect(reading.left).toBe(4);
});

test("lines on the screen are asked for, and no others", async () => {
  const text = new PayloadText(port.rpc);
  await text.open({ seq: 5, decoder: null, form: "pretty", columns: 60 });
  text.show(700, 30);
  await settled();
  expect([text.total, text.from, text.lines[0], text.lines.length]).toEqual([1_000, 700, "line 700", 30]);
});
