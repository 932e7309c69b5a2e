/** Settings, what the app is, and the theme on the page's root. */
import type { AppInfo, Rpc, Settings as Values, SettingsView, Theme } from "../backend/types";
import { Loaded } from "./loaded.svelte";

export class Settings {
  readonly view: Loaded<SettingsView>;
  readonly info: Loaded<AppInfo>;
  /** The first-run doors were passed in this run. */
  #passed = $state(false);
  readonly #rpc: Rpc;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
    this.view = new Loaded(() => rpc("settings.get", null));
    this.info = new Loaded(() => rpc("app.info", null));
  }

  get theme(): Theme {
    return this.view.value?.settings.theme ?? "system";
  }

  /** Whether the first-run doors are to be shown. */
  get firstRun(): boolean {
    return !this.#passed && (this.info.value?.firstRun ?? false);
  }

  async load(): Promise<void> {
    await Promise.all([this.view.load(), this.info.load()]);
  }

  /** Saves changed settings; rejects with the engine's words. */
  async save(changed: Partial<Values>): Promise<void> {
    const now = this.view.value?.settings;
    if (!now) throw new Error("The settings are not loaded yet.");
    this.view.set(await this.#rpc("settings.save", { ...now, ...changed }));
  }

  /** A first-run door was taken: the page moves on at once, and the engine is told. */
  async passDoors(): Promise<void> {
    this.#passed = true;
    if (!this.view.value) await this.view.load();
    await this.save({ welcomed: true });
  }
}
