import { pipeline, Readable, type Transform } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Pieces } from "./body-queue.ts";
import type { RawResponse } from "./exchange.ts";
import { HttpError } from "./http-error.ts";

/** Decoders by content coding. RFC 9110 8.4.1. */
const DECODERS: ReadonlyMap<string, () => Transform> = new Map([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
]);

/** The body without its content coding. @throws HttpError HTTP_CONTENT_UNEXPECTED for a coding that was not asked for */
export function decoded({ headers, body, stop }: RawResponse): Pieces {
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (coding === "identity" || coding === "") return body;
  const decoder = DECODERS.get(coding);
  if (decoder === undefined) {
    stop();
    throw new HttpError("HTTP_CONTENT_UNEXPECTED", { what: "content coding" });
  }
  return inflated(body, decoder);
}

async function* inflated(
  body: AsyncIterable<Uint8Array>,
  create: () => Transform,
): AsyncGenerator<Uint8Array, undefined> {
  // Not by `compose`, which tells nobody of the decoder's fault where a body ends too early: the process would end with it.
  const decoder = create();
  let isEmpty = true;
  const noted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      isEmpty &&= piece.length === 0;
      yield piece;
    }
  };
  // What fails is thrown where the decoder is read.
  pipeline(Readable.from(noted(), { objectMode: false }), decoder, () => undefined);
  try {
    for await (const piece of decoder) {
      if (piece instanceof Uint8Array) yield piece;
    }
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown;
    // Some servers name the coding of answers that have no content: a 204, or the answer to HEAD. RFC 9110 8.4.
    const isCut = thrown instanceof Error && "code" in thrown && thrown.code === "Z_BUF_ERROR";
    if (isCut && isEmpty) return;
    throw new HttpError(
      isCut ? "HTTP_CONNECTION_LOST" : "HTTP_PROTOCOL_VIOLATION",
      { what: "content coding" },
      { cause: thrown },
    );
  }
}
