import { type FileWindow, openWindow } from "./file-window.ts";
import type { Identifiers } from "./needles.ts";
import { CHUNK_BYTES, type Piece, searchPieces } from "./pieces.ts";

/** An output of which parts are too long to be held. */
export interface FileToSearch {
  readonly outputPath: string;
  readonly inFile: readonly Piece[];
}

/** Why an output must not be delivered: a kind of identifier and a place. */
export interface FileHit {
  readonly outputPath: string;
  readonly reason: string;
}

/** Reads again what no piece holds. @throws RangeError when there are too many identifiers */
export async function searchFiles(
  files: readonly FileToSearch[],
  identifiers: Identifiers,
  signal: AbortSignal,
): Promise<readonly FileHit[]> {
  const hits: FileHit[] = [];
  // What is read of all the files lies in the same memory.
  const memory = files.length === 0 ? undefined : Buffer.allocUnsafeSlow(CHUNK_BYTES);
  for (const { outputPath, inFile } of files) {
    signal.throwIfAborted();
    await using window: FileWindow = await openWindow(outputPath, { memory });
    const hit = await searchPieces(inFile, identifiers, () => Promise.resolve(window));
    if (hit !== undefined) hits.push({ outputPath, reason: `${hit.kind} in ${hit.place}` });
  }
  return hits;
}
