import type { ByteSource } from "../../dicom/data-set.ts";
import { piecesSource } from "../../dicom/pieces-source.ts";

/**
 * An instance on its way from a stream to where it is kept. `discard` is called in the end, after `keep` too: it removes what was not kept,
 * and what was read of the source is over with it.
 */
export interface IncomingInstance<T> {
  /** Takes the next pieces; they are its own. One call at a time. */
  write(pieces: readonly Uint8Array[]): void | Promise<void>;
  /** True: it is done with the pieces as soon as `write` is, so that their memory can be used again; else they are copied for it. */
  readonly borrows?: boolean | undefined;
  /** What was written, to be looked at before it is kept. */
  source(): ByteSource;
  /** @param sopInstanceUid validated: names come from it */
  keep(sopInstanceUid: string): Promise<T>;
  discard(): Promise<void>;
}

/** Where instances of a stream are kept: a folder, staging, memory. */
export interface InstanceStore<T> {
  /** @throws GatewayError FOLDER_NOT_WRITABLE and the like, which end a retrieval: the next instance would fare no better */
  begin(): Promise<IncomingInstance<T>>;
}

/** Writes pieces that are lent. */
export async function writeLent<T>(incoming: IncomingInstance<T>, pieces: readonly Uint8Array[]): Promise<void> {
  await incoming.write(incoming.borrows === true ? pieces : pieces.map((piece) => Uint8Array.from(piece)));
}

/** Instances as bytes, for programs that look at one after the other. @param limitBytes of one instance */
export function memoryStore(limitBytes: number, tooLarge: () => Error): InstanceStore<Buffer> {
  return {
    begin() {
      let pieces: Uint8Array[] = [];
      let sizeBytes = 0;
      return Promise.resolve({
        write(more) {
          for (const { length } of more) sizeBytes += length;
          if (sizeBytes > limitBytes) throw tooLarge();
          pieces.push(...more);
        },
        source: () => piecesSource(pieces),
        keep: () => Promise.resolve(Buffer.concat(pieces)),
        discard() {
          pieces = [];
          return Promise.resolve();
        },
      });
    },
  };
}
