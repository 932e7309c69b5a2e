import { expect, test } from "vitest";
import { Opened } from "./opened.svelte";

interface View {
  id: string;
  draft: { name: string };
}

const a: View = { id: "a", draft: { name: "A" } };

function place(value: View[] | null) {
  const list = { value, error: null, load: () => Promise.resolve() };
  return { list, opened: new Opened<View, View["draft"]>(list, (view) => view.id) };
}

test("a new one stays open after its save, and its view is found once it is listed", async () => {
  const { list, opened } = place([]);
  opened.begin({ name: "" });
  const turn = opened.now?.turn;
  await opened.saved(a);
  opened.follow();
  expect(opened.now).toMatchObject({ id: "a", turn });
  expect(opened.view).toBeUndefined();
  list.value = [a];
  expect(opened.view).toBe(a);
});

test("one that is deleted elsewhere closes; a list that is not there yet closes nothing", () => {
  const { list, opened } = place([a]);
  opened.open(a);
  opened.follow();
  list.value = null;
  opened.follow();
  expect(opened.now?.id).toBe("a");
  list.value = [];
  opened.follow();
  expect(opened.now).toBeNull();
});

test("an intent opens, begins or goes back to the list", () => {
  const { opened } = place([a]);
  opened.arrive({ edit: "a" }, () => undefined);
  expect(opened.now?.id).toBe("a");
  opened.arrive("list", () => undefined);
  expect(opened.now).toBeNull();
  expect(opened.last).toBe("a");
  opened.arrive({ edit: "gone" }, () => undefined);
  expect(opened.now).toBeNull();
  opened.arrive("new", () => opened.begin({ name: "" }));
  expect(opened.now?.id).toBeNull();
});
