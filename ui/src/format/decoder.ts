/** Decoders by their names, and as the engine's drafts. Pure. */
import type { Decoder, DecoderDraft, DecoderKind } from "../backend/types";

export const DECODERS: readonly { kind: DecoderKind; label: string }[] = [
  { kind: "json", label: "JSON" },
  { kind: "text", label: "Text" },
  { kind: "hex", label: "Hex" },
  { kind: "base64", label: "Base64" },
  { kind: "gzip", label: "gzip, zlib" },
  { kind: "cbor", label: "CBOR" },
  { kind: "messagePack", label: "MessagePack" },
  { kind: "protobuf", label: "Protobuf" },
  { kind: "sparkplug", label: "Sparkplug B" },
  { kind: "tagotip", label: "TagoTiP" },
];

export function draftOf(kind: DecoderKind): DecoderDraft {
  return { kind, schema: null, message: "", inner: null };
}

/** Whether it unpacks, so that another decoder may read the inside. */
export function wraps(kind: DecoderKind): boolean {
  return kind === "base64" || kind === "gzip";
}

/** `gzip, zlib › Protobuf plant.Reading` */
export function decoderWords(decoder: Decoder): string {
  const label = DECODERS.find(({ kind }) => kind === decoder.kind)?.label ?? decoder.kind;
  if (decoder.kind === "protobuf") return `${label} ${decoder.message}`;
  if ((decoder.kind === "base64" || decoder.kind === "gzip") && decoder.inner)
    return `${label} › ${decoderWords(decoder.inner)}`;
  return label;
}
