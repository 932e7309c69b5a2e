/**
 * Must be imported before anything that formats. With LANG=C the web view calls its language "C", which is no language
 * tag, and every `Intl` constructor given it throws. English stands in for it.
 */
export const FALLBACK = "en-US";

/** The person's language, or English when the system's is no language tag. */
export function usable(language: string | undefined): string {
  try {
    return Intl.getCanonicalLocales(language ?? FALLBACK)[0] ?? FALLBACK;
  } catch {
    return FALLBACK;
  }
}

const language = usable(navigator.language);
if (language !== navigator.language) {
  Object.defineProperty(navigator, "language", { value: language, configurable: true });
  Object.defineProperty(navigator, "languages", { value: [language], configurable: true });
}
