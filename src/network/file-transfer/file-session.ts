import { Transform, type Writable } from "node:stream";
import type { GatewayError } from "../../errors/gateway-error.ts";

/**
 * Files on a server, by whatever protocol. Paths count from the folder one is in after logging in, unless they begin with `/`.
 * @throws GatewayError of the protocol's own codes from every method; DESTINATION_FULL; the reason of the signal it was opened with
 */
export interface FileSession extends AsyncDisposable {
  /** Undefined: no such file. */
  sizeOf(path: string): Promise<number | undefined>;
  /** The file's bytes from there on, as many as are expected at most: more are refused. The sink is ended. */
  read(path: string, range: { readonly start: number; readonly mostBytes: number }, sink: Writable): Promise<void>;
  /** Whatever has the name is overwritten. */
  write(path: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Many servers replace what has the new name, some refuse. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes what is missing of it. */
  makeFolder(path: string): Promise<void>;
  /** What is in a folder; undefined: no such folder. A link is a file, wherever it leads. */
  list(path: string): Promise<readonly FolderEntry[] | undefined>;
  /** Of an empty folder; servers refuse any other. */
  removeFolder(path: string): Promise<void>;
}

export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** Passes so many bytes on, and fails at the next. */
export function limitedTo(mostBytes: number, tooMany: () => GatewayError): Transform {
  let passedBytes = 0;
  return new Transform({
    transform(piece: Buffer, _, done) {
      passedBytes += piece.length;
      if (passedBytes > mostBytes) done(tooMany());
      else done(null, piece);
    },
  });
}
