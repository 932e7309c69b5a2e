// Owns which field of the broker form lies on which tab, so that a problem is never hidden.

export type BrokerTab = "general" | "security" | "session" | "will" | "advanced";

export const TABS: readonly { value: BrokerTab; label: string; fields: readonly string[] }[] = [
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

/** Every field that the form shows. */
export const FIELDS: readonly string[] = TABS.flatMap((tab) => tab.fields);
