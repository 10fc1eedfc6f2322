import { constants, createWriteStream } from "node:fs";
import { chmod, copyFile, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileSource } from "../../dicom/reader.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { memberContent } from "../../network/zip/member-content.ts";
import type { ZipMember } from "../../network/zip/zip-members.ts";
import { isDiskFull, isMissing } from "../../units/durable-files.ts";
import type { InstanceTaker } from "../http/staging-store.ts";
import type { FileFacts, IndexedInstance } from "./indexed-instance.ts";

/** What ends a retrieval: the next instance would fare no better. */
const ENDS_ALL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "STAGING_FULL",
  "STAGING_UNAVAILABLE",
  "ARCHIVE_FOLDER_UNREADABLE",
  "CANCELLED",
]);

export interface Taking {
  readonly taker: InstanceTaker;
  /** Told of a file that is no longer what it was. */
  forget(path: string): void;
}

/** A copy goes into staging; the original stays. False when there is none, or it was refused. */
export async function takeIn(
  { taker, forget }: Taking,
  instance: IndexedInstance,
  signal: AbortSignal,
): Promise<boolean> {
  const { staging, expectations, refusals, random } = taker;
  const { studyInstanceUid, sopInstanceUid } = instance;
  const { file, member } = instance.place;
  // A DICOMDIR lists it and it is nowhere: it counts as missing.
  if (file === undefined) return false;
  const copy = join(staging.incoming, `${Buffer.from(random.bytes(16)).toString("hex")}.part`);
  try {
    await requireSame(file);
    if (member === undefined) await copyWhole(file.path, copy);
    else await unpack(file.path, member, copy, signal);
    await requireSame(file);
    await staging.adopt(
      copy,
      (staged) => staged.studyInstanceUid === studyInstanceUid && staged.sopInstanceUid === sopInstanceUid,
    );
    expectations.noteArrival(studyInstanceUid, sopInstanceUid);
    return true;
  } catch (thrown) {
    signal.throwIfAborted();
    const { code } = toGatewayError(thrown);
    if (ENDS_ALL.has(code)) throw thrown;
    if (code === "MEDIA_FILE_CHANGED") forget(file.path);
    refusals.noteRefusal([sopInstanceUid], code);
    return false;
  } finally {
    await rm(copy, { force: true });
  }
}

/** @throws GatewayError MEDIA_FILE_CHANGED when it is gone, or is not what it was when it was looked at */
async function requireSame({ path, sizeBytes, mtimeMs }: FileFacts): Promise<void> {
  const now = await stat(path).catch(unlessReadable);
  if (now.size !== sizeBytes || now.mtimeMs !== mtimeMs) throw new GatewayError("MEDIA_FILE_CHANGED");
}

function unlessReadable(thrown: unknown): never {
  throw new GatewayError(isMissing(thrown) ? "MEDIA_FILE_CHANGED" : "ARCHIVE_FOLDER_UNREADABLE", {}, thrown);
}

async function copyWhole(path: string, copy: string): Promise<void> {
  await using original = await open(path, "r").catch(unlessReadable);
  await original.stat().catch(unlessReadable);
  await copyFile(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).catch(asStagingError);
  // The original's rights came with it: of media mostly those to read alone.
  await chmod(copy, 0o600).catch(asStagingError);
}

async function unpack(path: string, member: ZipMember, copy: string, signal: AbortSignal): Promise<void> {
  await using zip = await fileSource(path).catch(unlessReadable);
  const sink = createWriteStream(copy, { flags: "wx", mode: 0o600 });
  await pipeline(memberContent(zip, member), sink, { signal }).catch((thrown: unknown) => {
    if (thrown instanceof GatewayError) throw thrown;
    asStagingError(thrown);
  });
}

function asStagingError(thrown: unknown): never {
  if (isMissing(thrown)) throw new GatewayError("MEDIA_FILE_CHANGED", {}, thrown);
  throw new GatewayError(isDiskFull(thrown) ? "STAGING_FULL" : "STAGING_UNAVAILABLE", {}, thrown);
}
