// Owns which field of the relay form lies on which tab.

import type { FormTab } from "../../components/form/tabs";

export type RelayTab = "general" | "delivery" | "plan" | "queue" | "messages" | "downlink";

const rules = (...fields: string[]) => fields.map((field) => `rules.${field}`);

export const TABS: readonly FormTab<RelayTab>[] = [
  {
    value: "general",
    label: "General",
    fields: ["name", "brokerId", "mappings", "region", "networkTokenId", "authorizationId", "enabled"],
  },
  {
    value: "delivery",
    label: "Delivery",
    fields: rules("order", "batch", "requests", "timeoutSeconds", "attempts", "giveUpHours"),
  },
  { value: "plan", label: "Plan", fields: rules("plan", "ownLimit", "reserve", "pace") },
  { value: "queue", label: "Queue", fields: rules("queueMegabytes", "whenFull", "maxAgeHours") },
  {
    value: "messages",
    label: "Messages",
    fields: rules("retained", "metadata", "statusTopic", "loopGuard", "dryRun"),
  },
  { value: "downlink", label: "Downlink", fields: ["downlinkPort"] },
];
