import { GatewayError } from "../../errors/gateway-error.ts";
import { systemCodeOf } from "../../units/durable-files.ts";
import type { Failure } from "./protocol.ts";

/** Takes an error apart, for another thread. */
export function failureOf(thrown: unknown): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { message } = error;
  const stack = error.stack ?? message;
  if (error instanceof GatewayError) return { kind: "gateway", code: error.code, details: error.details, stack };
  const code = systemCodeOf(error);
  if (code !== undefined) return { kind: "system", facts: { code, ...syscallOf(error) }, message, stack };
  return { kind: error instanceof RangeError ? "range" : "other", message, stack };
}

function syscallOf(error: Error): { readonly syscall?: string } {
  return "syscall" in error && typeof error.syscall === "string" ? { syscall: error.syscall } : {};
}

/** The error again, with the stack it had where it was thrown. */
export function errorOf(failure: Failure): Error {
  const error = made(failure);
  error.stack = failure.stack;
  return error;
}

function made(failure: Failure): Error {
  switch (failure.kind) {
    case "gateway":
      return new GatewayError(failure.code, failure.details);
    case "system":
      return Object.assign(new Error(failure.message), failure.facts);
    case "range":
      return new RangeError(failure.message);
    case "other":
      return new Error(failure.message);
  }
}
