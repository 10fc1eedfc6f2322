import type { Random } from "../../units/random.ts";

export interface OutgoingPart {
  /** In the order and letter case given. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

export interface MultipartWriteOptions {
  readonly boundary: string;
  /** A line end before the first delimiter, as CXF writes it. @default false */
  readonly leadingLineEnd?: boolean | undefined;
  /** A line end behind the closing delimiter. @default true */
  readonly finalLineEnd?: boolean | undefined;
}

/** 128 random bits: no content holds it by chance. */
export function newBoundary(random: Random): string {
  return `MIMEBoundary_${Buffer.from(random.bytes(16)).toString("hex")}`;
}

/** A multipart body, piece by piece; a part's stream is opened when its turn comes. RFC 2046 5.1. */
export async function* writeMultipart(
  parts: Iterable<OutgoingPart> | AsyncIterable<OutgoingPart>,
  { boundary, leadingLineEnd = false, finalLineEnd = true }: MultipartWriteOptions,
): AsyncGenerator<Uint8Array, undefined> {
  let lineEnd = leadingLineEnd ? "\r\n" : "";
  for await (const { headers, body } of parts) {
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    yield Buffer.from(`${lineEnd}--${boundary}\r\n${lines}\r\n`);
    if (body instanceof Uint8Array) yield body;
    else yield* body;
    lineEnd = "\r\n";
  }
  yield Buffer.from(`${lineEnd}--${boundary}--${finalLineEnd ? "\r\n" : ""}`);
}
