import { createHash } from "node:crypto";
import { Writable } from "node:stream";
import type { FileSession } from "../../network/file-transfer/file-session.ts";

/** Of a file on a server, lower-case hexadecimal. @throws GatewayError when it is longer than it is said to be */
export async function sha256Of(session: FileSession, path: string, sizeBytes: number): Promise<string> {
  const hash = createHash("sha256");
  const sink = new Writable({
    write(piece: Buffer, _, done) {
      hash.update(piece);
      done();
    },
  });
  await session.read(path, { start: 0, mostBytes: sizeBytes }, sink);
  return hash.digest("hex");
}
