/** For unit tests only: a port whose answers a test gives one by one, and which remembers what was asked. */
import type { Backend, CommandName, Frame, Request, Response } from "../backend/types";

type Answers = { [K in CommandName]?: (request: Request<K>) => Response<K> | Promise<Response<K>> };

export class FakePort implements Backend {
  readonly asked: { name: CommandName; request: unknown }[] = [];
  answers: Answers;
  #onFrame: (frame: Frame) => void = () => undefined;

  constructor(answers: Answers = {}) {
    this.answers = answers;
  }

  readonly rpc = async <K extends CommandName>(name: K, request: Request<K>): Promise<Response<K>> => {
    this.asked.push({ name, request });
    const answer = this.answers[name] as ((request: Request<K>) => Response<K> | Promise<Response<K>>) | undefined;
    if (!answer) throw { code: "failed", message: `no answer to ${name}`, problems: [], users: [] };
    return await answer(request);
  };

  subscribe = (onFrame: (frame: Frame) => void): Promise<void> => {
    this.#onFrame = onFrame;
    return Promise.resolve();
  };

  push(frame: Frame): void {
    this.#onFrame(frame);
  }

  count(name: CommandName): number {
    return this.asked.filter((call) => call.name === name).length;
  }

  last(name: CommandName): unknown {
    return this.asked.filter((call) => call.name === name).at(-1)?.request;
  }
}

/** Lets everything that is already settled run. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
