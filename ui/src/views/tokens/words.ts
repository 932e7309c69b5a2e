// Owns the words for the kinds and permissions of tokens, as TagoIO calls them.

import type { Permission, TokenKind, Tone, VerifyOutcome } from "../../backend/types";

export const KINDS: Record<TokenKind, string> = {
  network: "Network token",
  authorization: "Authorization",
  device: "Device token",
};

export const PERMISSIONS: Record<Permission, string> = {
  full: "Publish and subscribe",
  write: "Publish only",
  read: "Subscribe only",
};

export const OUTCOMES: Record<VerifyOutcome, { words: string; tone: Tone }> = {
  ok: { words: "valid", tone: "ok" },
  wrongRegion: { words: "another region", tone: "bad" },
  wrongKind: { words: "another kind", tone: "bad" },
  refused: { words: "refused", tone: "bad" },
  unreachable: { words: "not reachable", tone: "warn" },
  notCheckable: { words: "can't be checked", tone: "idle" },
};
