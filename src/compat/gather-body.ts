import { pipeline, Transform } from "node:stream";
import type { FastifyInstance } from "fastify";
import { createBytePieces } from "../units/byte-pieces.ts";

/** Chunks are passed on joined to at least this. */
const LOT_BYTES = 64 * 1024;

/** A media type with its parameters. RFC 9110 8.3.1, without blanks round the equals sign. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[^"]*"))*$/;

/** Every body as its bytes, whatever type it is said to have: also one that is no type, which the server would refuse by itself. */
export function takeBodies(server: FastifyInstance): void {
  gatherBodies(server);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
  server.addHook("onRequest", async ({ headers }) => {
    const given = headers["content-type"];
    if (given !== undefined && !MEDIA_TYPE.test(given)) headers["content-type"] = "application/octet-stream";
  });
}

/** Joins small chunks: a body that comes byte by byte would be held as one object a byte, hundreds of times its size, while it is read whole. */
function gatherBodies(server: FastifyInstance): void {
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
