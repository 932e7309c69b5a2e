// Owns the comparison of two drafts: which fields differ, and what becomes of a draft when its saved values change
// underneath. Drafts are plain JSON values.

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two JSON values are equal. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => same(item, b[at]));
  }
  if (isObject(a) && isObject(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => same(a[key], b[key]));
  }
  return false;
}

/** Paths of the fields that differ. Objects are looked into; an array counts one for each row that differs. */
export function changedPaths(before: unknown, after: unknown, path = ""): string[] {
  if (same(before, after)) return [];
  const below = (key: string | number) => (path === "" ? String(key) : `${path}.${key}`);
  if (Array.isArray(before) && Array.isArray(after)) {
    const rows = Math.max(before.length, after.length);
    return Array.from({ length: rows }, (_, at) => at)
      .filter((at) => !same(before[at], after[at]))
      .map(below);
  }
  // A tagged value (`{ kind: "set", value }`) is one field to the person who sees it.
  if (isObject(before) && isObject(after) && !("kind" in before)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => changedPaths(before[key], after[key], below(key)));
  }
  return [path];
}

/** The draft over newer saved values: what was edited stays, everything else follows. */
export function rebase<D extends object>(draft: D, before: D, after: D): D {
  const result: D = { ...after };
  for (const key of Object.keys(draft) as (keyof D)[]) {
    if (!same(draft[key], before[key])) result[key] = draft[key];
  }
  return result;
}
