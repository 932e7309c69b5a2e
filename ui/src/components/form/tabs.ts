// Owns which field of a form lies on which tab, so that a problem is never hidden.

export interface FormTab<T extends string> {
  value: T;
  label: string;
  /** Paths of its fields; what lies below a path belongs to it. */
  fields: readonly string[];
}

/** The tab to show after a refusal: the one that is open when it has a problem, else the first that has one. */
export function problemTab<T extends string>(tabs: readonly { value: T; problems: number }[], open: T): T {
  const bad = tabs.filter(({ problems }) => problems > 0);
  return (bad.find(({ value }) => value === open) ?? bad[0])?.value ?? open;
}
