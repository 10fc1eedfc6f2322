import { GatewayError } from "../../../errors/gateway-error.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A list of 1,000 series is 65 kB; PIXL's own messages are below 1 kB. */
const MAXIMUM_BYTES = 1024 * 1024;
/** A message with a time zone is ten deep. */
const MAXIMUM_DEPTH = 32;

/** What Python's json writes where JSON has no word for a number. */
export const NOT_A_NUMBER = { notANumber: true } as const;

/** A string as a whole, or one of Python's three words outside of strings. An open string ends with the text: each character is read once. */
const STRING_OR_WORD = /"(?:[^"\\]+|\\.)*"?|-?Infinity|NaN/gs;
const STRING_OR_BRACKET = /"(?:[^"\\]+|\\.)*"?|[[{]|[\]}]/gs;

/**
 * Reads what Python's json module writes, `NaN` and the infinities included, which become `NOT_A_NUMBER`.
 * @throws GatewayError PIXL_MESSAGE_NOT_JSON, PIXL_MESSAGE_TOO_LARGE
 */
export function parsePythonJson(bytes: Uint8Array): unknown {
  if (bytes.length > MAXIMUM_BYTES) throw new GatewayError("PIXL_MESSAGE_TOO_LARGE", { sizeBytes: bytes.length });
  const text = decodeText(bytes);
  if (depthOf(text) > MAXIMUM_DEPTH) throw new GatewayError("PIXL_MESSAGE_TOO_LARGE", { maximumDepth: MAXIMUM_DEPTH });
  // A word that no string of the message holds.
  const marker = markerFor(text);
  const json = text.replace(STRING_OR_WORD, (found) => (found.startsWith('"') ? found : `"${marker}"`));
  try {
    const value: unknown = JSON.parse(json, (_, each: unknown) => (each === marker ? NOT_A_NUMBER : each));
    return value;
  } catch {
    // What the parser says quotes the text.
    throw new GatewayError("PIXL_MESSAGE_NOT_JSON", { problem: "not JSON" });
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new GatewayError("PIXL_MESSAGE_NOT_JSON", { problem: "not UTF-8" });
  }
}

/** More in a row than the text has anywhere: trying ever longer ones takes the square of its length, and more. */
function markerFor(text: string): string {
  let longest = 0;
  for (const [row] of text.matchAll(/N+/g)) longest = Math.max(longest, row.length);
  return `Na${"N".repeat(longest + 1)}`;
}

function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const [token] of text.matchAll(STRING_OR_BRACKET)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** As Python's json.dumps with its defaults: `", "`, `": "` and ASCII only. */
export function writePythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writePythonJson).join(", ")}]`;
  if (isJsonObject(value)) {
    const members = Object.entries(value).map(([name, each]) => `${writePythonJson(name)}: ${writePythonJson(each)}`);
    return `{${members.join(", ")}}`;
  }
  return JSON.stringify(value ?? null).replace(/[\u007f-\uffff]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && value !== NOT_A_NUMBER && !Array.isArray(value);
}
