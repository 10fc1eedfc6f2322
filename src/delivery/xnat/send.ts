import { GatewayError } from "../../errors/gateway-error.ts";
import { HttpError } from "../../network/http-client/http-error.ts";
import { type ImportTarget, importInstance, importZip } from "../../network/rest/xnat/imports.ts";
import {
  archivePrearchived,
  buildSession,
  prearchivePath,
  type XnatOverwrite,
} from "../../network/rest/xnat/prearchive.ts";
import { zipStream } from "../../network/zip/zip-stream.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { concurrently } from "../../units/concurrently.ts";
import { batchesOf } from "../batches.ts";
import { readCopy, zipContentOf } from "../reading/study-reading.ts";
import { heldInSessions, isHeldBy, lookForSession, type XnatPlace } from "./place.ts";

/** One zip: XNAT unpacks it before it answers, and what is cut in between comes again. */
const ZIP_FILES = 1_000;
const ZIP_BYTES = 1024 * 1024 * 1024;

/**
 * Sends what the session lacks; what an earlier try left in the prearchive is finished, not sent again.
 * @throws GatewayError XNAT_SESSION_TAKEN, XNAT_SESSION_IN_PREARCHIVE, and those of the exchange
 */
export async function sendToXnat(
  place: XnatPlace,
  files: readonly DeidentifiedFile[],
  signal: AbortSignal,
): Promise<void> {
  const { into, overwrite, name } = place.options;
  const { archived, prearchived } = await lookForSession(place, signal);
  if (archived !== undefined && overwrite === "none") throw taken(name, place.session);
  const waiting =
    into === "archive" ? await heldInSessions(place, prearchived.map(prearchivePath), signal) : new Set<never>();
  // A session that is replaced needs all of them.
  const isReplaced = archived !== undefined && overwrite === "delete";
  const wanted = isReplaced ? place.delivery.files : files;
  const missing = wanted.filter((file) => !isHeldBy(waiting)(file));
  if (missing.length > 0) await sendAll(place, missing, archived === undefined ? "none" : overwrite, signal);
  if (into === "archive") await finishPrearchived(place, archived === undefined ? "none" : overwrite, signal);
}

/** Zips and the instances that no zip takes. What follows the first zip is added to its session. */
async function sendAll(
  place: XnatPlace,
  files: readonly DeidentifiedFile[],
  overwrite: XnatOverwrite,
  signal: AbortSignal,
): Promise<void> {
  const { options, project, subject, session } = place;
  const { client, name, into } = options;
  const asItIs = options.confirm === "digest";
  const target: ImportTarget = { project, subject, session, into, overwrite, asItIs };
  const isSingle = ({ sizeBytes }: DeidentifiedFile): boolean =>
    options.upload === "gradual-dicom" || sizeBytes > ZIP_BYTES;
  let next = target;
  const zipped = files.filter((file) => !isSingle(file));
  const limits = { files: options.zipFiles ?? ZIP_FILES, sizeBytes: ZIP_BYTES };
  for (const batch of batchesOf(zipped, limits)) {
    const entries = batch.map((file) => ({
      name: `${file.sopInstanceUid}.dcm`,
      path: file.path,
      sizeBytes: file.sizeBytes,
      open: () => zipContentOf(place.delivery, file),
    }));
    await importZip(client, next, () => zipStream(entries), signal).catch(conflict(name, session));
    next = { ...target, overwrite: "append" };
  }
  await concurrently(files.filter(isSingle), options.parallel, async (file) => {
    await importInstance(client, target, () => readCopy(place.delivery, file), signal);
  });
}

function conflict(destination: string, session: string): (thrown: unknown) => never {
  return (thrown) => {
    throw thrown instanceof HttpError && thrown.status === 409 ? taken(destination, session) : thrown;
  };
}

function taken(destination: string, session: string): GatewayError {
  return new GatewayError("XNAT_SESSION_TAKEN", { destination, session });
}

/** Builds and archives what of the session is in the prearchive. What XNAT is at work on is left to it: reading back tells how it went. */
async function finishPrearchived(place: XnatPlace, overwrite: XnatOverwrite, signal: AbortSignal): Promise<void> {
  const { client, name } = place.options;
  const { archived, prearchived } = await lookForSession(place, signal);
  for (const session of prearchived) {
    if ((await buildSession(client, session, signal)) === "locked") continue;
    const mode = archived !== undefined && overwrite === "none" ? "append" : overwrite;
    if ((await archivePrearchived(client, session, mode, signal)) === "conflict") throw taken(name, place.session);
  }
}
