/** What the palette offers, and how it is found. */
import CircleStop from "@lucide/svelte/icons/circle-stop";
import Download from "@lucide/svelte/icons/download";
import Import from "@lucide/svelte/icons/import";
import Keyboard from "@lucide/svelte/icons/keyboard";
import Moon from "@lucide/svelte/icons/moon";
import Pause from "@lucide/svelte/icons/pause";
import Play from "@lucide/svelte/icons/play";
import Plus from "@lucide/svelte/icons/plus";
import Repeat from "@lucide/svelte/icons/repeat";
import RotateCw from "@lucide/svelte/icons/rotate-cw";
import Rss from "@lucide/svelte/icons/rss";
import Sparkles from "@lucide/svelte/icons/sparkles";
import StepForward from "@lucide/svelte/icons/step-forward";
import Sun from "@lucide/svelte/icons/sun";
import SunMoon from "@lucide/svelte/icons/sun-moon";
import Trash from "@lucide/svelte/icons/trash-2";
import Waypoints from "@lucide/svelte/icons/waypoints";
import type { RelayAction, Theme } from "../backend/types";
import { ENTRIES, type PlaceEntry } from "../places";
import type { App } from "../state/app.svelte";

export interface Action {
  id: string;
  label: string;
  keys?: string;
  icon: PlaceEntry["icon"];
  run: () => void;
}

/** Actions whose label has every word of the query, those that start with it first; otherwise in their order. */
export function find(actions: Action[], query: string): Action[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = actions.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
  const starts = (action: Action) => action.label.toLowerCase().startsWith(words[0] ?? "");
  return [...fits.filter(starts), ...fits.filter((action) => !starts(action))];
}

/** All actions that make sense now. */
export function actionsOf(app: App, showKeys: () => void): Action[] {
  const doing = (call: Promise<unknown>) => void call.catch((error: unknown) => app.toasts.failed(error));
  const theme = (value: Theme) => () => doing(app.settings.save({ theme: value }));
  const act = (id: string, action: RelayAction) => () => doing(app.rpc("relays.act", { id, action }));
  const status = app.status.value;
  const { feed } = app;

  const list: Action[] = ENTRIES.map(({ place, label, key, icon }) => ({
    id: `go-${place}`,
    label,
    keys: `Ctrl ${key}`,
    icon,
    run: () => app.go(place),
  }));

  if (feed.frame) {
    const icon = feed.paused ? Play : Pause;
    const label = feed.paused ? "Resume the feed" : "Pause the feed";
    list.push({ id: "feed-pause", label, keys: "Space", icon, run: () => doing(feed.setPaused(!feed.paused)) });
    const ask = (what: "export" | "replay") => () => {
      app.go("inspector");
      app.recordings.asking = what;
    };
    list.push({ id: "feed-export", label: "Export events", icon: Download, run: ask("export") });
    list.push({ id: "feed-replay", label: "Replay messages", icon: Repeat, run: ask("replay") });
    list.push({ id: "feed-clear", label: "Clear the feed", icon: Trash, run: () => doing(feed.clear()) });
  }

  const subscribe = () => {
    app.go("inspector");
    app.sessions.asking = "new";
  };
  list.push(
    { id: "subscribe", label: "Subscribe to a broker", icon: Rss, run: subscribe },
    { id: "new-broker", label: "New broker", icon: Plus, run: () => app.go("brokers", "new") },
    { id: "new-relay", label: "New relay", icon: Plus, run: () => app.go("relays", "new") },
    { id: "new-token", label: "New token", icon: Plus, run: () => app.go("tokens", "new") },
    { id: "import", label: "Import a configuration file", icon: Import, run: () => app.go("settings", "import") },
  );

  if (status && !status.demo.running) {
    list.push({ id: "demo-start", label: "Start the demo", icon: Sparkles, run: () => doing(app.startDemo()) });
  } else if (status) {
    const run = () => doing(app.rpc("demo.stop", null));
    list.push({ id: "demo-stop", label: "Stop the demo", icon: CircleStop, run });
  }

  for (const { id, name, enabled, paused } of status?.relays ?? []) {
    list.push({
      id: `relay-open-${id}`,
      label: `Open relay ${name}`,
      icon: Waypoints,
      run: () => app.go("relays", { edit: id }),
    });
    if (enabled) {
      list.push(
        paused
          ? { id: `relay-resume-${id}`, label: `Resume delivery of ${name}`, icon: StepForward, run: act(id, "resume") }
          : { id: `relay-pause-${id}`, label: `Pause delivery of ${name}`, icon: Pause, run: act(id, "pause") },
      );
      list.push({ id: `relay-restart-${id}`, label: `Restart relay ${name}`, icon: RotateCw, run: act(id, "restart") });
      list.push({ id: `relay-stop-${id}`, label: `Stop relay ${name}`, icon: CircleStop, run: act(id, "stop") });
    } else {
      list.push({ id: `relay-start-${id}`, label: `Start relay ${name}`, icon: Play, run: act(id, "start") });
    }
  }

  list.push(
    { id: "theme-system", label: "Colours: as the system", icon: SunMoon, run: theme("system") },
    { id: "theme-light", label: "Colours: light", icon: Sun, run: theme("light") },
    { id: "theme-dark", label: "Colours: dark", icon: Moon, run: theme("dark") },
    { id: "keys", label: "Show all keys", keys: "?", icon: Keyboard, run: showKeys },
  );
  return list;
}
