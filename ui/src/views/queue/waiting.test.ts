import { fireEvent, render, screen } from "@testing-library/svelte";
import { expect, test, vi } from "vitest";
import type { RelayStatus, WaitingRow } from "../../backend/types";

const { port } = await vi.hoisted(async () => {
  const { FakePort } = await import("../../state/fake-port");
  return { port: new FakePort() };
});
const { settled } = await import("../../state/fake-port");
vi.mock("../../backend/tauri", () => ({ backend: port }));
const { default: WaitingList } = await import("./WaitingList.svelte");

const relay = () => ({ id: "r", name: "Plant", destinationName: "TagoIO" }) as RelayStatus;
const entry = (id: number): WaitingRow => ({
  id,
  topic: "t",
  preview: "1",
  size: 1,
  receivedAt: 0,
  attempts: 0,
  qos: 1,
  retain: false,
});
const first = () => screen.getAllByTestId("waiting-row")[0]?.getAttribute("data-id");

test("a page further on stays while the relay's state changes", async () => {
  port.answers["queue.waiting"] = ({ after }) => ({
    total: 300,
    entries: Array.from({ length: 100 }, (_, i) => entry((after ?? 0) + 1 + i)),
  });
  const { rerender } = render(WaitingList, { relay: relay() });
  await settled();
  expect(first()).toBe("1");
  await fireEvent.click(screen.getByTestId("waiting-newer"));
  await settled();
  expect(first()).toBe("101");
  await rerender({ relay: relay() });
  await settled();
  expect(first()).toBe("101");
});
