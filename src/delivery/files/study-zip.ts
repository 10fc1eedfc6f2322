import { createHash, randomUUID } from "node:crypto";
import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { FileSession } from "../../network/file-transfer/file-session.ts";
import { readZipDirectory, type ZipEntry } from "../../network/zip/zip-directory.ts";
import { contentOf, crc32Of, type ZippedFile, zipStream } from "../../network/zip/zip-stream.ts";
import type { AttachedFile } from "../../staging/attached-file.ts";
import { rethrowOutbox } from "../../staging/outbox.ts";
import { makeFolders } from "../../units/make-folders.ts";
import type { StudyDelivery } from "../destination.ts";
import { zipContentOf } from "../reading/study-reading.ts";
import { fileNameOf } from "./layout.ts";
import { bytesRead } from "./read-back.ts";

/** Beside the series, what a processing hook made: below it a folder for each set of instances. */
const PROCESSED = "processed";

/** A zip on a server. */
export interface RemoteZip {
  readonly path: string;
  readonly sizeBytes: number;
  /** Undefined: it is none of ours, or not whole. */
  readonly entries: readonly ZipEntry[] | undefined;
}

/** `<pseudonym>/<study>/<series>/<instance>.dcm`, as folders are laid out. */
export function entryNameOf(
  { pseudonym, studyInstanceUid }: Pick<StudyDelivery, "pseudonym" | "studyInstanceUid">,
  file: Parameters<typeof fileNameOf>[0],
): string {
  return `${pseudonym}/${studyInstanceUid}/${fileNameOf(file)}`;
}

export function attachedNameOf(
  { pseudonym, studyInstanceUid }: Pick<StudyDelivery, "pseudonym" | "studyInstanceUid">,
  { name }: Pick<AttachedFile, "name">,
): string {
  return `${pseudonym}/${studyInstanceUid}/${name}`;
}

/** Whether all that is in it was delivered for this patient and study; one that is not whole is nobody's. */
export function isOfStudy(
  { entries }: RemoteZip,
  { pseudonym, studyInstanceUid }: Pick<StudyDelivery, "pseudonym" | "studyInstanceUid">,
): boolean {
  const folder = `${pseudonym}/${studyInstanceUid}/`;
  return entries?.every(({ name }) => name.startsWith(folder) && isOurs(name.slice(folder.length))) === true;
}

/** An instance, or what a processing hook made. */
function isOurs(name: string): boolean {
  return name.split("/").length === 2 || name.startsWith(`${PROCESSED}/`);
}

/** What a zip on the server holds, by the directory at its end; undefined when there is none. */
export async function listZip(session: FileSession, path: string): Promise<RemoteZip | undefined> {
  const sizeBytes = await session.sizeOf(path);
  if (sizeBytes === undefined) return undefined;
  const entries = await readZipDirectory({
    sizeBytes,
    readFrom: (start) => readTail(session, path, { start, sizeBytes }),
  });
  return { path, sizeBytes, entries };
}

function readTail(
  session: FileSession,
  path: string,
  { start, sizeBytes }: { readonly start: number; readonly sizeBytes: number },
): Promise<Buffer> {
  return bytesRead((sink) => session.read(path, { start, mostBytes: sizeBytes - start }, sink));
}

/** A zip that was fetched back. */
export interface LocalCopy {
  /** Lower-case hexadecimal; empty for what is not in it. */
  sha256Of(name: string): Promise<string>;
  /**
   * What is in it of series that the delivery has nothing of: those are other originals', while of its own series the delivery has all.
   * @throws GatewayError DELIVERY_UNCONFIRMED when one of them is damaged
   */
  besides(delivery: StudyDelivery): Promise<readonly ZippedFile[]>;
}

interface CopiedFile extends ZippedFile {
  readonly sum: number;
}

/** What names of copies begin with in this process: those of others were left by processes that died. */
const OWN = randomUUID();

/** Removes copies that were left in the folder. Others of this process stay: destinations of one name are open side by side while settings are reloaded. */
export async function clearCopies(folder: string): Promise<void> {
  await makeFolders(folder, { mode: 0o700 });
  for (const name of await readdir(folder))
    if (!name.startsWith(OWN)) await rm(join(folder, name), { recursive: true, force: true });
}

/**
 * Fetches the zip into the folder for as long as it is used.
 * @throws GatewayError OUTBOX_FULL, OUTBOX_UNAVAILABLE of our own disk; those of the server
 */
export async function withLocalCopy<T>(
  session: FileSession,
  { path: remote, sizeBytes, entries = [] }: RemoteZip,
  folder: string,
  use: (copy: LocalCopy) => Promise<T>,
): Promise<T> {
  const path = join(folder, `${OWN}.${randomUUID()}.zip`);
  const files = new Map(entries.map((entry) => [entry.name, { ...entry, path }]));
  try {
    const sink = await fileSink(path);
    await session.read(remote, { start: 0, mostBytes: sizeBytes }, sink).finally(() => sink.destroy());
    return await use({
      sha256Of: (name) => sha256Of(files.get(name)),
      besides: (delivery) => besides([...files.values()], delivery),
    });
  } finally {
    await rm(path, { force: true });
  }
}

/** Says itself what its disk says: a session would take it for its server's. */
async function fileSink(path: string): Promise<Writable> {
  const file = await open(path, "wx", 0o600).catch(rethrowOutbox);
  return new Writable({
    write(piece: Buffer, _, done) {
      file
        .appendFile(piece)
        .catch(rethrowOutbox)
        .then(() => done(), done);
    },
    destroy(failure, done) {
      file.close().then(
        () => done(failure),
        () => done(failure),
      );
    },
  });
}

async function sha256Of(file: ZippedFile | undefined): Promise<string> {
  if (file === undefined) return "";
  const hash = createHash("sha256");
  for await (const piece of contentOf(file)) hash.update(piece);
  return hash.digest("hex");
}

async function besides(files: readonly CopiedFile[], delivery: StudyDelivery): Promise<readonly ZippedFile[]> {
  const { attached = [] } = delivery;
  const own = new Set<string>(delivery.files.map(({ seriesInstanceUid }) => seriesInstanceUid));
  const sets = new Set(attached.map(({ name }) => name.split("/")[1]));
  const others = files.filter(({ name }) => {
    const [, , place = "", set] = name.split("/");
    return !own.has(place) && !(place === PROCESSED && sets.has(set));
  });
  for (const file of others)
    if ((await crc32Of(file)) !== file.sum) throw new GatewayError("DELIVERY_UNCONFIRMED", { what: "sum" });
  return others;
}

/** In the order of names, whichever original came first. */
export function zipFor(delivery: StudyDelivery, kept: readonly ZippedFile[]): AsyncGenerator<Uint8Array> {
  const own = delivery.files.map((file) => ({
    name: entryNameOf(delivery, file),
    path: file.path,
    sizeBytes: file.sizeBytes,
    open: () => zipContentOf(delivery, file),
  }));
  const beside = (delivery.attached ?? []).map((file) => ({
    ...file,
    name: attachedNameOf(delivery, file),
    open: () => zipContentOf(delivery, file),
  }));
  return zipStream([...kept, ...own, ...beside].sort((a, b) => (a.name < b.name ? -1 : 1)));
}
