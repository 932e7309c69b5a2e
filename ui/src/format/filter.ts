/** What a filter asks for, as it stands after the colon of its field. The engine reads and writes filters; this only shows. */
import type { FilterTest, SizeTest } from "../backend/types";

function one(text: string): string {
  return text === "" || /[\s",]/.test(text) ? JSON.stringify(text) : text;
}

function short(bytes: number): string {
  if (bytes > 0 && bytes % 1_000_000 === 0) return `${bytes / 1_000_000}M`;
  return bytes > 0 && bytes % 1_000 === 0 ? `${bytes / 1_000}k` : String(bytes);
}

const SIGNS = { above: ">", atLeast: ">=", below: "<", atMost: "<=", exactly: "" } as const;

/** `>10k`, `1k..2k` */
export function sizeTest(size: SizeTest): string {
  if (size.is === "between") return `${short(size.least)}..${short(size.most)}`;
  return SIGNS[size.is] + short(size.bytes);
}

/** The text of a field that holds one or several texts, or a size; nothing of others. */
export function fieldText(test: FilterTest | undefined): string {
  switch (test?.field) {
    case "client":
    case "topic":
      return test.value.map(one).join(",");
    case "size":
      return sizeTest(test.value);
    default:
      return "";
  }
}
