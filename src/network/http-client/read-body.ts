import { createBytePieces } from "../../units/byte-pieces.ts";
import { HttpError } from "./http-error.ts";
import { parseMediaType } from "./media-type.ts";
import type { HttpResponse } from "./types.ts";

const USUAL_JSON_BYTES = 64 * 1024 * 1024;
const USUAL_JSON_DEPTH = 128;
const HTML: ReadonlySet<string> = new Set(["text/html", "application/xhtml+xml"]);

export interface JsonLimits {
  /** @default 64 MiB */
  readonly sizeBytes?: number;
  /** Arrays and objects within one another. @default 128 */
  readonly depth?: number;
}

/** Whether a web page came. */
export function isHtml({ headers }: Pick<HttpResponse, "headers">): boolean {
  return HTML.has(parseMediaType(headers.get("content-type"))?.type ?? "");
}

/** The error that says: not what was asked for. */
export function contentUnexpected(response: Pick<HttpResponse, "headers" | "status">): HttpError {
  const type = parseMediaType(response.headers.get("content-type"))?.type;
  const { status } = response;
  return new HttpError(
    "HTTP_CONTENT_UNEXPECTED",
    { contentType: type !== undefined && /^[\w.+/-]{1,80}$/.test(type) ? type : "none", status },
    { status },
  );
}

/** All of the body. @throws HttpError HTTP_BODY_TOO_LARGE, and what reading throws */
export async function readBytes({ body }: Pick<HttpResponse, "body">, limitBytes: number): Promise<Buffer> {
  const pieces = createBytePieces();
  for await (const piece of body) {
    pieces.add(piece);
    if (pieces.sizeBytes > limitBytes) throw new HttpError("HTTP_BODY_TOO_LARGE", { limitBytes });
  }
  return pieces.bytes();
}

/** All of the body as UTF-8. @throws HttpError HTTP_BODY_TOO_LARGE, and what reading throws */
export async function readText(response: Pick<HttpResponse, "body">, limitBytes: number): Promise<string> {
  return (await readBytes(response, limitBytes)).toString("utf8");
}

/**
 * A JSON document; an empty body is undefined, as servers send 200 or 204 for "nothing".
 * @throws HttpError HTTP_CONTENT_UNEXPECTED for a web page, HTTP_BODY_TOO_LARGE, HTTP_JSON_INVALID, and what reading throws
 */
export async function readJson(response: HttpResponse, limits: JsonLimits = {}): Promise<unknown> {
  const { sizeBytes = USUAL_JSON_BYTES, depth = USUAL_JSON_DEPTH } = limits;
  if (isHtml(response)) throw contentUnexpected(response);
  const bytes = await readBytes(response, sizeBytes);
  if (bytes.length === 0) return undefined;
  if (depthOf(bytes, depth) > depth) throw new HttpError("HTTP_JSON_INVALID", { what: "depth", limit: depth });
  try {
    const parsed: unknown = JSON.parse(bytes.toString("utf8").replace(/^\uFEFF/, ""));
    return parsed;
  } catch {
    // The parser's own words quote the text.
    throw new HttpError("HTTP_JSON_INVALID", { what: "syntax" });
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** How deep arrays and objects are nested; no further than the limit is counted. */
function depthOf(bytes: Uint8Array, limit: number): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let at = 0; at < bytes.length && deepest <= limit; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === BACKSLASH && isText) at += 1;
    else if (byte === QUOTE) isText = !isText;
    else if (isText) continue;
    else if (OPENING.has(byte)) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (CLOSING.has(byte)) depth -= 1;
  }
  return deepest;
}
