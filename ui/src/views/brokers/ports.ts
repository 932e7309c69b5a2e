// Owns the port that usually belongs to a transport, and when the form may suggest it.

import type { Transport } from "../../bindings/api";

const USUAL: Record<Transport, string> = { tcp: "1883", tls: "8883", ws: "8083", wss: "8084" };

/** The port after a change of transport: the usual one, unless the person chose a port of their own. */
export function portAfter(from: Transport, to: Transport, port: string): string {
  const typed = port.trim();
  return typed === "" || typed === USUAL[from] ? USUAL[to] : port;
}
