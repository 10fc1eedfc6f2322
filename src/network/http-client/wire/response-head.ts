import { HttpError } from "../http-error.ts";

/** The beginning of an answer. RFC 9112 2.1. */
export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; several of one name are joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly framing: Framing;
  /** Whether the connection may bring another answer. */
  readonly isKept: boolean;
}

/** How the end of a body is found. RFC 9112 6.3. */
export type Framing =
  | { readonly kind: "none" | "chunked" | "until-close" }
  | { readonly kind: "length"; readonly bytes: number };

const MAXIMUM_FIELDS = 2_000;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Neither a control character nor a bare line end. RFC 9110 5.5. */
const NO_FIELD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const BODYLESS: ReadonlySet<number> = new Set([204, 304]);

export function violation(what: string): HttpError {
  return new HttpError("HTTP_PROTOCOL_VIOLATION", { what });
}

/**
 * What may be read in two ways is refused, as whoever stands between us and the peer may read it in the other: folded lines, blanks before a
 * colon, a length given twice, a length beside chunks, codings of the transfer. RFC 9112 5.1, 5.2, 6.1, 6.3.
 * @param bytes without the empty line
 * @throws HttpError HTTP_PROTOCOL_VIOLATION, HTTP_HEADERS_TOO_LARGE
 */
export function parseResponseHead(bytes: Buffer, method: string): ResponseHead {
  const [first = "", ...lines] = bytes.toString("latin1").split("\r\n");
  const [, minor, digits = ""] = STATUS_LINE.exec(first) ?? [];
  if (minor === undefined) throw violation("status line");
  const headers = fieldsOf(lines);
  const status = Number(digits);
  const framing = framingOf(headers, minor === "1");
  const isBodyless = method === "HEAD" || status < 200 || BODYLESS.has(status);
  const isClosing = tokensOf(headers.get("connection")).includes("close");
  return {
    status,
    headers,
    framing: isBodyless ? { kind: "none" } : framing,
    isKept: minor === "1" && !isClosing && (isBodyless || framing.kind !== "until-close"),
  };
}

/** @throws HttpError HTTP_PROTOCOL_VIOLATION, HTTP_HEADERS_TOO_LARGE */
export function fieldsOf(lines: readonly string[]): ReadonlyMap<string, string> {
  if (lines.length > MAXIMUM_FIELDS) throw new HttpError("HTTP_HEADERS_TOO_LARGE");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!FIELD_NAME.test(name) || NO_FIELD_VALUE.test(line)) throw violation("header");
    const value = trimmed(line, colon + 1);
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return fields;
}

function framingOf(headers: ReadonlyMap<string, string>, isPersistent: boolean): Framing {
  const [coding, length] = [headers.get("transfer-encoding"), headers.get("content-length")];
  if (coding !== undefined) {
    if (length !== undefined) throw violation("length and chunks");
    if (!isPersistent || coding.toLowerCase() !== "chunked") throw violation("transfer coding");
    return { kind: "chunked" };
  }
  if (length === undefined) return { kind: "until-close" };
  if (!/^\d{1,15}$/.test(length)) throw violation("content length");
  return { kind: "length", bytes: Number(length) };
}

function tokensOf(value = ""): readonly string[] {
  return value.split(",").map((token) => token.trim().toLowerCase());
}

/** The rest of a line without blanks around it; UTF-8 where it is that. */
function trimmed(line: string, from: number): string {
  let [start, end] = [from, line.length];
  while (start < end && isBlank(line, start)) start += 1;
  while (end > start && isBlank(line, end - 1)) end -= 1;
  const value = line.slice(start, end);
  return /[\x80-\xff]/.test(value) ? Buffer.from(value, "latin1").toString("utf8") : value;
}

function isBlank(text: string, at: number): boolean {
  return text[at] === " " || text[at] === "\t";
}
