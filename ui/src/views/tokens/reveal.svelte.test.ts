import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Rpc } from "../../backend/types";
import { Reveal, SHOWN_MILLIS } from "./reveal.svelte";

const rpc = ((_name: string, { id }: { id: string }) =>
  Promise.resolve({ value: `secret of ${id}` })) as unknown as Rpc;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("a token is hidden again after twenty seconds", async () => {
  const reveal = new Reveal(rpc);
  await reveal.toggle("a");
  expect(reveal.value).toBe("secret of a");
  vi.advanceTimersByTime(SHOWN_MILLIS - 1);
  expect(reveal.id).toBe("a");
  vi.advanceTimersByTime(1);
  expect(reveal.id).toBeNull();
  expect(reveal.value).toBe("");
});

test("only one is shown, and for its own time", async () => {
  const reveal = new Reveal(rpc);
  await reveal.toggle("a");
  vi.advanceTimersByTime(15_000);
  await reveal.toggle("b");
  vi.advanceTimersByTime(15_000);
  expect(reveal.id).toBe("b");
  await reveal.toggle("b");
  expect(reveal.id).toBeNull();
});
