import { fireEvent, render, screen, within } from "@testing-library/svelte";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { EventDetail, FilterReading, KindName, PayloadView, Row, ViewFrame } from "../../backend/types";

const { port } = await vi.hoisted(async () => {
  const { FakePort } = await import("../../state/fake-port");
  return { port: new FakePort() };
});
vi.mock("../../backend/tauri", () => ({ backend: port }));

const { app } = await import("../../state/app.svelte");
const { default: InspectorView } = await import("./InspectorView.svelte");

const EVIL = '<img src=x onerror="globalThis.hacked = true">';

const row = (seq: number): Row => ({
  seq,
  at: new Date(2026, 0, 2, 14, 2, 11, 846).getTime(),
  kind: "publish",
  group: "publish",
  tone: "publish",
  source: "Plant",
  client: `press-${seq}`,
  topic: "plant/3/telemetry",
  preview: EVIL,
  size: 39,
  qos: 1,
  retain: true,
  messageId: "m",
});

const frame = (changed: Partial<ViewFrame> = {}): ViewFrame => ({
  view: 1,
  total: 3,
  waiting: 0,
  paused: false,
  recorded: 48_213,
  looked: 0,
  toLook: 0,
  gone: 0,
  evicted: 0,
  notTaken: 0,
  rate: 4,
  ...changed,
});

let payload: PayloadView | null;

const detail = (seq: number): EventDetail => ({
  row: row(seq),
  title: "[MQTT] Device publish",
  fields: [{ label: "Packet identifier", value: "18" }],
  payload,
  journey: [
    { seq, afterMicros: 0, words: "received", detail: "", tone: "publish" },
    { seq: seq + 1, afterMicros: 41_000, words: "POST 1", detail: "200", tone: "delivered" },
  ],
});

const reading = (line: string, kinds: KindName[] = []): FilterReading => ({
  line,
  filter: { terms: [] },
  kinds,
  mistakes: [],
});

const height = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "clientHeight");
beforeAll(() => Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, get: () => 400 }));
afterAll(() => height && Object.defineProperty(HTMLElement.prototype, "clientHeight", height));

beforeEach(() => {
  payload = { size: 12, shown: 12, text: EVIL, json: null, hex: "00000000  3c" };
  let now = frame();
  port.answers = {
    "feed.open": ({ line }) => {
      now = { ...frame(), paused: now.paused };
      return { frame: now, reading: reading(line, line.includes("kind:publish") ? ["publish"] : []) };
    },
    "filters.edit": ({ line }) => reading(`${line} kind:publish`.trim(), ["publish"]),
    "feed.rows": ({ from, count }) => ({ total: 3, rows: [row(3), row(2), row(1)].slice(from, from + count) }),
    "feed.pause": ({ paused }) => (now = frame({ paused, waiting: paused ? 1_204 : 0 })),
    "feed.clear": () => (now = frame({ total: 0 })),
    "feed.event": ({ seq }) => detail(seq),
  };
  app.selection.close();
  app.selection.seq = null;
  app.feed.frame = null;
  app.feed.line = "";
  app.feed.reading = null;
});

async function opened() {
  const user = render(InspectorView);
  expect(await screen.findAllByTestId("feed-row")).toHaveLength(3);
  return user;
}

test("shows rows in the engine's words, as text only", async () => {
  await opened();
  const first = screen.getAllByTestId("feed-row")[0] as HTMLElement;
  expect(first.textContent).toContain("14:02:11.846");
  expect(first.textContent).toContain(EVIL);
  expect(first.textContent).toContain("39 B");
  expect(first.textContent).toContain("1 R");
  expect(document.querySelector("img")).toBeNull();
});

test("a click opens the payload; the chosen format stays where it can", async () => {
  await opened();
  await fireEvent.click(screen.getAllByTestId("feed-row")[1] as HTMLElement);
  expect((await screen.findByTestId("drawer-payload")).textContent).toBe(EVIL);
  expect(document.querySelector("img")).toBeNull();
  await fireEvent.click(screen.getByTestId("payload-hex"));
  expect(screen.getByTestId("drawer-payload").textContent).toBe("00000000  3c");
  expect(screen.getByTestId("payload-json").hasAttribute("disabled")).toBe(true);
});

test("a payload of zero bytes, a cut one and none are told apart", async () => {
  await opened();
  payload = { size: 0, shown: 0, text: "", json: null, hex: "" };
  await fireEvent.click(screen.getAllByTestId("feed-row")[0] as HTMLElement);
  expect((await screen.findByTestId("drawer-payload")).textContent).toBe("(empty, 0 B)");
  payload = { size: 48_200, shown: 16_000, text: null, json: null, hex: "00000000  ff" };
  await fireEvent.click(screen.getAllByTestId("feed-row")[1] as HTMLElement);
  expect((await screen.findByTestId("drawer-cut")).textContent).toBe("cut at 16 kB of 48.2 kB");
  payload = null;
  await fireEvent.click(screen.getAllByTestId("feed-row")[2] as HTMLElement);
  expect(await screen.findByTestId("drawer-no-payload")).toBeTruthy();
});

test("packet and journey have their tabs, and a step opens its event", async () => {
  await opened();
  await fireEvent.click(screen.getAllByTestId("feed-row")[1] as HTMLElement);
  await fireEvent.click(await screen.findByTestId("drawer-tab-packet"));
  expect(screen.getByTestId("drawer-title").textContent).toBe("[MQTT] Device publish");
  expect(screen.getByTestId("drawer-fields").textContent).toContain("Packet identifier");
  await fireEvent.click(screen.getByTestId("drawer-tab-journey"));
  const steps = within(screen.getByTestId("drawer-journey")).getAllByTestId("journey-step");
  expect(steps[1]?.textContent).toContain("+41 ms");
  await fireEvent.click(steps[1] as HTMLElement);
  await vi.waitFor(() => expect(screen.getByTestId("drawer").dataset.seq).toBe("3"));
});

test("keys move, open, pause and close", async () => {
  await opened();
  const press = (key: string) => fireEvent.keyDown(document.body, { key });
  await press("j");
  await press("j");
  await vi.waitFor(() => expect(app.selection.seq).toBe(2));
  await press("k");
  await vi.waitFor(() => expect(app.selection.seq).toBe(3));
  await press("Enter");
  await screen.findByTestId("drawer-payload");
  await press("Escape");
  await vi.waitFor(() => expect(screen.queryByTestId("drawer")).toBeNull());
  await press(" ");
  await vi.waitFor(() => expect(screen.getByTestId("feed-pause").textContent).toContain("Resume · 1,204 waiting"));
  await press("/");
  expect(document.activeElement).toBe(screen.getByTestId("feed-search"));
});

test("chips and text are the engine's filter", async () => {
  await opened();
  await fireEvent.click(screen.getByTestId("chip-publish"));
  await vi.waitFor(() => expect(screen.getByTestId("chip-publish").getAttribute("aria-pressed")).toBe("true"));
  const search = screen.getByTestId("feed-search") as HTMLInputElement;
  expect(search.value).toBe("kind:publish");
  await fireEvent.input(search, { target: { value: "kind:publish temp" } });
  await fireEvent.keyDown(search, { key: "Enter" });
  await vi.waitFor(() => expect(port.last("feed.open")).toEqual({ view: 1, line: "kind:publish temp", look: "feed" }));
});

test("a mistake in the filter is shown at its place, and a click goes there", async () => {
  await opened();
  port.answers["feed.open"] = ({ line }) => ({
    frame: null,
    reading: { line, filter: null, kinds: [], mistakes: [{ from: 2, to: 5, message: "Did you mean kind?" }] },
  });
  const search = screen.getByTestId("feed-search") as HTMLInputElement;
  await fireEvent.input(search, { target: { value: "a knd:publish" } });
  await fireEvent.keyDown(search, { key: "Enter" });
  const mistake = await screen.findByTestId("filter-mistake");
  expect(mistake.textContent).toContain("Did you mean kind?");
  expect(within(mistake).getByTestId("filter-mistake-place").textContent).toBe("knd");
  expect(search.getAttribute("aria-invalid")).toBe("true");
  expect(screen.getAllByTestId("feed-row")).toHaveLength(3);
  await fireEvent.click(mistake);
  expect([search.selectionStart, search.selectionEnd]).toEqual([2, 5]);
});

test("nothing yet, nothing that matches, and a failure say what to do", async () => {
  port.answers["feed.open"] = ({ line }) => ({ frame: frame({ total: 0 }), reading: reading(line) });
  render(InspectorView);
  expect(await screen.findByTestId("feed-empty")).toBeTruthy();
  await fireEvent.click(screen.getByTestId("chip-error"));
  expect(await screen.findByTestId("feed-nothing-matches")).toBeTruthy();
  port.answers["feed.open"] = () => {
    throw { code: "failed", message: "The feed is closed.", problems: [], users: [] };
  };
  await fireEvent.click(screen.getByTestId("feed-reset-filter"));
  expect((await screen.findByTestId("feed-error")).textContent).toContain("The feed is closed.");
});
