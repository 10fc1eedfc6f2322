import { type FileSource, fileSource } from "../../dicom/sources.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";

/** A file on local disk that awaits delivery: an instance, or what a processing hook made. */
export type StagedCopy = Pick<DeidentifiedFile, "path" | "sizeBytes" | "sha256">;

/** Of one reading; what is shared is shared in such pieces. */
export const CHUNK_BYTES = 1024 * 1024;

export type OpenFile = (path: string) => Promise<FileSource>;

/** @throws GatewayError DELIVERY_FILE_CHANGED when it is gone or of another size */
export async function openCopy({ path, sizeBytes }: StagedCopy, open: OpenFile = fileSource): Promise<FileSource> {
  const file = await open(path).catch(unreadable);
  if (file.sizeBytes === sizeBytes) return file;
  await file[Symbol.asyncDispose]();
  throw new GatewayError("DELIVERY_FILE_CHANGED", { what: "size" });
}

/** So many chunks has a file. */
export function chunkCount({ sizeBytes }: StagedCopy): number {
  return Math.ceil(sizeBytes / CHUNK_BYTES);
}

/** A chunk in memory of its own: the one before may still be on its way. @throws GatewayError DELIVERY_FILE_CHANGED */
export async function readChunk(source: FileSource, index: number): Promise<Uint8Array> {
  const start = index * CHUNK_BYTES;
  const bytes = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, source.sizeBytes - start));
  const count = await source.readInto(bytes, start).catch(unreadable);
  if (count !== bytes.length) throw new GatewayError("DELIVERY_FILE_CHANGED", { what: "size" });
  return bytes;
}

function unreadable(thrown: unknown): never {
  throw new GatewayError("DELIVERY_FILE_CHANGED", { what: "reading" }, thrown);
}

/** All of the file in order, the next chunk being read while one is in use. @throws GatewayError DELIVERY_FILE_CHANGED */
export async function* readAlone(copy: StagedCopy): AsyncGenerator<Uint8Array> {
  await using source = await openCopy(copy);
  const count = chunkCount(copy);
  let next = count > 0 ? readChunk(source, 0) : undefined;
  for (let index = 1; next !== undefined; index += 1) {
    const chunk: Uint8Array = await next;
    next = index < count ? readChunk(source, index) : undefined;
    // Thrown when its turn comes, if it comes.
    next?.catch(() => undefined);
    yield chunk;
  }
}
