import { expect, test } from "vitest";
import type { SessionView } from "../backend/types";
import { FakePort } from "./fake-port";
import { Frames } from "./frames";
import { Sessions } from "./sessions.svelte";

function view(number: number, filters: string[] = ["a/#"]): SessionView {
  return {
    number,
    brokerId: "b",
    broker: "Plant",
    clientId: `plant-look-${number}`,
    state: { words: "connected · MQTT 5", tone: "ok", since: 1 },
    advice: "",
    filters: filters.map((filter) => ({ filter, qos: 0, words: "granted QoS 0", tone: "ok" })),
    received: 0,
    lost: 0,
  };
}

test("sessions are listed by number, whoever answers first", async () => {
  const port = new FakePort({
    "sessions.list": () => ({ sessions: [view(2)] }),
    "sessions.open": () => view(1),
    "sessions.add": () => view(2, ["a/#", "b"]),
    "sessions.close": () => null,
  });
  const frames = new Frames();
  const sessions = new Sessions(port.rpc, frames);
  await sessions.load();
  await sessions.open({ brokerId: "b", filters: [{ filter: "a/#", qos: 0 }], everything: false });
  expect(sessions.list.map(({ number }) => number)).toEqual([1, 2]);
  await sessions.add(2, "b", 1, false);
  expect(port.last("sessions.add")).toEqual({ number: 2, filter: "b", qos: 1, everything: false });
  expect(sessions.list[1]?.filters.length).toBe(2);
  await sessions.close(1);
  expect(sessions.list.map(({ number }) => number)).toEqual([2]);
  frames.emit({ kind: "sessions", sessions: [] });
  expect(sessions.list).toEqual([]);
});

test("a refused filter rejects and leaves the list as it was", async () => {
  const sessions = new Sessions(new FakePort({ "sessions.list": () => ({ sessions: [view(1)] }) }).rpc, new Frames());
  await sessions.load();
  await expect(sessions.add(1, "#", 0, false)).rejects.toMatchObject({ code: "failed" });
  expect(sessions.list[0]?.filters.length).toBe(1);
});
