// Owns how a typed budget becomes the number that the engine judges.

/** Whole megabytes as typed. What is no whole number becomes 0, which the engine refuses with its own words. */
export function megabytes(typed: string): number {
  const text = typed.trim();
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}
