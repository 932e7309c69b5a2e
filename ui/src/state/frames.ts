/** Hands each pushed frame to whoever listens for its kind. Knows nothing of what the frames mean. */
import type { Frame } from "../backend/types";

type Kind = Frame["kind"];
type Of<K extends Kind> = Extract<Frame, { kind: K }>;

export class Frames {
  readonly #listeners = new Map<Kind, Set<(frame: Frame) => void>>();

  /** Calls `listener` with every frame of the kind, until the returned function is called. */
  on<K extends Kind>(kind: K, listener: (frame: Of<K>) => void): () => void {
    const set = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, set);
    const entry = (frame: Frame) => listener(frame as Of<K>);
    set.add(entry);
    return () => set.delete(entry);
  }

  /** Hands a frame out. */
  emit(frame: Frame): void {
    for (const listener of [...(this.#listeners.get(frame.kind) ?? [])]) listener(frame);
  }
}
