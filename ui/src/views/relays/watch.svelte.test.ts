import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PAUSE_MILLIS, Watch } from "./watch.svelte";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("asks once after the last key", async () => {
  const asked: string[] = [];
  const watch = new Watch((text: string) => {
    asked.push(text);
    return Promise.resolve(`${text}!`);
  });
  for (const text of ["p", "pl", "plant/#"]) watch.watch(text);
  await vi.advanceTimersByTimeAsync(PAUSE_MILLIS);
  expect(asked).toEqual(["plant/#"]);
  expect(watch.answer).toBe("plant/#!");
});

test("an answer that was overtaken is dropped", async () => {
  const answers: ((answer: string) => void)[] = [];
  const watch = new Watch((_: string) => new Promise<string>((resolve) => answers.push(resolve)));
  watch.watch("a");
  await vi.advanceTimersByTimeAsync(PAUSE_MILLIS);
  watch.watch("b");
  await vi.advanceTimersByTimeAsync(PAUSE_MILLIS);
  answers[1]?.("b");
  answers[0]?.("a");
  await vi.advanceTimersByTimeAsync(0);
  expect(watch.answer).toBe("b");
});

test("a question that fails leaves no answer behind", async () => {
  const watch = new Watch((good: boolean) => (good ? Promise.resolve("yes") : Promise.reject(new Error("no"))));
  watch.watch(true);
  await vi.advanceTimersByTimeAsync(PAUSE_MILLIS);
  watch.watch(false);
  await vi.advanceTimersByTimeAsync(PAUSE_MILLIS);
  expect(watch.answer).toBeNull();
});
