import { describe, expect, test } from "vitest";
import { find, type Action } from "./actions";
import { covered, pressable, typing } from "./keys";
import { ENTRIES } from "../places";

const icon = ENTRIES[0]?.icon as Action["icon"];
const action = (label: string): Action => ({ id: label, label, icon, run: () => undefined });
const labels = (query: string) =>
  find([action("Live Inspector"), action("New relay"), action("Relays"), action("Restart relay Plant")], query).map(
    ({ label }) => label,
  );

describe("finding an action", () => {
  test("no query finds everything, in order", () => expect(labels("")).toHaveLength(4));
  test("what starts with the query comes first", () =>
    expect(labels("rel")).toEqual(["Relays", "New relay", "Restart relay Plant"]));
  test("every word must be there, in any order", () => expect(labels("plant re")).toEqual(["Restart relay Plant"]));
  test("nothing is called that", () => expect(labels("xyz")).toEqual([]));
});

describe("whose key it is", () => {
  const made = (html: string) => {
    document.body.innerHTML = html;
    return document.body.querySelector("[data-it]");
  };

  test("a text field takes all keys, a checkbox does not", () => {
    expect(typing(made("<input data-it>"))).toBe(true);
    expect(typing(made("<textarea data-it></textarea>"))).toBe(true);
    expect(typing(made('<input type="checkbox" data-it>'))).toBe(false);
    expect(typing(made("<button data-it></button>"))).toBe(false);
  });

  test("a button takes Space and Enter, a row of the feed does not", () => {
    expect(pressable(made("<button><i data-it></i></button>"))).toBe(true);
    expect(pressable(made('<div role="row" data-it></div>'))).toBe(false);
  });

  test("an open dialog covers the page", () => {
    made('<div role="dialog" data-state="open" data-it></div>');
    expect(covered()).toBe(true);
    made("<p data-it></p>");
    expect(covered()).toBe(false);
  });
});

test("every place has its own key", () => {
  expect(ENTRIES.map(({ key }) => key)).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"]);
});
