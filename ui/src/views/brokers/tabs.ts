// Owns which field of the broker form lies on which tab.

import type { FormTab } from "../../components/form/tabs";

export type BrokerTab =
  | "general"
  | "security"
  | "session"
  | "will"
  | "advanced"
  | "clients"
  | "retained"
  | "findings"
  | "listeners"
  | "limits";

export const TABS: readonly FormTab<BrokerTab>[] = [
  { value: "general", label: "General", fields: ["name", "transport", "host", "port", "path"] },
  {
    value: "security",
    label: "Security",
    fields: ["username", "password", "tls.ownCa", "tls.ca", "tls.clientCert", "tls.clientKey", "tls.serverName"],
  },
  { value: "session", label: "Session", fields: ["version", "clientId", "cleanStart", "sessionExpiry"] },
  { value: "will", label: "Will", fields: ["will"] },
  { value: "advanced", label: "Advanced", fields: ["keepAlive", "tls.alpn"] },
];

const GENERAL = ["name", "port", "enabled", "inside.scope", "inside.retain", "inside.persist"];

/** The broker inside Relayscope while it is new. */
export const EMBEDDED: readonly FormTab<BrokerTab>[] = [
  { value: "general", label: "General", fields: GENERAL },
  { value: "listeners", label: "Listeners", fields: ["inside.listeners"] },
  { value: "limits", label: "Limits", fields: ["inside.limits"] },
];

/** The broker inside Relayscope once it is saved: what it does right now stands among its settings. */
export const EMBEDDED_SAVED: readonly FormTab<BrokerTab>[] = [
  ...EMBEDDED.slice(0, 1),
  { value: "clients", label: "Clients", fields: [] },
  { value: "retained", label: "Retained", fields: [] },
  { value: "findings", label: "Findings", fields: [] },
  ...EMBEDDED.slice(1),
];
