/** The bindings of decoders to topic filters, and the uploaded schemas. */
import {
  asApiError,
  type ApiError,
  type DecoderBinding,
  type Rpc,
  type SchemaSource,
  type SchemaView,
} from "../backend/types";

export class Decoders {
  bindings = $state.raw<DecoderBinding[]>([]);
  schemas = $state.raw<SchemaView[]>([]);
  error = $state.raw<ApiError | null>(null);
  readonly #rpc: Rpc;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  async load(): Promise<void> {
    try {
      [this.bindings, this.schemas] = await Promise.all([
        this.#rpc("decode.bindings", null),
        this.#rpc("decode.schemas", null),
      ]);
      this.error = null;
    } catch (error) {
      this.error = asApiError(error);
    }
  }
}

const DESCRIPTORS = /\.(binpb|desc|pb|protoset|fds)$/i;

/** What files hold: `.proto` texts, or one compiled descriptor set. */
export async function sourceOf(files: readonly File[]): Promise<SchemaSource> {
  const compiled = files.find(({ name }) => DESCRIPTORS.test(name));
  if (compiled) {
    const bytes = new Uint8Array(await compiled.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
    return { kind: "descriptors", data: btoa(text) };
  }
  const texts = files.map(async (file) => ({ name: file.webkitRelativePath || file.name, text: await file.text() }));
  return { kind: "proto", files: await Promise.all(texts) };
}
