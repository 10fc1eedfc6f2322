import type { ErrorDetails } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { MethodName } from "./methods.ts";

/** What the main thread and the store's thread say to each other. */
export type ToStore =
  | { readonly call: number; readonly method: MethodName; readonly args: readonly unknown[] }
  | { readonly close: true };

export type FromStore =
  | { readonly ready: true }
  | { readonly refused: StoreFailure }
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly failure: StoreFailure };

export interface StoreFailure {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  /** The stack of what was thrown, for the log of a developer; it holds names of statements, no values. */
  readonly stack: string | undefined;
}
