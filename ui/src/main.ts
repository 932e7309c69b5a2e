/** Starts the page. */
import "./locale";
import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/overlay.css";
import { mount } from "svelte";
import Root from "./App.svelte";
import { app } from "./state/app.svelte";

void app.start();
const target = document.getElementById("app");
if (target) mount(Root, { target });
