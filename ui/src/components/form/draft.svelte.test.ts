import { expect, test } from "vitest";
import { DraftForm } from "./draft.svelte";

const invalid = {
  code: "invalid",
  message: "Two fields need a look.",
  problems: [
    { field: "host", message: "Enter a host." },
    { field: "tls.ca", message: "Choose a file." },
  ],
  users: [],
};

test("counts what was edited and discards it", () => {
  const form = new DraftForm({ host: "a", port: "1883" });
  expect(form.changes).toBe(0);
  form.draft.host = "b";
  expect(form.changes).toBe(1);
  form.discard();
  expect(form.draft.host).toBe("a");
  expect(form.changes).toBe(0);
});

test("a refused save leaves the draft and puts the problems at their fields", async () => {
  const form = new DraftForm({ host: "", tls: { ca: "" } });
  form.draft.host = "x";
  expect(await form.submit(() => Promise.reject(invalid))).toBe(false);
  expect(form.draft.host).toBe("x");
  expect(form.problems.at("host")).toBe("Enter a host.");
  expect(form.problems.count(["tls"])).toBe(1);
  expect(form.problems.outside(["tls"]).map((problem) => problem.field)).toEqual(["host"]);
  expect(form.failure).toBeNull();
  form.problems.clear("host");
  expect(form.problems.at("host")).toBeUndefined();
});

test("a failure without fields stands above the form", async () => {
  const form = new DraftForm({ host: "" });
  await form.submit(() => Promise.reject({ ...invalid, code: "failed", problems: [] }));
  expect(form.failure?.message).toBe(invalid.message);
});

test("an accepted save becomes what is saved", async () => {
  const form = new DraftForm({ host: "a" });
  form.draft.host = "b ";
  expect(await form.submit(() => Promise.resolve({ host: "b" }))).toBe(true);
  expect(form.draft.host).toBe("b");
  expect(form.changes).toBe(0);
});

test("follows newer saved values under the edits", () => {
  const form = new DraftForm({ name: "Plant", enabled: true });
  form.draft.name = "Plant 2";
  form.follow({ name: "Plant", enabled: false });
  expect(form.snapshot()).toEqual({ name: "Plant 2", enabled: false });
  expect(form.changes).toBe(1);
});
