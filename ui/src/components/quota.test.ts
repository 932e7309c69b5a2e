import { expect, test } from "vitest";
import { scale } from "./quota";

const quota = (limit: number, allowance: number, used: number, others = 0) =>
  scale({ limit, allowance, used, others, relays: 1, resetsAt: 0, pacing: false, words: "" });

test("a minute is drawn to scale, with the reserve at its end", () => {
  expect(quota(5_000, 4_500, 450)).toEqual({ used: 0.09, others: 0, reserve: 0.1 });
  expect(quota(60, 60, 15)).toEqual({ used: 0.25, others: 0, reserve: 0 });
});

test("a small share of a large plan keeps half of the bar", () => {
  expect(quota(5_000, 60, 60)).toEqual({ used: 0.5, others: 0, reserve: 0.5 });
});

test("more than allowed fills the bar, and nothing allowed divides by nothing", () => {
  expect(quota(60, 60, 70).used).toBe(1);
  expect(quota(0, 0, 0)).toEqual({ used: 0, others: 0, reserve: 1 });
});

test("what others of the profile sent is drawn beside it, and not into what is left to everybody", () => {
  expect(quota(5_000, 4_500, 450, 900)).toEqual({ used: 0.09, others: 0.18, reserve: 0.1 });
  expect(quota(5_000, 60, 30, 4_000)).toEqual({ used: 0.25, others: 0.25, reserve: 0.5 });
});
