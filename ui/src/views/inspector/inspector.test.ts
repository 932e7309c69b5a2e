import { fireEvent, render, screen, within } from "@testing-library/svelte";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type {
  DecodedEvent,
  EventDetail,
  FilterReading,
  KindName,
  PayloadNode,
  Row,
  ViewFrame,
} from "../../backend/types";

const { port } = await vi.hoisted(async () => {
  const { FakePort } = await import("../../state/fake-port");
  return { port: new FakePort() };
});
const { settled } = await import("../../state/fake-port");
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

let size: number | null;
let read: DecodedEvent;

const node = (step: string, value: string, children: PayloadNode[] = []): PayloadNode => ({
  name: step.replace(/^\./, ""),
  step,
  kind: children.length > 0 ? "object" : "text",
  value,
  number: null,
  range: null,
  note: null,
  children,
});

const decoded = (root: PayloadNode, changed: Partial<NonNullable<DecodedEvent["decoded"]>> = {}): DecodedEvent => ({
  choice: {
    decoder: { kind: "json" },
    why: { kind: "payload" },
    words: "no rule: text is a valid JSON object",
  },
  decoded: { decoder: "JSON", layers: [], root, shown: 3, total: 3, notes: [], ...changed },
  error: null,
  numbers: [],
  previous: 1,
  kept: null,
});

const detail = (seq: number): EventDetail => ({
  row: { ...row(seq), size },
  title: "[MQTT] Device publish",
  fields: [{ label: "Packet id", value: "18", section: "MQTT 5.0 §3.3.2.2" }],
  payload: null,
  journey: [
    { seq, afterMicros: 0, words: "received", detail: "", tone: "publish" },
    { seq: seq + 1, afterMicros: 41_000, words: "POST 1", detail: "200", tone: "delivered" },
  ],
});

const reading = (line: string, kinds: KindName[] = []): FilterReading => ({
  line,
  filter: { terms: [] },
  kinds,
  muted: [],
  mistakes: [],
});

const height = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "clientHeight");
beforeAll(() => Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, get: () => 400 }));
afterAll(() => height && Object.defineProperty(HTMLElement.prototype, "clientHeight", height));

beforeEach(() => {
  size = 39;
  read = decoded(node("$", "2 fields", [node(".temp", EVIL), node(".unit", "C")]));
  let now = frame();
  port.answers = {
    "feed.open": ({ line }) => {
      now = { ...frame(), paused: now.paused };
      return { frame: now, reading: reading(line, line.includes("kind:publish") ? ["publish"] : []) };
    },
    "filters.edit": ({ line }) => reading(`${line} kind:publish`.trim(), ["publish"]),
    "feed.rows": ({ from, count }) => ({
      total: 3,
      newer: 0,
      rows: [row(3), row(2), row(1)].slice(from, from + count),
    }),
    "feed.step": ({ seq, step }) => {
      const index = seq === null ? 0 : Math.max(0, Math.min(3 - seq + step, 2));
      return { seq: 3 - index, index };
    },
    "feed.pause": ({ paused }) => (now = frame({ paused, waiting: paused ? 1_204 : 0 })),
    "feed.clear": () => (now = frame({ total: 0 })),
    "feed.event": ({ seq }) => detail(seq),
    "decode.event": () => read,
    "decode.lines": ({ form }) => ({ total: 1, lines: [form === "hex" ? "00000000  3c" : EVIL] }),
    "decode.bindings": () => [],
    "decode.schemas": () => [],
  };
  app.selection.close();
  app.selection.seq = null;
  app.feed.frame = null;
  app.feed.look = "feed";
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

test("a click opens the payload as a tree; text and bytes are a click away", async () => {
  await opened();
  await fireEvent.click(screen.getAllByTestId("feed-row")[1] as HTMLElement);
  const nodes = await screen.findAllByTestId("payload-node");
  expect(nodes.map((one) => one.dataset.path)).toEqual(["$", "$.temp", "$.unit"]);
  expect(nodes[1]?.textContent).toContain(EVIL);
  expect(document.querySelector("img")).toBeNull();
  expect(screen.getByTestId("decoder-why").textContent).toContain("no rule: text is a valid JSON object");
  await fireEvent.click(screen.getByTestId("payload-text"));
  await vi.waitFor(() => expect(screen.getByTestId("payload-line").textContent?.trim()).toBe(EVIL));
  await fireEvent.click(screen.getByTestId("payload-hex"));
  await vi.waitFor(() => expect(screen.getByTestId("payload-line").textContent?.trim()).toBe("00000000  3c"));
  expect(document.querySelector("img")).toBeNull();
});

test("a payload of zero bytes, a cut one and none are told apart", async () => {
  await opened();
  size = 0;
  await fireEvent.click(screen.getAllByTestId("feed-row")[0] as HTMLElement);
  expect((await screen.findByTestId("drawer-payload")).textContent).toBe("(empty, 0 B)");
  size = 48_200;
  read = decoded(node("$", "3 items", [node("[0]", "1")]), {
    shown: 10_000,
    total: 52_114,
    notes: ["Much is not shown."],
  });
  await fireEvent.click(screen.getAllByTestId("feed-row")[1] as HTMLElement);
  const notes = await screen.findByTestId("payload-notes");
  expect([notes.classList.contains("cut"), notes.textContent.trim()]).toEqual([true, "Much is not shown."]);
  size = null;
  await fireEvent.click(screen.getAllByTestId("feed-row")[2] as HTMLElement);
  expect(await screen.findByTestId("drawer-no-payload")).toBeTruthy();
  expect(screen.queryByTestId("drawer-tab-diff")).toBeNull();
});

test("one click overrides the decoder and binds it; what can't be read is said", async () => {
  await opened();
  await fireEvent.click(screen.getAllByTestId("feed-row")[1] as HTMLElement);
  const pick = (await screen.findByTestId("decoder")) as HTMLSelectElement;
  read = {
    ...read,
    choice: { decoder: { kind: "cbor" }, why: { kind: "chosen" }, words: "chosen by you" },
    decoded: null,
    error: { decoder: "CBOR", layers: [], at: 3, message: "At byte 3: the payload ends." },
  };
  await fireEvent.change(pick, { target: { value: "cbor" } });
  expect((await screen.findByTestId("decode-error")).textContent).toContain("CBOR: At byte 3: the payload ends.");
  expect(port.last("decode.event")).toMatchObject({ seq: 2, decoder: { kind: "cbor" } });
  port.answers["decode.saveBinding"] = () => {
    throw { code: "invalid", message: "", problems: [{ field: "filter", message: "“#” stands last." }], users: [] };
  };
  await fireEvent.click(screen.getByTestId("decoder-remember"));
  expect((await screen.findByTestId("decoder-refused")).textContent).toBe("“#” stands last.");
  port.answers["decode.saveBinding"] = ({ filter }) => ({ id: "1", filter, decoder: { kind: "cbor" } });
  await fireEvent.click(screen.getByTestId("decoder-remember"));
  await vi.waitFor(() => expect(screen.queryByTestId("decoder-remember")).toBeNull());
  expect(port.last("decode.saveBinding")).toMatchObject({ filter: "plant/3/telemetry", decoder: { kind: "cbor" } });
  expect(port.last("decode.event")).toEqual({ seq: 2, decoder: null });
});

test("a filter that is being typed stays while the open event is read again", async () => {
  await opened();
  await fireEvent.click(screen.getAllByTestId("feed-row")[1] as HTMLElement);
  const pick = await screen.findByTestId("decoder");
  await fireEvent.change(pick, { target: { value: "cbor" } });
  const filter = (await screen.findByTestId("decoder-filter")) as HTMLInputElement;
  await fireEvent.input(filter, { target: { value: "plant/+/telemetry" } });
  const before = app.selection.detail;
  await app.selection.show(2);
  expect(app.selection.detail).not.toBe(before);
  await settled();
  expect(filter.value).toBe("plant/+/telemetry");
});

test("the difference to the message before is a key away", async () => {
  await opened();
  port.answers["decode.diff"] = () => ({
    lines: [
      { mark: "same", depth: 1, place: "$.unit", name: "unit", left: "C", right: "C" },
      { mark: "changed", depth: 1, place: "$.temp", name: "temp", left: "20", right: "21" },
    ],
    same: false,
    notes: [],
  });
  await fireEvent.click(screen.getAllByTestId("feed-row")[1] as HTMLElement);
  await screen.findAllByTestId("payload-node");
  await fireEvent.keyDown(document.body, { key: "d" });
  const line = await screen.findByTestId("diff-line");
  expect([line.dataset.place, line.dataset.mark]).toEqual(["$.temp", "changed"]);
  expect(port.last("decode.diff")).toMatchObject({ left: 1, right: 2 });
  await fireEvent.click(screen.getByTestId("diff-all"));
  expect(screen.getAllByTestId("diff-line")).toHaveLength(2);
});

test("the same rows by topic and by connection", async () => {
  await opened();
  const branch = (topic: string, children: number) => ({
    topic,
    name: topic.split("/").at(-1) ?? "",
    own: 1,
    below: 2,
    children,
    rate: 0.5,
    lastAt: Date.now(),
    last: row(2),
    retained: true,
  });
  port.answers["feed.topics"] = ({ branch: at }) =>
    at === null ? { total: 1, rows: [branch("plant", 1)] } : { total: 1, rows: [branch("plant/3", 0)] };
  await fireEvent.click(screen.getByTestId("look-topics"));
  await fireEvent.click(await screen.findByTestId("topic-turn"));
  await vi.waitFor(() =>
    expect(screen.getAllByTestId("topic-row").map((one) => one.dataset.topic)).toEqual(["plant", "plant/3"]),
  );
  await fireEvent.click(screen.getAllByTestId("topic-filter")[0] as HTMLElement);
  expect(port.last("filters.edit")).toMatchObject({ edit: { is: "only", field: "topic", value: "plant/#" } });

  const life = {
    connection: 4,
    source: "Plant",
    client: "press-1",
    rows: 1,
    begun: row(1),
    newest: row(2),
    ended: false,
  };
  port.answers["feed.connections"] = () => ({ total: 1, rows: [life] });
  port.answers["feed.connectionRows"] = () => ({ total: 1, rows: [{ title: "[MQTT] Device publish", row: row(2) }] });
  await fireEvent.click(screen.getByTestId("look-connections"));
  await fireEvent.click(await screen.findByTestId("connection-turn"));
  expect((await screen.findByTestId("connection-event")).textContent).toContain("[MQTT] Device publish");
  await fireEvent.click(screen.getByTestId("look-feed"));
});

test("packet and journey have their tabs, and a step opens its event", async () => {
  await opened();
  await fireEvent.click(screen.getAllByTestId("feed-row")[1] as HTMLElement);
  await fireEvent.click(await screen.findByTestId("drawer-tab-packet"));
  expect(screen.getByTestId("drawer-title").textContent).toBe("[MQTT] Device publish");
  expect(screen.getByTestId("drawer-fields").textContent).toContain("Packet id");
  expect(screen.getByTestId("field-section").textContent).toBe("MQTT 5.0 §3.3.2.2");
  await fireEvent.click(screen.getByTestId("drawer-tab-journey"));
  const steps = within(screen.getByTestId("drawer-journey")).getAllByTestId("journey-step");
  expect(steps[1]?.textContent).toContain("+41 ms");
  await fireEvent.click(steps[1] as HTMLElement);
  await vi.waitFor(() => expect(screen.getByTestId("drawer").dataset.of).toBe("3"));
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
  await screen.findAllByTestId("payload-node");
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

test("a filter is saved under a name, and applied again", async () => {
  await opened();
  let kept = [{ id: 1, name: "Presses", line: "client:press-+" }];
  port.answers["filters.list"] = () => kept;
  port.answers["filters.save"] = ({ name, line }) => {
    if (name === "Presses") throw { code: "failed", message: "The name is taken.", problems: [], users: [] };
    kept = [...kept, { id: 2, name, line }];
    return { id: 2, name, line };
  };
  await app.feed.search("kind:error");
  await fireEvent.click(screen.getByTestId("filters-saved"));
  const name = await screen.findByTestId("filter-name");
  await fireEvent.input(name, { target: { value: "Presses" } });
  await fireEvent.click(screen.getByTestId("filter-save"));
  expect((await screen.findByTestId("saved-filters-failure")).textContent).toContain("The name is taken.");
  await fireEvent.input(name, { target: { value: "Errors" } });
  await fireEvent.click(screen.getByTestId("filter-save"));
  await vi.waitFor(() => expect(screen.getAllByTestId("saved-filter")).toHaveLength(2));
  expect(port.last("filters.save")).toEqual({ id: null, name: "Errors", line: "kind:error" });
  await fireEvent.click(screen.getAllByTestId("saved-filter-apply")[0] as HTMLElement);
  await vi.waitFor(() => expect(port.last("feed.open")).toMatchObject({ line: "client:press-+" }));
});

test("a mistake in the filter is shown at its place, and a click goes there", async () => {
  await opened();
  port.answers["feed.open"] = ({ line }) => ({
    frame: null,
    reading: {
      line,
      filter: null,
      kinds: [],
      muted: [],
      mistakes: [{ from: 2, to: 5, message: "Did you mean kind?" }],
    },
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
