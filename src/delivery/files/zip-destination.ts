import type { SopInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { FileSession } from "../../network/file-transfer/file-session.ts";
import type { ZipEntry } from "../../network/zip/zip-directory.ts";
import type { ZippedFile } from "../../network/zip/zip-stream.ts";
import type { AttachedFile } from "../../staging/attached-file.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { createKeyedLocks, type KeyedLocks } from "../../units/keyed-locks.ts";
import type { Destination, StudyDelivery } from "../destination.ts";
import type { StagedCopy } from "../reading/staged-copy.ts";
import { crc32OfCopy } from "../reading/study-reading.ts";
import { type FileServer, interrupted, replaceFile } from "./file-server.ts";
import {
  attachedNameOf,
  clearCopies,
  entryNameOf,
  isOfStudy,
  listZip,
  type RemoteZip,
  withLocalCopy,
  zipFor,
} from "./study-zip.ts";
import { type ZipPlace, zipPlaceOf } from "./zip-place.ts";
import { zipRemoval } from "./zip-removal.ts";

export interface ZipDestinationOptions {
  readonly name: string;
  readonly kind: Destination["kind"];
  readonly server: FileServer;
  /** On the server; empty: the folder one is in after logging in. */
  readonly path: string;
  /** `digest`: each instance with its size and CRC-32 by the zip's directory; `sha256`: the zip is fetched back and compared. */
  readonly proof: "digest" | "sha256";
  /** On this machine, for zips that are fetched back; what a process that died left in it is removed. */
  readonly temporaryFolder: string;
}

interface Zips {
  readonly options: ZipDestinationOptions;
  /** Of studies that become one, each adds to the zip that is there. */
  readonly zips: KeyedLocks<string>;
}

/**
 * A zip for each study, `<path>/<project>/<study>.zip`, as PIXL delivers them: written under another name and renamed when it is whole. A study
 * that several became has one zip, which grows with each.
 */
export async function createZipDestination(options: ZipDestinationOptions): Promise<Destination> {
  await clearCopies(options.temporaryFolder);
  const zips: Zips = { options, zips: createKeyedLocks() };
  return {
    name: options.name,
    kind: options.kind,
    proof: options.proof,
    held: (delivery, signal) => held(options, delivery, signal),
    send: (delivery, _files, signal) => send(zips, delivery, signal),
    // A receiver of zips expects nothing else: report and receipt stay with the gateway's own account. The zip may have been left by a try that was cut short.
    async conclude(delivery) {
      await options.server.settle?.(zipPlaceOf(options.path, delivery).path);
    },
    attachments: {
      held: (delivery, signal) => heldBeside(options, delivery, signal),
      send: (delivery, _files, signal) => send(zips, delivery, signal),
    },
    removal: zipRemoval(options),
    async [Symbol.asyncDispose]() {},
  };
}

async function held(
  options: ZipDestinationOptions,
  delivery: StudyDelivery,
  signal: AbortSignal,
): Promise<ReadonlySet<SopInstanceUid>> {
  await using session = await options.server.open(signal);
  const zip = await listZip(session, zipPlaceOf(options.path, delivery).path);
  if (zip?.entries === undefined) return new Set();
  if (options.proof === "digest") {
    const listed = new Map(zip.entries.map((entry) => [entry.name, entry]));
    return await matching(delivery, signal, (file, name) => isSame(file, listed.get(name)));
  }
  return await withLocalCopy(session, zip, options.temporaryFolder, (copy) =>
    matching(delivery, signal, async (file, name) => (await copy.sha256Of(name)) === file.sha256),
  );
}

async function heldBeside(
  options: ZipDestinationOptions,
  delivery: StudyDelivery,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { attached = [] } = delivery;
  await using session = await options.server.open(signal);
  const zip = await listZip(session, zipPlaceOf(options.path, delivery).path);
  if (zip?.entries === undefined) return new Set();
  const found = async (isThere: (file: AttachedFile, name: string) => Promise<boolean>) => {
    const names = new Set<string>();
    for (const file of attached) if (await isThere(file, attachedNameOf(delivery, file))) names.add(file.name);
    return names;
  };
  if (options.proof === "digest") {
    const listed = new Map(zip.entries.map((entry) => [entry.name, entry]));
    return await found((file, name) => isSame(file, listed.get(name)));
  }
  return await withLocalCopy(session, zip, options.temporaryFolder, (copy) =>
    found(async (file, name) => (await copy.sha256Of(name)) === file.sha256),
  );
}

async function matching(
  delivery: StudyDelivery,
  signal: AbortSignal,
  isThere: (file: DeidentifiedFile, name: string) => Promise<boolean>,
): Promise<ReadonlySet<SopInstanceUid>> {
  const found = new Set<SopInstanceUid>();
  for (const file of delivery.files) {
    signal.throwIfAborted();
    if (await isThere(file, entryNameOf(delivery, file))) found.add(file.sopInstanceUid);
  }
  return found;
}

async function isSame(copy: StagedCopy, entry: ZipEntry | undefined): Promise<boolean> {
  return entry?.sizeBytes === copy.sizeBytes && entry.sum === (await crc32OfCopy(copy));
}

/** The zip is made anew, of the whole delivery and of what other originals of the study brought. */
async function send({ options, zips }: Zips, delivery: StudyDelivery, signal: AbortSignal): Promise<void> {
  const place = zipPlaceOf(options.path, delivery);
  using _ = await zips.acquire(place.path, signal);
  await using session = await options.server.open(signal);
  const there = (await listZip(session, place.path)) ?? (await broughtBack(session, place));
  if (there !== undefined && !isOfStudy(there, delivery)) {
    const path = `${delivery.studyInstanceUid}.zip`;
    throw new GatewayError("DELIVERY_CONFLICT", { destination: options.name, path });
  }
  await session.makeFolder(place.folder);
  const upload = async (kept: readonly ZippedFile[]): Promise<void> => {
    await session.write(place.arriving, zipFor(delivery, kept)).catch(interrupted(options.server, options.name));
    await replaceFile(session, options.server, place);
  };
  if (there === undefined) await upload([]);
  else
    await withLocalCopy(session, there, options.temporaryFolder, async (copy) => upload(await copy.besides(delivery)));
}

/** A zip that was set aside when the connection broke: others' images are in it. */
async function broughtBack(session: FileSession, { path, aside }: ZipPlace): Promise<RemoteZip | undefined> {
  if ((await session.sizeOf(aside)) === undefined) return undefined;
  await session.rename(aside, path);
  return await listZip(session, path);
}
