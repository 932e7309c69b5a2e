/** A running embedded broker as its pages see it: asked for again every second while somebody looks. */
import type { ClientDetail, Clients, EmbeddedLive, RetainedPage, Rpc } from "../../../backend/types";
import { Loaded } from "../../../state/loaded.svelte";

const EVERY = 1_000;

export class LiveBroker {
  readonly live: Loaded<EmbeddedLive>;

  constructor(rpc: Rpc, id: string) {
    this.live = new Loaded(() => rpc("embedded.live", { id }));
  }
}

/** A page of something that is read window by window. */
class Windowed<T extends { total: number; rows: R[] }, R> {
  readonly page: Loaded<T>;
  from = 0;
  count = 0;

  constructor(ask: (from: number, count: number) => Promise<T>) {
    this.page = new Loaded(() => ask(this.from, Math.max(this.count, 1)));
  }

  get total(): number {
    return this.page.value?.total ?? 0;
  }

  /** The rows on the screen are others now. */
  show(from: number, count: number): void {
    this.from = from;
    this.count = count;
    void this.page.load();
  }

  row(index: number): R | undefined {
    return this.page.value?.rows[index - this.from];
  }
}

export class ClientTable extends Windowed<Clients, Clients["rows"][number]> {
  text = $state("");

  constructor(rpc: Rpc, id: string) {
    super((from, count) => rpc("embedded.clients", { id, text: this.text, from, count }));
  }
}

export class RetainedTable extends Windowed<RetainedPage, RetainedPage["rows"][number]> {
  filter = $state("");

  constructor(rpc: Rpc, id: string) {
    super((from, count) => rpc("embedded.retained", { id, filter: this.filter, from, count }));
  }
}

export class ClientPage {
  readonly detail: Loaded<ClientDetail>;

  constructor(rpc: Rpc, id: string, clientId: string) {
    this.detail = new Loaded(() => rpc("embedded.client", { id, clientId }));
  }
}

/** Does it now and every second, until the returned function is called. For `$effect`. */
export function everySecond(load: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let over = false;
  const turn = async () => {
    await load();
    if (!over) timer = setTimeout(() => void turn(), EVERY);
  };
  void turn();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
