/** A saved token as its form begins: the value stays unless another one is given. */
import type { TokenDraft, TokenView } from "../../backend/types";

export function draftOf({ token, expires }: TokenView): TokenDraft {
  const { id, name, kind, region, serial, permission } = token;
  return { id, name, kind, region, serial: serial ?? "", permission, expires, value: { kind: "keep" } };
}
