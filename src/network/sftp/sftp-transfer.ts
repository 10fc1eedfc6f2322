import { Readable, type Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { SFTPWrapper } from "ssh2";
import { GatewayError } from "../../errors/gateway-error.ts";
import { statusOf } from "./sftp-error.ts";

/** Sends a request and waits for its answer. @throws what the server answered, or GatewayError when none comes */
export type SftpAsker = <T>(
  request: (done: (failed: Error | null | undefined, result: T) => void) => unknown,
) => Promise<T>;

interface RemoteFile {
  readonly sftp: SFTPWrapper;
  readonly ask: SftpAsker;
  readonly path: string;
}

/** What every server takes at once (draft-ietf-secsh-filexfer-02, section 3: packets of 34,000 bytes). */
const PIECE_BYTES = 32_768;
/** Requests under way: one at a time would wait for the network between any two. */
const REQUESTS_AHEAD = 32;

/** Reads from there on to the end, in order; the sink is ended. */
export async function readFile(
  { sftp, ask, path, start }: RemoteFile & { readonly start: number },
  limiter: Transform,
  sink: Writable,
): Promise<void> {
  const handle = await ask<Buffer>((done) => sftp.open(path, "r", done));
  try {
    const { size } = await ask<{ size: number }>((done) => sftp.fstat(handle, done));
    await pipeline(Readable.from(piecesOf({ sftp, ask, handle }, start, size)), limiter, sink);
  } finally {
    await ask<void>((done) => sftp.close(handle, done)).catch(() => undefined);
  }
}

type OpenFile = Omit<RemoteFile, "path"> & { readonly handle: Buffer };

async function* piecesOf(file: OpenFile, start: number, end: number): AsyncGenerator<Buffer> {
  const underWay: Promise<Buffer>[] = [];
  let next = start;
  try {
    while (next < end || underWay.length > 0) {
      while (next < end && underWay.length < REQUESTS_AHEAD) {
        const piece = readPiece(file, next, Math.min(PIECE_BYTES, end - next));
        piece.catch(() => undefined);
        underWay.push(piece);
        next += PIECE_BYTES;
      }
      const piece = await underWay.shift();
      if (piece !== undefined) yield piece;
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** A server may answer with less than was asked for. */
async function readPiece({ sftp, ask, handle }: OpenFile, position: number, sizeBytes: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(sizeBytes);
  for (let filled = 0; filled < sizeBytes; ) {
    const read = await ask<number>((done) =>
      sftp.read(handle, piece, filled, sizeBytes - filled, position + filled, done),
    );
    // The file became shorter while it was read.
    if (read === 0) throw new GatewayError("SFTP_REFUSED", { what: "size" });
    filled += read;
  }
  return piece;
}

/** Written and, where the server can (fsync@openssh.com), on its disk before this resolves. */
export async function writeFile({ sftp, ask, path }: RemoteFile, content: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await ask<Buffer>((done) => sftp.open(path, "w", done));
  try {
    await writeAll({ sftp, ask, handle }, content);
    await synced({ sftp, ask, handle });
  } finally {
    await ask<void>((done) => sftp.close(handle, done)).catch(() => undefined);
  }
}

async function writeAll({ sftp, ask, handle }: OpenFile, content: AsyncIterable<Uint8Array>): Promise<void> {
  const underWay: Promise<void>[] = [];
  let position = 0;
  try {
    for await (const bytes of content) {
      for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
        // Whoever makes the content may fill the same memory again.
        const piece = Buffer.from(bytes.subarray(from, from + PIECE_BYTES));
        const at = position;
        const written = ask<void>((done) => sftp.write(handle, piece, 0, piece.length, at, done));
        written.catch(() => undefined);
        underWay.push(written);
        position += piece.length;
        if (underWay.length >= REQUESTS_AHEAD) await underWay.shift();
      }
    }
    for (const written of underWay.splice(0)) await written;
  } finally {
    await Promise.allSettled(underWay);
  }
}

async function synced({ sftp, ask, handle }: OpenFile): Promise<void> {
  try {
    await ask<void>((done) => sftp.ext_openssh_fsync(handle, done));
  } catch (thrown) {
    // Thrown on this side where the server did not offer it.
    if (thrown instanceof GatewayError || statusOf(thrown) !== undefined) throw thrown;
  }
}
