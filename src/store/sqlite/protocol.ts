import type { ErrorDetails } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { MethodName } from "../sql/methods.ts";

/** What the main thread and the store's thread say to each other. */
export type ToStore =
  | { readonly call: number; readonly method: MethodName; readonly args: readonly unknown[] }
  | { readonly close: true };

export type Answer =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly failure: StoreFailure };

export type FromStore =
  | { readonly ready: true }
  | { readonly refused: StoreFailure }
  /** One message for all that were committed together. */
  | { readonly answers: readonly Answer[] };

/** What the store's thread is started with. */
export interface StoreStart {
  readonly path: string;
  readonly nowMs: number;
  /** Nothing is ever committed: see `openRehearsal`. */
  readonly isRehearsal: boolean;
}

export interface StoreFailure {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  /** The stack of what was thrown, for the log of a developer; names and places only, no values. */
  readonly stack: string | undefined;
}
