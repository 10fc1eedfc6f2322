import { createReadStream } from "node:fs";
import { bytesSource } from "../../dicom/reader.ts";
import type { SopInstanceUid } from "../../dicom/uid.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { inspectInstance } from "../../network/instance-files/inspect.ts";
import { fileBytes } from "../../network/rest/xnat/files.ts";
import { isNotFound } from "../../network/rest/xnat/sessions.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { concurrently } from "../../units/concurrently.ts";
import { type FileDigests, fileDigests, headOf, uidInHead } from "./file-digests.ts";
import type { StoredFile } from "./stored-files.ts";

/**
 * What proves that XNAT holds an instance. `uids`: a whole file with its UID; XNAT writes the headers of what it receives anew, and a
 * site's scripts may change them. `digest`: the same file, or at least the same data set, byte for byte.
 */
export type XnatConfirmation = "digest" | "uids";

const PARALLEL_FILES = 4;
const READ_BYTES = 1024 * 1024;
/** A file that is read back is held in memory up to this size; of a longer one, beginning and size must do. */
const WALKED_BYTES = 32 * 1024 * 1024;
/** By so much a script may shorten what is no image. */
const HEADER_BYTES = 64 * 1024;

interface Question {
  readonly client: HttpClient;
  readonly confirm: XnatConfirmation;
  readonly signal: AbortSignal;
}

/** Which of our files are among those that XNAT lists; names are the site's own and prove nothing. */
export async function heldAmong(
  question: Question,
  files: readonly DeidentifiedFile[],
  stored: readonly StoredFile[],
): Promise<ReadonlySet<SopInstanceUid>> {
  const { confirm, signal } = question;
  const held = new Set<SopInstanceUid>();
  if (stored.length === 0) return held;
  const ours = new Map<SopInstanceUid, FileDigests>();
  const sizes = new Set(stored.map(({ sizeBytes }) => sizeBytes));
  const sums = new Set(stored.flatMap(({ sizeBytes, md5 }) => (md5 === undefined ? [] : [`${sizeBytes} ${md5}`])));
  await concurrently(files, PARALLEL_FILES, async ({ path, sizeBytes, sopInstanceUid }) => {
    // What is there unchanged is known by its sum; our own file is read for nothing else in most cases.
    if (confirm === "uids" && !sizes.has(sizeBytes)) return;
    const digests = await fileDigests(createReadStream(path, { highWaterMark: READ_BYTES }), signal);
    ours.set(sopInstanceUid, digests);
    if (sums.has(`${sizeBytes} ${digests.md5}`)) held.add(sopInstanceUid);
  });
  const wanted = new Map(files.flatMap((file) => (held.has(file.sopInstanceUid) ? [] : [[file.sopInstanceUid, file]])));
  if (wanted.size === 0) return held;
  const known = new Set([...ours].flatMap(([uid, { md5 }]) => (held.has(uid) ? [md5] : [])));
  const others = stored.filter(({ md5, sizeBytes }) => sizeBytes > 0 && (md5 === undefined || !known.has(md5)));
  await concurrently(others, PARALLEL_FILES, async (file) => {
    const found = await readBack(question, file, wanted, ours).catch(lost);
    if (found !== undefined) held.add(found);
  });
  return held;
}

/** Listed, and on the disk no more. */
function lost(thrown: unknown): undefined {
  if (!isNotFound(thrown)) throw thrown;
}

type Wanted = ReadonlyMap<string, DeidentifiedFile>;

/** Whose file it is that XNAT gives back, when that is enough of a proof. */
async function readBack(
  { client, confirm, signal }: Question,
  file: StoredFile,
  wanted: Wanted,
  ours: ReadonlyMap<SopInstanceUid, FileDigests>,
): Promise<SopInstanceUid | undefined> {
  const pieces = fileBytes(client, file.resource, file.path, signal);
  if (confirm === "digest") {
    const { head, dataSet } = await fileDigests(pieces, signal);
    const uid = wanted.get((await uidInHead(head)) ?? "")?.sopInstanceUid;
    return uid !== undefined && dataSet !== undefined && ours.get(uid)?.dataSet === dataSet ? uid : undefined;
  }
  if (file.sizeBytes > WALKED_BYTES) {
    const one = wanted.get((await uidInHead(await headOf(pieces))) ?? "");
    return one !== undefined && file.sizeBytes >= one.sizeBytes - HEADER_BYTES ? one.sopInstanceUid : undefined;
  }
  return await wholeInstance(pieces, wanted, signal);
}

/** Walked to its end: XNAT keeps what was cut short, too. */
async function wholeInstance(pieces: AsyncIterable<Uint8Array>, wanted: Wanted, signal: AbortSignal) {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  try {
    const { sopInstanceUid } = await inspectInstance(bytesSource(Buffer.concat(all)), signal);
    return wanted.get(sopInstanceUid)?.sopInstanceUid;
  } catch (thrown) {
    signal.throwIfAborted();
    if (/^INSTANCE_/.test(toGatewayError(thrown).code)) return undefined;
    throw thrown;
  }
}
