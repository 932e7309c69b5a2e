import { beforeEach, describe, expect, test } from "vitest";
import { savesForm } from "./save-keys";

beforeEach(() => {
  document.body.innerHTML = `
    <div class="editor"><input class="form-control" type="text" /><textarea class="form-control"></textarea>
    <input type="checkbox" /></div><input class="form-control other" type="text" />`;
});

function pressed(selector: string, key: string, init: KeyboardEventInit = {}): boolean {
  let saves = false;
  const listen = (event: KeyboardEvent) => (saves = savesForm(event));
  window.addEventListener("keydown", listen, { once: true });
  document.querySelector(selector)?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...init }));
  return saves;
}

describe("keys that save a form", () => {
  test("Ctrl+S, wherever the keyboard is", () => {
    expect(pressed(".editor .form-control", "s", { ctrlKey: true })).toBe(true);
    expect(pressed("textarea", "S", { metaKey: true })).toBe(true);
    expect(pressed("body", "s", { ctrlKey: true, shiftKey: true })).toBe(false);
    expect(pressed("body", "s")).toBe(false);
  });

  test("Enter in a single line of the form only", () => {
    expect(pressed(".editor input.form-control", "Enter")).toBe(true);
    expect(pressed("textarea", "Enter")).toBe(false);
    expect(pressed("[type=checkbox]", "Enter")).toBe(false);
    expect(pressed(".other", "Enter")).toBe(false);
    expect(pressed(".editor input.form-control", "Enter", { isComposing: true })).toBe(false);
  });
});
