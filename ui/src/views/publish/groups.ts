/** Kept messages under their folders, in the engine's order. */
import type { SavedMessage } from "../../backend/types";

export function folders(messages: readonly SavedMessage[]): { folder: string; messages: SavedMessage[] }[] {
  const found = new Map<string, { folder: string; messages: SavedMessage[] }>();
  for (const message of messages) {
    const key = message.folder.toLowerCase();
    const group = found.get(key) ?? { folder: message.folder, messages: [] };
    group.messages.push(message);
    found.set(key, group);
  }
  return [...found.values()];
}
