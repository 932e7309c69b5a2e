/**
 * The port to the engine: what the page may ask and what it is told. Everything else in the page depends on this
 * file and on the generated bindings, never on the window that carries the calls.
 */
import type { ApiError, Commands, Pushed } from "../bindings/api";

export type * from "../bindings/api";

export type CommandName = keyof Commands;
export type Request<K extends CommandName> = Commands[K]["request"];
export type Response<K extends CommandName> = Commands[K]["response"];

/** Calls a command; rejects with an `ApiError`. */
export type Rpc = <K extends CommandName>(name: K, request: Request<K>) => Promise<Response<K>>;

/** The way to the engine. */
export interface Backend {
  rpc: Rpc;
  /** Frames come from now on, in order. Resolves once the engine has accepted. */
  subscribe(onFrame: (frame: Pushed) => void): Promise<void>;
}

/** Any rejection as an `ApiError`, so that views need one kind of error only. */
export function asApiError(error: unknown): ApiError {
  if (typeof error === "object" && error !== null && "message" in error) {
    const e = error as Partial<ApiError> & { message: unknown };
    return {
      code: e.code ?? "failed",
      message: String(e.message),
      problems: Array.isArray(e.problems) ? e.problems : [],
      users: Array.isArray(e.users) ? e.users : [],
    };
  }
  return { code: "failed", message: typeof error === "string" ? error : "The call failed.", problems: [], users: [] };
}
