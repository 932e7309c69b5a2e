import { expect, test } from "vitest";
import type { DeadLetterRequest, DeadLetters, Rpc } from "../../backend/types";
import { Letters, PAGE } from "./letters.svelte";

function answering(answers: (request: DeadLetterRequest) => Promise<DeadLetters>): Rpc {
  return ((_name: string, request: DeadLetterRequest) => answers(request)) as unknown as Rpc;
}

test("choosing a relay begins at its first page", async () => {
  const asked: DeadLetterRequest[] = [];
  const letters = new Letters(
    answering((request) => {
      asked.push(request);
      return Promise.resolve({ total: 0, letters: [] });
    }),
  );
  letters.from = 200;
  await letters.choose("r");
  expect(asked).toEqual([{ relayId: "r", from: 0, count: PAGE }]);
});

test("a page that emptied leads back to the first", async () => {
  const letters = new Letters(answering(() => Promise.resolve({ total: 3, letters: [] })));
  await letters.turn(PAGE);
  expect(letters.from).toBe(0);
});

test("an answer that was overtaken is dropped", async () => {
  const open: ((value: DeadLetters) => void)[] = [];
  const letters = new Letters(answering(() => new Promise((resolve) => open.push(resolve))));
  const first = letters.load();
  const second = letters.load();
  open[1]?.({ total: 2, letters: [] });
  open[0]?.({ total: 1, letters: [] });
  await Promise.all([first, second]);
  expect(letters.value?.total).toBe(2);
});
