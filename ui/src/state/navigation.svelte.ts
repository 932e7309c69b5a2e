/**
 * Where the person is, and what they came for. A view takes its intent once:
 * `$effect(() => { const intent = app.navigation.take("brokers"); if (intent) … })`.
 */

export const PLACES = ["overview", "inspector", "brokers", "relays", "tokens", "queue", "bucket", "settings"] as const;

export type Place = (typeof PLACES)[number];

/** What a place is asked to do on arrival. */
export type Intent = "new" | "import" | { edit: string };

/**
 * Stands in the way of leaving, for unsaved changes. It is handed what would happen, and either calls `leave` at once
 * or after asking.
 */
export type Guard = (leave: () => void) => void;

export class Navigation {
  place = $state<Place>("overview");
  #intent = $state<{ place: Place; intent: Intent } | null>(null);
  #guard: Guard | null = null;

  /** Goes to a place; a guard may ask first. Going where one already is only delivers the intent. */
  go(place: Place, intent?: Intent): void {
    const leave = () => {
      this.#guard = null;
      this.place = place;
      this.#intent = intent === undefined ? null : { place, intent };
    };
    if (this.#guard && (place !== this.place || intent !== undefined)) this.#guard(leave);
    else if (place !== this.place || intent !== undefined) leave();
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
