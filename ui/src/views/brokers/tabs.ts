// Owns which field of the broker form lies on which tab.

import type { FormTab } from "../../components/form/tabs";

export type BrokerTab = "general" | "security" | "session" | "will" | "advanced";

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

/** The broker inside Relayscope has few fields, all on one page. */
export const EMBEDDED: readonly FormTab<BrokerTab>[] = [
  { value: "general", label: "General", fields: ["name", "port", "enabled"] },
];
