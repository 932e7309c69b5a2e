/** The geometry of the plan's minute. */
import type { QuotaStatus } from "../backend/types";

/**
 * Parts of the bar, 0 to 1. It is drawn to scale while this relay has at least half of the plan; a smaller share keeps
 * one half, or a relay with a slow pace on a large plan would be a hair's breadth.
 */
export function scale({ limit, allowance, used, others }: QuotaStatus): {
  used: number;
  others: number;
  reserve: number;
} {
  const whole = Math.max(1, allowance, Math.min(limit, allowance * 2));
  const own = Math.min(used, whole);
  // What others sent beyond this relay's share is not drawn into what is left to them.
  const theirs = Math.max(0, Math.min(others, Math.max(own, allowance) - own));
  return { used: own / whole, others: theirs / whole, reserve: (whole - allowance) / whole };
}
