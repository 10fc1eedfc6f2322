import { z } from "zod";
import { GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";
import { readPythonJson } from "../../fastapi/python-json.ts";

/** What goes to a device. Without `command` its software takes it for an error. */
export function feedback(message: string, more: object = {}): object {
  return { command: "feedback", message, ...more };
}

export const PONG = { command: "pong" } as const;

/** @returns undefined for what is no JSON object */
export function readMessage(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = parsed(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/** Devices write with Python's json module, which has NaN and the infinities: whoever refuses them loses the file that they announce. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return readPythonJson(text).value;
  }
}

/** As Python's int() of a number or a text. */
export function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? Math.trunc(number) : undefined;
}

export const statusMessage = z.object({
  status: z.string(),
  data: z.unknown().optional(),
  task_id: z.string().nullish(),
  user_access_token: z.string().nullish(),
});

/** Type and subtype, and parameters of printable characters. RFC 6838 4.2. */
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(?:;[ -~]*)?$/i;

export const fileMessage = z.object({
  task_id: z.string(),
  user_access_token: z.string(),
  filename: z.string().default("upload.bin"),
  size_bytes: z.unknown(),
  sha256: z.string().nullish(),
  /** What is none is no reason to refuse a file. */
  content_type: z.string().max(255).regex(MEDIA_TYPE).optional().catch(undefined),
  /** Absent in the first version. */
  device_parameter: z.record(z.string(), z.unknown()).nullish(),
});
export type FileMessage = z.infer<typeof fileMessage>;

/** What the original says, where it says something. */
const WORDS: Partial<Record<ErrorCode, string>> = {
  SCAN_TASK_NOT_FOUND: "404: Task not found",
  SCAN_TASK_WRONG_TYPE: "400: Task is not an acquisition task",
  SCAN_FILE_MISMATCH: "Checksum mismatch for uploaded file.",
};

export function wordsOf(thrown: unknown): string {
  const { code, message } = toGatewayError(thrown);
  return WORDS[code] ?? message;
}

export function taskFailure(thrown: unknown): string {
  const isFetch = thrown instanceof GatewayError && /^SCAN_TASK_(?:NOT_FOUND|WRONG_TYPE)$/.test(thrown.code);
  return isFetch ? `Error fetching task: ${wordsOf(thrown)}` : `Could not update task: ${wordsOf(thrown)}`;
}
