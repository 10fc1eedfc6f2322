import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { LogFields } from "../units/logger.ts";

const CAUSE_LIMIT = 5;
const FRAME_LIMIT = 10;
/** Codes such as ECONNREFUSED and ERR_SQLITE_ERROR; anything else might be data. */
const SYSTEM_CODE = /^[A-Z][A-Z0-9_]{1,63}$/;
const CLASS_NAME = /^[A-Z][A-Za-z0-9]{0,63}$/;
const FRAME = /^\s+at (?:.*[( /])?(?<place>[\w.-]+\.[cm]?[jt]s:\d+):\d+\)?$/;

/**
 * What may be logged of anything thrown: code and class, what each cause was, and where the innermost happened.
 * No message is ever taken: those of strangers may quote a file, a row or a peer's answer.
 */
export function errorFields(thrown: unknown): LogFields {
  const error = toGatewayError(thrown);
  const causes = causesOf(error);
  const innermost = causes.at(-1) ?? error;
  const frames = innermost instanceof GatewayError && error.code !== "INTERNAL" ? [] : framesOf(innermost);
  return {
    code: error.code,
    class: error.class,
    ...(causes.length === 0 ? {} : { causes: causes.map(nameOf).join(" < ") }),
    ...(frames.length === 0 ? {} : { frames: frames.join(" < ") }),
  };
}

function causesOf(error: Error): readonly unknown[] {
  const causes: unknown[] = [];
  let next: unknown = error.cause;
  while (next !== undefined && causes.length < CAUSE_LIMIT) {
    causes.push(next);
    next = next instanceof Error ? next.cause : undefined;
  }
  return causes;
}

function nameOf(thrown: unknown): string {
  if (thrown instanceof GatewayError) return thrown.code;
  if (!(thrown instanceof Error)) return typeof thrown;
  if ("code" in thrown && typeof thrown.code === "string" && SYSTEM_CODE.test(thrown.code)) return thrown.code;
  const { name } = thrown.constructor;
  return CLASS_NAME.test(name) ? name : "Error";
}

/** Files and lines only. The stack begins with the message, which is cut off first: it might look like a frame. */
function framesOf(thrown: unknown): readonly string[] {
  if (!(thrown instanceof Error) || thrown.stack === undefined) return [];
  const at = thrown.stack.indexOf(thrown.message);
  const below = thrown.message === "" || at < 0 ? thrown.stack : thrown.stack.slice(at + thrown.message.length);
  const places = below.split("\n").map((line) => FRAME.exec(line)?.groups?.place);
  return places.filter((place) => place !== undefined).slice(0, FRAME_LIMIT);
}
