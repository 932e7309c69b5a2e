import { expect, test } from "vitest";
import { settled } from "./fake-port";
import { LazyTree } from "./lazy-tree.svelte";

/** 100,000 topics at the top, each with two below. */
function large() {
  const asked: string[] = [];
  const all = Array.from({ length: 100_000 }, (_, at) => `t${at}`);
  const read = (parent: string | null, from: number, count: number) => {
    asked.push(`${parent ?? ""} ${from}`);
    const items = parent === null ? all : [`${parent}/a`, `${parent}/b`];
    return Promise.resolve({ total: items.length, items: items.slice(from, from + count) });
  };
  return { tree: new LazyTree<string>(read, (topic) => topic), asked, all };
}

test("only the pages on the screen are asked for", async () => {
  const { tree, asked } = large();
  tree.show(0, 40);
  await settled();
  expect(tree.length).toBe(100_000);
  tree.show(70_090, 40);
  await settled();
  expect([tree.row(70_090).item, tree.row(70_129).item, tree.row(500).item]).toEqual(["t70090", "t70129", undefined]);
  expect(asked).toEqual([" 0", " 70000", " 70100"]);
});

test("what is open stays open where its row goes", async () => {
  const { tree, all } = large();
  tree.show(0, 40);
  await settled();
  await tree.toggle(1);
  expect([0, 1, 2, 3, 4].map((at) => tree.row(at).item)).toEqual(["t0", "t1", "t1/a", "t1/b", "t2"]);
  expect([tree.length, tree.row(2).depth, tree.row(1).open]).toEqual([100_002, 1, true]);
  all.unshift("new");
  await tree.refresh();
  expect([1, 2, 3, 4, 5].map((at) => tree.row(at).item)).toEqual(["t0", "t1", "t1/a", "t1/b", "t2"]);
  await tree.toggle(2);
  expect([tree.length, tree.row(3).item]).toEqual([100_001, "t2"]);
});
