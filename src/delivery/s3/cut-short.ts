import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { ObjectFacts, ObjectStore } from "../../network/s3/s3-client.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { sha256Read } from "../files/read-back.ts";

/**
 * Whether an object that nobody marked is the beginning of a file of ours: stores that write in place keep that much of one whose upload was
 * cut off, and no mark. To write the whole over it loses nothing.
 */
export async function isCutShort(
  store: ObjectStore,
  key: string,
  there: ObjectFacts,
  { path, sizeBytes }: DeidentifiedFile,
  signal: AbortSignal,
): Promise<boolean> {
  if (there.sizeBytes === 0) return true;
  if (there.sizeBytes >= sizeBytes) return false;
  const kept = await sha256Read((sink) => store.get({ key, mostBytes: there.sizeBytes }, sink, signal));
  const beginning = createReadStream(path, { end: there.sizeBytes - 1, signal });
  return kept === (await sha256Read((sink) => pipeline(beginning, sink)));
}
