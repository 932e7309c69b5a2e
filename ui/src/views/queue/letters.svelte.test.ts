import { expect, test } from "vitest";
import type { LetterRow, Letters as Answer, LettersRequest } from "../../backend/types";
import { FakePort } from "../../state/fake-port";
import { Letters } from "./letters.svelte";

function row(id: number): LetterRow {
  return {
    id,
    relay: "Plant",
    topic: `t/${id}`,
    qos: 1,
    retain: false,
    size: 3,
    receivedAt: 1,
    diedAt: 2,
    reason: "400",
    status: 400,
    attempts: 1,
    edited: false,
    preview: "abc",
  };
}

/** A port that holds `total` letters with the numbers from `total` down to 1. */
function holding(total: number): FakePort {
  const answer = ({ before, skip, count }: LettersRequest): Answer => {
    const length = before === null ? total : Math.min(total, before - 1);
    const ids = Array.from({ length }, (_, index) => length - index).slice(skip, skip + count);
    return { total, length, newest: total, statuses: [], letters: ids.map(row) };
  };
  return new FakePort({
    "queue.letters": answer,
    "queue.resend": () => ({ count: 1, words: "1 message is sent again.", tone: "ok" }),
  });
}

test("rows are found by their index wherever the list is", async () => {
  const port = holding(10_000);
  const letters = new Letters(port.rpc);
  await letters.load();
  expect(letters.row(0)?.id).toBe(10_000);
  letters.show(5_000, 20);
  await letters.load();
  expect(letters.row(5_000)?.id).toBe(5_000);
  expect(letters.row(0)).toBeUndefined();
});

test("a list that is being read is not moved by what comes", async () => {
  const port = holding(10);
  const letters = new Letters(port.rpc);
  await letters.load();
  letters.hold();
  port.answers = holding(12).answers;
  await letters.load();
  expect([letters.row(0)?.id, letters.length, letters.newer]).toEqual([10, 10, 2]);
  letters.release();
  await letters.load();
  expect(letters.row(0)?.id).toBe(12);
});

test("ticking all means what was there then, without the exceptions", async () => {
  const port = holding(10);
  const letters = new Letters(port.rpc);
  await letters.load();
  letters.tickAll();
  letters.toggle(4);
  expect(letters.ticked).toBe(9);
  port.answers = holding(12).answers;
  await letters.load();
  expect([letters.ticked, letters.isTicked(11), letters.isTicked(4), letters.isTicked(5)]).toEqual([
    9,
    false,
    false,
    true,
  ]);
  const filter = { relayId: null, text: "", status: null };
  expect(letters.choice()).toEqual({ kind: "matching", filter, upto: 10, except: [4] });
});

test("nothing ticked means everything of the filter; ticks end with a new filter and with a move", async () => {
  const port = holding(10);
  const letters = new Letters(port.rpc);
  await letters.choose({ text: "pump" });
  const filter = { relayId: null, text: "pump", status: null };
  expect(letters.choice()).toEqual({ kind: "matching", filter, upto: 10, except: [] });
  letters.toggle(3);
  expect(letters.choice()).toEqual({ kind: "these", ids: [3] });
  await letters.resend(letters.choice());
  expect([port.last("queue.resend"), letters.ticked]).toEqual([{ kind: "these", ids: [3] }, 0]);
  letters.toggle(3);
  await letters.choose({ text: "" });
  expect(letters.ticked).toBe(0);
});
