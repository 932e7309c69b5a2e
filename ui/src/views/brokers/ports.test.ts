import { expect, test } from "vitest";
import { portAfter } from "./ports";

test("a change of transport brings its usual port", () => {
  expect(portAfter("tcp", "tls", "1883")).toBe("8883");
  expect(portAfter("tls", "ws", "8883")).toBe("8083");
  expect(portAfter("ws", "wss", "")).toBe("8084");
});

test("a port of one's own stays", () => {
  expect(portAfter("tcp", "tls", "1884")).toBe("1884");
  expect(portAfter("tcp", "tls", "8883")).toBe("8883");
});
