// Owns the engine's word on something that is being typed: asked a moment after the last key, and the newest answer
// wins.

export const PAUSE_MILLIS = 150;

export class Watch<Q, A> {
  /** The last answer; stays while the next one is on its way. */
  answer = $state.raw<A | null>(null);
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #ask: (question: Q) => Promise<A>;

  constructor(ask: (question: Q) => Promise<A>) {
    this.#ask = ask;
  }

  /** Takes it as it stands now. */
  watch(question: Q): void {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    this.#timer = setTimeout(() => {
      this.#ask(question).then(
        (answer) => {
          if (asked === this.#asked) this.answer = answer;
        },
        () => {
          // Saving says what is wrong as well; while typing, silence is enough.
          if (asked === this.#asked) this.answer = null;
        },
      );
    }, PAUSE_MILLIS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#asked++;
  }
}
