/* eslint-disable svelte/prefer-svelte-reactivity -- one number says that something changed; maps are read after it */
/**
 * A tree of any size of which only the pages on the screen are known. The engine has the tree and its order; this class
 * knows how many rows each open branch has, and asks for pages of them.
 *
 * After a refresh, rows may have other places: what is open is found again by its key as pages come in.
 */
import { asApiError, type ApiError } from "../backend/types";

const PAGE = 100;

export interface LazyRow<T> {
  /** `undefined` while it is being fetched. */
  item: T | undefined;
  depth: number;
  open: boolean;
}

interface Branch<T> {
  of: T | null;
  depth: number;
  total: number;
  pages: Map<number, { items: T[]; round: number }>;
  /** Open children by their number. */
  open: Map<number, Branch<T>>;
}

export class LazyTree<T> {
  error = $state.raw<ApiError | null>(null);
  #changed = $state(0);
  readonly #read: (parent: T | null, from: number, count: number) => Promise<{ total: number; items: T[] }>;
  readonly #key: (item: T) => string;
  #root: Branch<T>;
  /** What is open, wherever it is. */
  readonly #opened = new Map<string, Branch<T>>();
  #window = { from: 0, count: 0 };
  #round = 0;
  #fetching = false;
  #stale = false;

  constructor(
    read: (parent: T | null, from: number, count: number) => Promise<{ total: number; items: T[] }>,
    key: (item: T) => string,
  ) {
    this.#read = read;
    this.#key = key;
    this.#root = this.#branch(null, 0);
  }

  #branch(of: T | null, depth: number): Branch<T> {
    return { of, depth, total: 0, pages: new Map(), open: new Map() };
  }

  /** Rows in all. */
  get length(): number {
    void this.#changed;
    return this.#size(this.#root);
  }

  /** A row by its number in the list. */
  row(index: number): LazyRow<T> {
    void this.#changed;
    const { branch, at } = this.#find(this.#root, index);
    const item = branch.pages.get(Math.floor(at / PAGE))?.items[at % PAGE];
    return { item, depth: branch.depth, open: branch.open.has(at) };
  }

  /** Forgets everything and begins anew: another filter, another order. */
  async reset(): Promise<void> {
    this.#root = this.#branch(null, 0);
    this.#opened.clear();
    this.#changed++;
    await this.#fetch();
  }

  /** Asks again for what is on the screen. */
  refresh(): Promise<void> {
    this.#round++;
    return this.#fetch();
  }

  /** Says which rows are on the screen. */
  show(from: number, count: number): void {
    if (from === this.#window.from && count === this.#window.count) return;
    this.#window = { from, count };
    void this.#fetch();
  }

  /** Opens or closes the row with a number. */
  async toggle(index: number): Promise<void> {
    const { branch, at } = this.#find(this.#root, index);
    const item = branch.pages.get(Math.floor(at / PAGE))?.items[at % PAGE];
    if (item === undefined) return;
    const key = this.#key(item);
    if (branch.open.delete(at)) {
      this.#opened.delete(key);
      this.#changed++;
      return;
    }
    const child = this.#branch(item, branch.depth + 1);
    branch.open.set(at, child);
    this.#opened.set(key, child);
    await this.#load(child, 0);
    await this.#fetch();
  }

  #size(branch: Branch<T>): number {
    let size = branch.total;
    for (const child of branch.open.values()) size += this.#size(child);
    return size;
  }

  #find(branch: Branch<T>, index: number): { branch: Branch<T>; at: number } {
    let before = 0;
    for (const [at, child] of [...branch.open].sort(([one], [other]) => one - other)) {
      if (index <= at + before) break;
      const size = this.#size(child);
      if (index <= at + before + size) return this.#find(child, index - at - before - 1);
      before += size;
    }
    return { branch, at: index - before };
  }

  async #load(branch: Branch<T>, page: number): Promise<void> {
    const round = this.#round;
    const { total, items } = await this.#read(branch.of, page * PAGE, PAGE);
    branch.total = total;
    branch.pages.set(page, { items, round });
    const first = page * PAGE;
    for (const at of [...branch.open.keys()])
      if ((at >= first && at < first + PAGE) || at >= total) branch.open.delete(at);
    items.forEach((item, slot) => {
      const child = this.#opened.get(this.#key(item));
      if (!child || child.depth !== branch.depth + 1) return;
      for (const [at, other] of branch.open) if (other === child) branch.open.delete(at);
      child.of = item;
      branch.open.set(first + slot, child);
    });
    // What is far from the screen is asked for when it is needed again.
    if (branch.pages.size > 50)
      for (const [number, { round: then }] of branch.pages) if (then < round) branch.pages.delete(number);
    this.#changed++;
  }

  /** The first page on the screen that is missing or old. */
  #wanted(): { branch: Branch<T>; page: number } | null {
    const { from, count } = this.#window;
    const end = Math.min(from + count, this.#size(this.#root));
    if (count > 0 && this.#root.pages.get(0)?.round === undefined) return { branch: this.#root, page: 0 };
    for (let index = from; index < end; index++) {
      const { branch, at } = this.#find(this.#root, index);
      const page = Math.floor(at / PAGE);
      if (branch.pages.get(page)?.round !== this.#round) return { branch, page };
    }
    return null;
  }

  async #fetch(): Promise<void> {
    if (this.#fetching) {
      this.#stale = true;
      return;
    }
    this.#fetching = true;
    try {
      do {
        this.#stale = false;
        if (this.#size(this.#root) === 0) await this.#load(this.#root, 0);
        for (let wanted = this.#wanted(); wanted; wanted = this.#wanted()) await this.#load(wanted.branch, wanted.page);
        this.error = null;
      } while (this.#stale);
    } catch (error) {
      this.error = asApiError(error);
    } finally {
      this.#fetching = false;
    }
  }
}
