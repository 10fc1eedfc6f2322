import type { ErrorCode } from "../errors/registry.ts";

/** How a claim of a message or task ended. `progress` is written as given; absent: it stays. */
export type LeasedOutcome =
  | { readonly state: "done"; readonly progress?: string; readonly attempts: number }
  | { readonly state: "failed"; readonly code: ErrorCode; readonly progress?: string; readonly attempts: number }
  | {
      readonly state: "waiting";
      readonly code: ErrorCode;
      readonly dueAtMs: number;
      readonly progress?: string;
      readonly attempts: number;
    };
