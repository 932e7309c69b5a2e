// Owns which field of the tap form lies on which tab.

import type { FormTab } from "../../components/form/tabs";

export type TapTab = "general" | "limits" | "clients" | "findings";

const GENERAL: FormTab<TapTab> = {
  value: "general",
  label: "General",
  fields: ["name", "brokerId", "enabled", "proxy", "listener"],
};
const LIMITS: FormTab<TapTab> = { value: "limits", label: "Limits", fields: ["limits"] };

/** A tap while it is new. */
export const TABS: readonly FormTab<TapTab>[] = [GENERAL, LIMITS];

/** A saved tap: what goes on right now stands among its settings. */
export const SAVED: readonly FormTab<TapTab>[] = [
  GENERAL,
  { value: "clients", label: "Clients and faults", fields: [] },
  { value: "findings", label: "Findings", fields: [] },
  LIMITS,
];
