/**
 * Short notices at the edge of the window. Failures stay until they are closed, and offers as long as they hold; the rest
 * leave by themselves.
 */
import { asApiError, type Tone } from "../backend/types";

export interface Toast {
  id: number;
  tone: Tone;
  text: string;
  /** What can be done about it, once. */
  offer?: { label: string; run: () => void };
}

const STAYS = 4_000;
const MOST = 4;

export class Toasts {
  items = $state<Toast[]>([]);
  #next = 1;

  /** Shows a notice and returns its number. */
  show(text: string, tone: Tone = "ok"): number {
    const id = this.#next++;
    this.items = [...this.items, { id, tone, text }].slice(-MOST);
    if (tone !== "bad") setTimeout(() => this.dismiss(id), STAYS);
    return id;
  }

  /** Shows a notice with something that can be done about it for a while. */
  offer(text: string, label: string, millis: number, run: () => void): number {
    const id = this.#next++;
    const taken = () => {
      this.dismiss(id);
      run();
    };
    this.items = [...this.items, { id, tone: "ok" as const, text, offer: { label, run: taken } }].slice(-MOST);
    setTimeout(() => this.dismiss(id), millis);
    return id;
  }

  /** Shows what a rejected call said. */
  failed(error: unknown): void {
    const { message, users } = asApiError(error);
    this.show(users.length > 0 ? `${message} (${users.join(", ")})` : message, "bad");
  }

  dismiss(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }
}
