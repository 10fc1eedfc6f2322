import { createHash } from "node:crypto";
import { Writable } from "node:stream";

/** Writes into a sink and ends it. */
type Fill = (sink: Writable) => Promise<void>;

/** SHA-256 of what is written, lower-case hexadecimal; nothing of it is kept. @throws what `fill` throws */
export async function sha256Read(fill: Fill): Promise<string> {
  const hash = createHash("sha256");
  await fill(sinkOf((piece) => void hash.update(piece)));
  return hash.digest("hex");
}

/** All that is written; how much may come is the caller's to limit. @throws what `fill` throws */
export async function bytesRead(fill: Fill): Promise<Buffer> {
  const pieces: Buffer[] = [];
  await fill(sinkOf((piece) => void pieces.push(piece)));
  return Buffer.concat(pieces);
}

function sinkOf(take: (piece: Buffer) => void): Writable {
  return new Writable({
    write(piece: Buffer, _, done) {
      take(piece);
      done();
    },
  });
}
