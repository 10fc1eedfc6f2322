import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { tags } from "../../dicom/dictionary/tags.ts";
import { bytesSource, readPart10 } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import type { SopInstanceUid } from "../../dicom/uid.ts";
import { uidOf } from "../../dicom/values.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { fileBytes } from "../../network/rest/xnat/files.ts";
import { isNotFound } from "../../network/rest/xnat/sessions.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { concurrently } from "../../units/concurrently.ts";
import type { StoredFile } from "./stored-files.ts";

/**
 * What proves that XNAT holds an instance. `digest`: a file of the same size and sum. `uids`: a file with its UID, for sites whose scripts
 * change what they store.
 */
export type XnatConfirmation = "digest" | "uids";

const PARALLEL_FILES = 4;
const READ_BYTES = 1024 * 1024;
/** The file meta information ends well before. PS3.10 7.1. */
const HEAD_BYTES = 64 * 1024;

/** Which of our files are among those that XNAT lists; names are the site's own and prove nothing. */
export async function heldAmong(
  client: HttpClient,
  files: readonly DeidentifiedFile[],
  stored: readonly StoredFile[],
  confirm: XnatConfirmation,
  signal: AbortSignal,
): Promise<ReadonlySet<SopInstanceUid>> {
  return confirm === "digest"
    ? await heldByDigest(client, files, stored, signal)
    : await heldByUid(client, files, stored, signal);
}

async function heldByDigest(
  client: HttpClient,
  files: readonly DeidentifiedFile[],
  stored: readonly StoredFile[],
  signal: AbortSignal,
): Promise<ReadonlySet<SopInstanceUid>> {
  const sizes = new Set(stored.map(({ sizeBytes }) => sizeBytes));
  const summed = new Set(stored.flatMap(({ sizeBytes, md5 }) => (md5 === undefined ? [] : [`${sizeBytes} ${md5}`])));
  const held = new Set<SopInstanceUid>();
  await concurrently(files, PARALLEL_FILES, async ({ path, sizeBytes, sopInstanceUid }) => {
    if (!sizes.has(sizeBytes)) return;
    const read = createReadStream(path, { highWaterMark: READ_BYTES });
    if (summed.has(`${sizeBytes} ${await digestOf(read, createHash("md5"), signal)}`)) held.add(sopInstanceUid);
  });
  // A site without sums: what is there is read back.
  const wanted = new Map(files.flatMap((file) => (held.has(file.sopInstanceUid) ? [] : [[file.sha256, file]])));
  const wantedSizes = new Set([...wanted.values()].map(({ sizeBytes }) => sizeBytes));
  const unsummed = stored.filter(({ md5, sizeBytes }) => md5 === undefined && wantedSizes.has(sizeBytes));
  await concurrently(unsummed, PARALLEL_FILES, async ({ resource, path }) => {
    const sha256 = await digestOf(fileBytes(client, resource, path, signal), createHash("sha256"), signal).catch(lost);
    const file = sha256 === undefined ? undefined : wanted.get(sha256);
    if (file !== undefined) held.add(file.sopInstanceUid);
  });
  return held;
}

/** Listed, and on the disk no more. */
function lost(thrown: unknown): undefined {
  if (!isNotFound(thrown)) throw thrown;
}

async function digestOf(pieces: AsyncIterable<Uint8Array>, hash: Hash, signal: AbortSignal): Promise<string> {
  for await (const piece of pieces) {
    signal.throwIfAborted();
    hash.update(piece);
  }
  return hash.digest("hex");
}

/** Sites may be set to name files by UID: only those that are not are opened. */
async function heldByUid(
  client: HttpClient,
  files: readonly DeidentifiedFile[],
  stored: readonly StoredFile[],
  signal: AbortSignal,
): Promise<ReadonlySet<SopInstanceUid>> {
  const ours = new Map<string, SopInstanceUid>(files.map(({ sopInstanceUid }) => [sopInstanceUid, sopInstanceUid]));
  const held = new Set<SopInstanceUid>();
  const there = stored.filter(({ sizeBytes }) => sizeBytes > 0);
  await concurrently(there, PARALLEL_FILES, async (file) => {
    const named = ours.get(file.path.replace(/^.*\//, "").replace(/\.dcm$/i, ""));
    const uid = named ?? ours.get((await uidInFile(client, file, signal)) ?? "");
    if (uid !== undefined) held.add(uid);
  });
  return held;
}

/** By the file meta information; the rest is not read. Undefined: no DICOM, or not on the disk. */
async function uidInFile(client: HttpClient, file: StoredFile, signal: AbortSignal): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const piece of fileBytes(client, file.resource, file.path, signal)) {
      pieces.push(piece);
      sizeBytes += piece.length;
      if (sizeBytes >= HEAD_BYTES) break;
    }
  } catch (thrown) {
    return lost(thrown);
  }
  try {
    const { meta } = await readPart10(bytesSource(Buffer.concat(pieces)), { stopBefore: tagOf(0x00080000) });
    return uidOf(meta, tags.MediaStorageSOPInstanceUID);
  } catch {
    return undefined;
  }
}
