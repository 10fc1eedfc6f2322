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
    yield opening(headers, boundary, lineEnd);
    if (body instanceof Uint8Array) yield body;
    else yield* body;
    lineEnd = "\r\n";
  }
  yield closing(boundary, lineEnd, finalLineEnd);
}

/** The bytes of such a body whose parts are of these sizes; undefined when one is not known. */
export function multipartBytes(
  parts: Iterable<Pick<OutgoingPart, "headers"> & { readonly sizeBytes: number | undefined }>,
  { boundary, leadingLineEnd = false, finalLineEnd = true }: MultipartWriteOptions,
): number | undefined {
  let lineEnd = leadingLineEnd ? "\r\n" : "";
  let bytes = 0;
  for (const { headers, sizeBytes } of parts) {
    if (sizeBytes === undefined) return undefined;
    bytes += opening(headers, boundary, lineEnd).length + sizeBytes;
    lineEnd = "\r\n";
  }
  return bytes + closing(boundary, lineEnd, finalLineEnd).length;
}

function opening(headers: OutgoingPart["headers"], boundary: string, lineEnd: string): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`${lineEnd}--${boundary}\r\n${lines}\r\n`);
}

function closing(boundary: string, lineEnd: string, finalLineEnd: boolean): Buffer {
  return Buffer.from(`${lineEnd}--${boundary}--${finalLineEnd ? "\r\n" : ""}`);
}
