/** The places of the app: what the rail, the palette and the keys sheet call them. */
import Activity from "@lucide/svelte/icons/activity";
import Database from "@lucide/svelte/icons/database";
import Inbox from "@lucide/svelte/icons/inbox";
import KeyRound from "@lucide/svelte/icons/key-round";
import LayoutDashboard from "@lucide/svelte/icons/layout-dashboard";
import RadioTower from "@lucide/svelte/icons/radio-tower";
import Send from "@lucide/svelte/icons/send";
import Settings from "@lucide/svelte/icons/settings";
import Split from "@lucide/svelte/icons/split";
import Waypoints from "@lucide/svelte/icons/waypoints";
import type { Component } from "svelte";
import { PLACES, type Place } from "./state/navigation.svelte";

export interface PlaceEntry {
  place: Place;
  label: string;
  /** With Ctrl. */
  key: string;
  icon: Component<{ size?: number | string }>;
}

const WORDS: Record<Place, { label: string; icon: PlaceEntry["icon"] }> = {
  overview: { label: "Overview", icon: LayoutDashboard },
  inspector: { label: "Live Inspector", icon: Activity },
  brokers: { label: "Brokers", icon: RadioTower },
  taps: { label: "Taps", icon: Split },
  relays: { label: "Relays", icon: Waypoints },
  tokens: { label: "Tokens", icon: KeyRound },
  queue: { label: "Queue", icon: Inbox },
  bucket: { label: "Bucket", icon: Database },
  publish: { label: "Publish", icon: Send },
  settings: { label: "Settings", icon: Settings },
};

/** In their order on a keyboard: 1 to 9, then 0. */
export const ENTRIES: PlaceEntry[] = PLACES.map((place, index) => ({
  place,
  key: String((index + 1) % 10),
  ...WORDS[place],
}));
