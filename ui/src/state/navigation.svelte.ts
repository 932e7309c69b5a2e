/**
 * Where the person is, and what they came for. A view takes its intent once:
 * `$effect(() => { const intent = app.navigation.take("brokers"); if (intent) … })`.
 */

export const PLACES = [
  "overview",
  "inspector",
  "brokers",
  "taps",
  "relays",
  "tokens",
  "queue",
  "bucket",
  "publish",
  "settings",
] as const;

export type Place = (typeof PLACES)[number];

/** What a place is asked to do on arrival. */
export type Intent = "new" | "import" | "list" | { edit: string };

/**
 * Stands in the way of leaving, for unsaved changes. It is handed what would happen, and either calls `leave` at once
 * or after asking.
 */
export type Guard = (leave: () => void) => void;

export class Navigation {
  place = $state<Place>("overview");
  #intent = $state<{ place: Place; intent: Intent } | null>(null);
  #guard: Guard | null = null;

  /** Goes to a place; a guard may ask first. Going where one already is means its list, out of any form. */
  go(place: Place, intent?: Intent): void {
    const wanted = intent ?? (place === this.place ? "list" : null);
    const leave = () => {
      this.#guard = null;
      this.place = place;
      this.#intent = wanted === null ? null : { place, intent: wanted };
    };
    if (this.#guard) this.#guard(leave);
    else leave();
  }

  /** The intent for this place, once. Reading it in an effect runs the effect again when a new one comes. */
  take(place: Place): Intent | null {
    const waiting = this.#intent;
    if (waiting?.place !== place) return null;
    this.#intent = null;
    return waiting.intent;
  }

  /** Puts a guard in the way until the returned function is called. */
  guard(guard: Guard): () => void {
    this.#guard = guard;
    return () => {
      if (this.#guard === guard) this.#guard = null;
    };
  }
}
