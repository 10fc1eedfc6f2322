import type { RejectionCode } from "../outcome.ts";

/** Stops an instance inside the engine; turned into an outcome at its edge. `reason` holds no value of the object. */
export class Rejection extends Error {
  override readonly name = "Rejection";
  readonly code: RejectionCode;
  readonly reason: string;

  constructor(code: RejectionCode, reason: string) {
    super(`${code}: ${reason}`);
    this.code = code;
    this.reason = reason;
  }
}
