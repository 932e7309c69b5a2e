/** A decoded payload's tree as rows of a list: which are in sight, and the path of each. Pure. */
import type { PayloadNode } from "../backend/types";

export interface TreeRow {
  node: PayloadNode;
  /** Its place: numbers of children from the root. Unlike the path it is unique. */
  key: string;
  /** The path that is copied: `$.sensors[2].temp`. */
  path: string;
  depth: number;
  /** Whether what it holds is in sight; `null` when it holds nothing. */
  open: boolean | null;
}

/** Up to how many nodes a tree is shown wholly open at first. */
const FEW = 400;

/** The rows in sight. `turned` holds the keys of nodes that were opened or closed by hand. */
export function rowsOf(root: PayloadNode, total: number, turned: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = [];
  const add = (node: PayloadNode, key: string, parent: string, depth: number): void => {
    const path = parent + node.step;
    const opens = total <= FEW || depth < 1;
    const open = node.children.length === 0 ? null : opens !== turned.has(key);
    rows.push({ node, key, path, depth, open });
    if (open) node.children.forEach((child, at) => add(child, `${key}.${at}`, path, depth + 1));
  };
  add(root, "0", "", 0);
  return rows;
}

/** The row that holds a row, by its number in the list. */
export function holderOf(rows: readonly TreeRow[], at: number): number {
  const depth = rows[at]?.depth ?? 0;
  for (let above = at - 1; above >= 0; above--) if ((rows[above]?.depth ?? 0) < depth) return above;
  return at;
}
