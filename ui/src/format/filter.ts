/** What a filter asks for, as it stands after the colon of its field. The engine reads and writes filters; this only shows. */
import type { FilterTest, Moment, SizeTest } from "../backend/types";

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

const AGO = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

const digits = (value: number, count = 2) => String(value).padStart(count, "0");

function clock(millis: number): string {
  const seconds = Math.floor(millis / 1_000);
  const hours = `${digits(Math.floor(seconds / 3_600))}:${digits(Math.floor(seconds / 60) % 60)}`;
  if (millis % 60_000 === 0) return hours;
  return `${hours}:${digits(seconds % 60)}${millis % 1_000 === 0 ? "" : `.${digits(millis % 1_000, 3)}`}`;
}

function day(year: number, month: number, date: number, millis: number): string {
  return `${digits(year, 4)}-${digits(month)}-${digits(date)}${millis === 0 ? "" : `T${clock(millis)}`}`;
}

/** `10:00`, `2026-11-21T10:00:05.250` (local time), `5m` ago. */
export function momentText(moment: Moment): string {
  const { millis } = moment;
  switch (moment.is) {
    case "clock":
      return clock(millis);
    case "date":
      return day(moment.year, moment.month, moment.day, millis);
    case "unix": {
      const at = new Date(millis);
      const since = ((at.getHours() * 60 + at.getMinutes()) * 60 + at.getSeconds()) * 1_000 + at.getMilliseconds();
      return day(at.getFullYear(), at.getMonth() + 1, at.getDate(), since);
    }
    case "ago": {
      const unit = AGO.find(([, size]) => millis > 0 && millis % size === 0);
      return unit ? `${millis / unit[1]}${unit[0]}` : `${millis}ms`;
    }
  }
}

/** The text of a field that holds one or several texts, a size or a time; nothing of others. */
export function fieldText(test: FilterTest | undefined): string {
  switch (test?.field) {
    case "client":
    case "topic":
      return test.value.map(one).join(",");
    case "size":
      return sizeTest(test.value);
    case "since":
    case "until":
      return momentText(test.value);
    default:
      return "";
  }
}
