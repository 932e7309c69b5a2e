/** A saved token as its form begins: the value stays unless another one is given. */
import type { Token, TokenDraft } from "../../backend/types";

export function draftOf({ id, name, kind, region, serial, permission }: Token): TokenDraft {
  return { id, name, kind, region, serial: serial ?? "", permission, value: { kind: "keep" } };
}
