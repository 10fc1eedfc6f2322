import { pipeline, Transform } from "node:stream";
import type { FastifyInstance } from "fastify";
import { createBytePieces } from "../units/byte-pieces.ts";

const LOT_BYTES = 64 * 1024;

/** Bodies that come in chunks of a byte each would be held as so many objects, hundreds of times their size, by whoever reads them whole. */
export function gatherBodies(server: FastifyInstance): void {
  server.addHook("preParsing", async ({ headers }, _, body) =>
    headers["content-length"] === undefined && headers["transfer-encoding"] === undefined
      ? body
      : pipeline(body, gathering(), () => {}),
  );
}

function gathering(): Transform {
  let pieces = createBytePieces();
  return new Transform({
    transform(chunk: Buffer, _, done) {
      pieces.add(chunk);
      if (pieces.sizeBytes < LOT_BYTES) return done();
      const lot = pieces.bytes();
      pieces = createBytePieces();
      done(null, lot);
    },
    flush(done) {
      if (pieces.sizeBytes === 0) done();
      else done(null, pieces.bytes());
    },
  });
}
