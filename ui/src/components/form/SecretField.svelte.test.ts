import { fireEvent, render, screen } from "@testing-library/svelte";
import { expect, test } from "vitest";
import type { SecretDraft } from "../../bindings/api";
import SecretField from "./SecretField.svelte";

function field(stored: boolean, optional = false) {
  let draft = $state<SecretDraft>({ kind: "keep" });
  render(SecretField, {
    path: "password",
    label: "Password",
    stored,
    optional,
    get draft() {
      return draft;
    },
    set draft(next: SecretDraft) {
      draft = next;
    },
  });
  return () => $state.snapshot(draft) as SecretDraft;
}

test("what is typed is set, and an empty field keeps what is stored", async () => {
  const draft = field(true);
  const input = screen.getByTestId<HTMLInputElement>("field-password");
  expect(input.placeholder).toContain("stored");
  await fireEvent.input(input, { target: { value: "s3cret" } });
  expect(draft()).toEqual({ kind: "set", value: "s3cret" });
  await fireEvent.input(input, { target: { value: "" } });
  expect(draft()).toEqual({ kind: "keep" });
});

test("only what was typed can be looked at", async () => {
  field(true);
  const input = screen.getByTestId<HTMLInputElement>("field-password");
  expect(screen.queryByTestId("field-password-show")).toBeNull();
  await fireEvent.input(input, { target: { value: "s3cret" } });
  expect(input.type).toBe("password");
  await fireEvent.click(screen.getByTestId("field-password-show"));
  expect(input.type).toBe("text");
});

test("a stored value can be removed, and that can be taken back", async () => {
  const draft = field(true, true);
  await fireEvent.click(screen.getByTestId("field-password-clear"));
  expect(draft()).toEqual({ kind: "clear" });
  await fireEvent.click(screen.getByTestId("field-password-keep"));
  expect(draft()).toEqual({ kind: "keep" });
});

test("nothing stored, nothing to remove", () => {
  field(false, true);
  expect(screen.queryByTestId("field-password-clear")).toBeNull();
});
