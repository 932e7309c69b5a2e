import { fireEvent, render, screen } from "@testing-library/svelte";
import { beforeEach, expect, test, vi } from "vitest";
import type { RelayStatus, StateWords, StatusSnapshot } from "../../backend/types";

const { port } = await vi.hoisted(async () => {
  const { FakePort } = await import("../../state/fake-port");
  return { port: new FakePort() };
});
vi.mock("../../backend/tauri", () => ({ backend: port }));

const { app } = await import("../../state/app.svelte");
const { default: OverviewView } = await import("./OverviewView.svelte");
const { default: WelcomeView } = await import("../welcome/WelcomeView.svelte");

const running: StateWords = { words: "running", tone: "ok", since: 1 };

const relay = (changed: Partial<RelayStatus> = {}): RelayStatus => ({
  id: "r1",
  name: "Plant",
  enabled: true,
  state: running,
  brokerName: "plant-broker",
  broker: running,
  brokerDetail: "MQTT 5",
  filters: 3,
  destinationName: "TagoIO us-e1",
  destination: running,
  destinationDetail: "p50 41 ms",
  ledger: { received: 4_812_330, delivered: 4_811_904, waiting: 412, inFlight: 14, dead: 0, dropped: 0, filtered: 0 },
  ledgerDifference: 0,
  rateIn: 1_180,
  rateOut: 1_176,
  sparkline: [1, 2, 3],
  oldestWaitingAt: null,
  queue: { bytes: 0, budget: 2_000_000_000, full: false },
  quota: null,
  drain: null,
  requests: 0,
  requestLimit: 8,
  oversized: 0,
  paused: false,
  versionAdvice: null,
  lastError: null,
  downlink: null,
  ...changed,
});

const status = (relays: RelayStatus[], demo = false): StatusSnapshot => ({
  relays,
  brokers: [],
  taps: [],
  platform: { state: running, url: "http://127.0.0.1:3200", stored: 2, devices: 1 },
  demo: { present: demo, running: demo, relayId: null, address: null },
  totals: {
    rateIn: 0,
    rateOut: 0,
    waiting: 0,
    oldestWaitingAt: null,
    dead: 0,
    feedBytes: 0,
    feedBudget: 0,
    diskBytes: 0,
  },
});

beforeEach(() => {
  port.answers = { "relays.act": () => null };
  app.navigation.place = "overview";
  app.toasts.items = [];
});

test("a relay shows its path, its ledger and its switches", async () => {
  app.status.snapshot.set(status([relay()]));
  render(OverviewView);
  expect(screen.getByTestId("relay-state").textContent).toContain("running");
  expect(screen.getByTestId("ledger-received").textContent).toBe("4,812,330");
  expect(screen.getByTestId("ledger-in-flight").textContent).toBe("14");
  expect(screen.queryByTestId("ledger-dropped")).toBeNull();
  expect(screen.queryByTestId("relay-difference")).toBeNull();
  await fireEvent.click(screen.getByTestId("relay-stop"));
  expect(port.last("relays.act")).toEqual({ id: "r1", action: "stop" });
  await fireEvent.click(screen.getByTestId("relay-open"));
  expect(app.navigation.take("relays")).toEqual({ edit: "r1" });
});

test("a ledger that does not balance, and the last error with its advice, stand in words", () => {
  const lastError = { message: "TagoIO refused the token.", advice: "Replace it.", at: 0, current: true };
  app.status.snapshot.set(status([relay({ ledgerDifference: 3, lastError })]));
  render(OverviewView);
  expect(screen.getByTestId("relay-difference").textContent).toContain("3 messages");
  expect(screen.getByTestId("relay-error").textContent).toContain("TagoIO refused the token.");
  expect(screen.getByTestId("relay-error").textContent).toContain("Replace it.");
});

test("all is well: nothing is shown that nobody needs", () => {
  app.status.snapshot.set(status([relay()]));
  render(OverviewView);
  const noise = ["quota", "relay-drain", "relay-queue", "relay-oversized", "relay-dry-run", "relay-version-advice"];
  for (const id of noise) expect(screen.queryByTestId(id), id).toBeNull();
});

test("the plan's minute, a backlog, a full disk and what was skipped are shown when they are there", () => {
  const now = app.clock.now;
  const words = "at this rate the limit is reached in 14 s";
  app.status.snapshot.set(
    status([
      relay({
        quota: {
          limit: 5_000,
          allowance: 4_500,
          used: 450,
          others: 900,
          relays: 2,
          resetsAt: now + 23_500,
          pacing: false,
          words,
        },
        drain: { done: 0.42, seconds: 720, words: "backlog gone in about 12 min" },
        queue: { bytes: 300_000_000, budget: 2_000_000_000, full: false },
        requests: 3,
        oversized: 2,
        versionAdvice: "MQTT 3.1.1 is spoken.",
      }),
    ]),
  );
  render(OverviewView);
  expect(screen.getByTestId("quota-words").textContent).toBe(words);
  expect(screen.getByTestId("quota-reset").textContent).toBe("shared by 2 relays · plan 5,000 · new minute in 23 s");
  expect(screen.getByTestId("quota-used").style.width).toBe("9%");
  expect(screen.getByTestId("quota-others").style.width).toBe("18%");
  expect(screen.getByTestId("relay-drain").textContent).toContain("backlog gone in about 12 min");
  expect(screen.getByTestId("relay-drain").textContent).toContain("412 waiting · 42 % gone");
  expect(screen.getByTestId("relay-queue").textContent).toContain("300 MB of 2 GB");
  expect(screen.getByTestId("relay-requests").textContent).toBe("3 of 8 in flight");
  expect(screen.getByTestId("relay-oversized").textContent).toContain("2");
  expect(screen.getByTestId("relay-version-advice")).toBeTruthy();
});

test("delivery is paused and resumed by a click", async () => {
  port.answers["relays.list"] = () => [];
  app.status.snapshot.set(status([relay()]));
  render(OverviewView);
  await fireEvent.click(screen.getByTestId("relay-pause"));
  expect(port.last("relays.act")).toEqual({ id: "r1", action: "pause" });
  app.status.snapshot.set(status([relay({ paused: true })]));
  await fireEvent.click(await screen.findByTestId("relay-resume"));
  expect(port.last("relays.act")).toEqual({ id: "r1", action: "resume" });
});

test("a stopped relay can be started, and a refusal is shown", async () => {
  port.answers["relays.act"] = () => {
    throw { code: "failed", message: "The token is gone.", problems: [], users: [] };
  };
  app.status.snapshot.set(status([relay({ enabled: false })]));
  render(OverviewView);
  await fireEvent.click(screen.getByTestId("relay-start"));
  await vi.waitFor(() => expect(app.toasts.items[0]?.text).toBe("The token is gone."));
});

test("without relays it says what to do", () => {
  app.status.snapshot.set(status([]));
  render(OverviewView);
  expect(screen.getByTestId("overview-empty")).toBeTruthy();
  expect(screen.getByTestId("platform-address").textContent).toBe("http://127.0.0.1:3200");
});

test("the demo is removed only after a yes", async () => {
  port.answers["demo.remove"] = () => null;
  app.status.snapshot.set(status([], true));
  render(OverviewView);
  await fireEvent.click(screen.getByTestId("demo-remove"));
  expect(port.count("demo.remove")).toBe(0);
  await fireEvent.click(await screen.findByTestId("demo-remove-confirm-ok"));
  await vi.waitFor(() => expect(port.count("demo.remove")).toBe(1));
});

test("a door that does not open says why", async () => {
  port.answers["demo.start"] = () => {
    throw { code: "failed", message: "No port is free.", problems: [], users: [] };
  };
  render(WelcomeView);
  await fireEvent.click(screen.getByTestId("try-it"));
  expect((await screen.findByTestId("welcome-error")).textContent).toContain("No port is free.");
  await fireEvent.click(screen.getByTestId("import-config"));
  expect(app.navigation.take("settings")).toBe("import");
});
