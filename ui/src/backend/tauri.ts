/** The desktop window as the way to the engine: one command for all calls, one channel for all pushes. */
import { Channel, invoke } from "@tauri-apps/api/core";
import { asApiError, type Backend, type CommandName, type Pushed, type Request, type Response } from "./types";

/** Calls a command of the engine; rejects with an `ApiError`. */
export async function rpc<K extends CommandName>(name: K, request: Request<K>): Promise<Response<K>> {
  try {
    return await invoke<Response<K>>("rpc", { name, body: request });
  } catch (error) {
    throw asApiError(error);
  }
}

/** Receives every frame that the engine pushes. */
export async function subscribe(onFrame: (frame: Pushed) => void): Promise<void> {
  const channel = new Channel<Pushed>();
  channel.onmessage = onFrame;
  try {
    await invoke("subscribe", { channel });
  } catch (error) {
    throw asApiError(error);
  }
}

export const backend: Backend = { rpc, subscribe };
