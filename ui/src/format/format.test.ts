import { describe, expect, test } from "vitest";
import { bytes, count, ofMegabytes, plural, rate } from "./number";
import { qosText, sizeText } from "./row";
import { age, clockTime, dateTime, duration, offset } from "./time";

describe("times", () => {
  const at = new Date(2026, 0, 2, 4, 5, 6, 7).getTime();

  test("time of day has three digits of milliseconds", () => {
    expect(clockTime(at)).toBe("04:05:06.007");
    expect(dateTime(at)).toBe("2026-01-02 04:05:06");
  });

  test.each([
    [-5_000, "0 s"],
    [999, "0 s"],
    [49_000, "49 s"],
    [60_000, "1 min"],
    [3_599_999, "59 min"],
    [7_200_000, "2 h"],
    [4 * 86_400_000, "4 d"],
  ])("%i ms last %s", (millis, text) => expect(duration(millis)).toBe(text));

  test("an age is never negative", () => {
    expect(age(2_000, 1_000)).toBe("0 s");
    expect(age(1_000, 62_000)).toBe("1 min");
  });

  test.each([
    [0, "0 ms"],
    [3, "+0.1 ms"],
    [240, "+0.2 ms"],
    [3_100, "+3.1 ms"],
    [41_300, "+41 ms"],
    [2_500_000, "+2.5 s"],
    [120_000_000, "+2 min"],
  ])("%i µs after the first step is %s", (micros, text) => expect(offset(micros)).toBe(text));
});

describe("numbers", () => {
  test("thousands are grouped", () => {
    expect(count(48_213)).toBe("48,213");
    expect(plural(1, "relay")).toBe("1 relay");
    expect(plural(0, "relay")).toBe("0 relays");
    expect(plural(1_204, "entry", "entries")).toBe("1,204 entries");
  });

  test.each([
    [0, "0/s"],
    [0.04, "0.1/s"],
    [0.4, "0.4/s"],
    [3, "3/s"],
    [9.96, "10/s"],
    [1_180.4, "1,180/s"],
  ])("%d a second is %s", (n, text) => expect(rate(n)).toBe(text));

  test.each([
    [0, "0 B"],
    [39, "39 B"],
    [999, "999 B"],
    [1_000, "1 kB"],
    [48_200, "48.2 kB"],
    [999_499, "999 kB"],
    [999_600, "1 MB"],
    [62_000_000, "62 MB"],
    [3_210_000_000, "3.2 GB"],
  ])("%i bytes are %s", (n, text) => expect(bytes(n)).toBe(text));

  test("a budget is told in megabytes", () => {
    expect(ofMegabytes(62_000_000, 256_000_000)).toBe("62 of 256 MB");
    expect(ofMegabytes(0, 256_000_000)).toBe("0 of 256 MB");
    expect(ofMegabytes(420_000, 256_000_000)).toBe("0.4 of 256 MB");
  });
});

describe("the last columns of a row", () => {
  test("nothing, zero bytes and some bytes differ", () => {
    expect(sizeText(null)).toBe("");
    expect(sizeText(0)).toBe("0 B");
    expect(sizeText(39)).toBe("39 B");
  });

  test("retained is marked", () => {
    expect(qosText(1, true)).toBe("1 R");
    expect(qosText(0, false)).toBe("0");
    expect(qosText(null, false)).toBe("");
  });
});
