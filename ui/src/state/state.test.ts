import { afterEach, describe, expect, test, vi } from "vitest";
import type { AppInfo, Settings as Values, StatusSnapshot } from "../backend/types";
import { App } from "./app.svelte";
import { FakePort, settled } from "./fake-port";
import { Loaded } from "./loaded.svelte";
import { Navigation } from "./navigation.svelte";
import { Toasts } from "./toasts.svelte";

vi.mock("../backend/tauri", () => ({ backend: { rpc: () => Promise.reject(), subscribe: () => Promise.resolve() } }));

const info = (firstRun: boolean): AppInfo => ({
  version: "0.1.0",
  dataDir: "",
  logDir: "",
  keyLocation: "",
  startedAt: 0,
  firstRun,
  notices: [],
});

const values: Values = {
  theme: "system",
  feedMegabytes: 256,
  packetMegabytes: 16,
  history: { enabled: false, megabytes: 1_000, days: 7 },
  welcomed: false,
  railFolded: false,
  timeColumn: "clock",
};

const snapshot: StatusSnapshot = {
  relays: [],
  brokers: [],
  taps: [],
  platform: { state: { words: "stopped", tone: "idle", since: null }, url: null, stored: 0, devices: 0 },
  demo: { present: false, running: false, relayId: null, address: null },
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
};

function started(firstRun = false) {
  const port = new FakePort({
    "app.info": () => info(firstRun),
    "app.status": () => snapshot,
    "app.regions": () => [],
    "settings.get": () => ({ settings: values, info: info(firstRun) }),
    "settings.save": (settings) => ({ settings, info: info(false) }),
    "brokers.list": () => [],
    "relays.list": () => [],
    "taps.list": () => [],
    "tokens.list": () => [],
    "sessions.list": () => ({ sessions: [] }),
    "demo.start": () => ({ present: true, running: true, relayId: "r", address: "127.0.0.1:1883" }),
  });
  return { port, app: new App(port) };
}

afterEach(() => vi.useRealTimers());

describe("the page's start", () => {
  test("everything is read once", async () => {
    const { port, app } = started();
    await app.start();
    app.clock.stop();
    expect(port.asked.map(({ name }) => name).sort()).toEqual([
      "app.info",
      "app.regions",
      "app.status",
      "brokers.list",
      "relays.list",
      "sessions.list",
      "settings.get",
      "taps.list",
      "tokens.list",
    ]);
    expect(app.status.value).toEqual(snapshot);
  });

  test("a status frame replaces the snapshot; a config frame reads the lists again", async () => {
    const { port, app } = started();
    await app.start();
    app.clock.stop();
    port.push({ kind: "status", ...snapshot, totals: { ...snapshot.totals, waiting: 412 } });
    expect(app.status.value?.totals.waiting).toBe(412);
    port.push({ kind: "config" });
    await settled();
    expect(port.count("brokers.list")).toBe(2);
    expect(port.count("relays.list")).toBe(2);
    expect(port.count("tokens.list")).toBe(2);
  });

  test("a listener can leave", () => {
    const { app } = started();
    let seen = 0;
    const leave = app.frames.on("config", () => seen++);
    app.frames.emit({ kind: "config" });
    leave();
    app.frames.emit({ kind: "config" });
    expect(seen).toBe(1);
  });
});

describe("the first-run doors", () => {
  test("any way out passes them, once", async () => {
    const { port, app } = started(true);
    await app.settings.load();
    expect(app.settings.firstRun).toBe(true);
    app.go("brokers", "new");
    expect(app.settings.firstRun).toBe(false);
    await settled();
    expect(port.last("settings.save")).toEqual({ ...values, welcomed: true });
    app.go("overview");
    await settled();
    expect(port.count("settings.save")).toBe(1);
  });

  test("trying it leads to the inspector", async () => {
    const { app } = started(true);
    await app.settings.load();
    await app.startDemo();
    expect(app.navigation.place).toBe("inspector");
  });

  test("when the demo can't start the doors stay", async () => {
    const { port, app } = started(true);
    await app.settings.load();
    port.answers["demo.start"] = () => {
      throw { code: "failed", message: "No free port.", problems: [], users: [] };
    };
    await expect(app.startDemo()).rejects.toMatchObject({ message: "No free port." });
    expect(app.settings.firstRun).toBe(true);
  });
});

describe("navigation", () => {
  test("an intent is taken once, by its place", () => {
    const navigation = new Navigation();
    navigation.go("relays", { edit: "r1" });
    expect(navigation.take("brokers")).toBeNull();
    expect(navigation.take("relays")).toEqual({ edit: "r1" });
    expect(navigation.take("relays")).toBeNull();
  });

  test("an intent that nobody took does not wait for another visit", () => {
    const navigation = new Navigation();
    navigation.go("relays", "new");
    navigation.go("brokers");
    navigation.go("relays");
    expect(navigation.take("relays")).toBeNull();
  });

  test("going where one already is leads to its list, past the guard", () => {
    const navigation = new Navigation();
    navigation.go("relays", { edit: "r1" });
    navigation.take("relays");
    let leave: () => void = () => undefined;
    navigation.guard((go) => (leave = go));
    navigation.go("relays");
    expect(navigation.take("relays")).toBeNull();
    leave();
    expect(navigation.take("relays")).toBe("list");
  });

  test("a guard decides, and is gone after it let go", () => {
    const navigation = new Navigation();
    let leave: () => void = () => undefined;
    const remove = navigation.guard((go) => (leave = go));
    navigation.go("brokers");
    expect(navigation.place).toBe("overview");
    leave();
    expect(navigation.place).toBe("brokers");
    navigation.go("queue");
    expect(navigation.place).toBe("queue");
    remove();
  });
});

describe("notices", () => {
  test("good news leaves by itself, failures stay", () => {
    vi.useFakeTimers();
    const toasts = new Toasts();
    toasts.show("Saved.");
    toasts.failed({ code: "inUse", message: "It is used.", problems: [], users: ["Plant", "Site B"] });
    vi.advanceTimersByTime(60_000);
    expect(toasts.items.map(({ text }) => text)).toEqual(["It is used. (Plant, Site B)"]);
    toasts.dismiss(toasts.items[0]?.id ?? 0);
    expect(toasts.items).toEqual([]);
  });
});

describe("an answer that can be asked for again", () => {
  test("keeps the old value while it fails", async () => {
    let fail = false;
    const loaded = new Loaded(() => (fail ? Promise.reject(new Error("No.")) : Promise.resolve(1)));
    await loaded.load();
    fail = true;
    await loaded.load();
    expect(loaded.value).toBe(1);
    expect(loaded.error?.message).toBe("No.");
    expect(loaded.loading).toBe(false);
  });

  test("a late answer does not overwrite what was pushed meanwhile", async () => {
    let answer: (n: number) => void = () => undefined;
    const loaded = new Loaded(() => new Promise<number>((resolve) => (answer = resolve)));
    const asked = loaded.load();
    loaded.set(2);
    answer(1);
    await asked;
    expect(loaded.value).toBe(2);
  });
});
