import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FilterCheck, Rpc } from "../../backend/types";
import { FilterWatch, PAUSE_MILLIS } from "./check.svelte";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("asks once after the last key", async () => {
  const asked: string[] = [];
  const rpc = ((_name: string, { text }: { text: string }) => {
    asked.push(text);
    return Promise.resolve({ problem: null, matches: [text], misses: [] });
  }) as unknown as Rpc;
  const watch = new FilterWatch(rpc);
  for (const text of ["p", "pl", "plant/#"]) watch.watch(text);
  await vi.advanceTimersByTimeAsync(PAUSE_MILLIS);
  expect(asked).toEqual(["plant/#"]);
  expect(watch.answer?.matches).toEqual(["plant/#"]);
});

test("an answer that was overtaken is dropped", async () => {
  const answers: ((check: FilterCheck) => void)[] = [];
  const rpc = (() => new Promise<FilterCheck>((resolve) => answers.push(resolve))) as unknown as Rpc;
  const watch = new FilterWatch(rpc);
  watch.watch("a");
  await vi.advanceTimersByTimeAsync(PAUSE_MILLIS);
  watch.watch("b");
  await vi.advanceTimersByTimeAsync(PAUSE_MILLIS);
  answers[1]?.({ problem: null, matches: ["b"], misses: [] });
  answers[0]?.({ problem: null, matches: ["a"], misses: [] });
  await vi.advanceTimersByTimeAsync(0);
  expect(watch.answer?.matches).toEqual(["b"]);
});
