import { link, open, readdir, rm, rmdir, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Disk } from "../../units/disk.ts";
import { isMissing, syncFolder, systemCodeOf, writeFileDurably } from "../../units/durable-files.ts";
import { makeFolders } from "../../units/make-folders.ts";
import { checkFileName, isWithin, PARAMETER_FILE, type ResultPlace, resultFolder } from "../file-names.ts";
import type { Received } from "./protocol.ts";
import { type GrowingFile, type LakeWriter, lakeError, startLakeWriter } from "./writer.ts";

/** On the file system of the lake, so that a file gets its final name in one step. */
const STAGING = ".radferry-staging";
const PART = ".part";

/** The folder that all services of a research site see: {lake}/{workflow}/{task}/{result}/{file}. */
export interface DataLake extends AsyncDisposable {
  readonly path: string;
  folderOf(place: ResultPlace): string;
  /** @throws GatewayError SCAN_LAKE_FULL, SCAN_LAKE_UNAVAILABLE */
  begin(transferId: string): Promise<GrowingFile>;
  /** What lies in staging with all its bytes, which survives a power cut then; undefined when some are missing. */
  stagedSum(transferId: string, sizeBytes: number): Promise<Received | undefined>;
  /**
   * Gives a staged file its final name, which survives a power cut. To repeat it changes nothing; another file of the name is never replaced.
   * @throws GatewayError SCAN_FILE_NAME_UNSAFE, SCAN_RESULT_DAMAGED when neither is there
   */
  commit(transferId: string, folder: string, fileName: string, sha256: string): Promise<void>;
  /** Writes what goes beside the file. */
  writeParameter(folder: string, text: string): Promise<void>;
  /** Takes a staged file away, and what was committed of it. */
  discard(transferId: string, committed?: { readonly folder: string; readonly fileName: string }): Promise<void>;
  sumOf(folder: string, fileName: string): Promise<Received>;
  /** Ids of transfers that something is staged of. */
  staged(): Promise<readonly string[]>;
  freeBytes(): Promise<number>;
}

/** @throws GatewayError SCAN_LAKE_UNAVAILABLE */
export async function openDataLake({ path, disk }: { readonly path: string; readonly disk: Disk }): Promise<DataLake> {
  const lake = resolve(path);
  const staging = join(lake, STAGING);
  await asLakeError(makeFolders(staging));
  const writer = startLakeWriter();
  const partOf = (transferId: string): string => join(staging, `${transferId}${PART}`);
  return {
    path: lake,
    folderOf: (place) => resultFolder(lake, place),
    begin: (transferId) => writer.begin(partOf(transferId)),
    async stagedSum(transferId, sizeBytes) {
      const part = partOf(transferId);
      const isWhole = await asLakeError(syncedSize(part)).then((size) => size === sizeBytes);
      return isWhole ? await sumIfThere(writer, part) : undefined;
    },
    async commit(transferId, folder, fileName, sha256) {
      checkPlace(lake, folder, fileName);
      const final = join(folder, fileName);
      await asLakeError(makeFoldersDurably(lake, folder));
      await commitFile(writer, { part: partOf(transferId), final, sha256 });
      await asLakeError(syncFolder(folder));
      await asLakeError(rm(partOf(transferId), { force: true }));
    },
    async writeParameter(folder, text) {
      if (!isWithin(lake, folder)) throw new GatewayError("SCAN_FILE_NAME_UNSAFE");
      await asLakeError(makeFoldersDurably(lake, folder));
      const path = join(folder, PARAMETER_FILE);
      await asLakeError(writeFileDurably(path, text, { mode: 0o644, temporaryFolder: staging }));
    },
    async discard(transferId, committed) {
      await asLakeError(rm(partOf(transferId), { force: true }));
      if (committed === undefined) return;
      const { folder, fileName } = committed;
      checkPlace(lake, folder, fileName);
      for (const name of [fileName, PARAMETER_FILE]) await asLakeError(rm(join(folder, name), { force: true }));
      // Folders that others have put something into stay.
      await rmdir(folder).catch(() => undefined);
    },
    sumOf(folder, fileName) {
      if (!isWithin(lake, folder)) throw new GatewayError("SCAN_FILE_NAME_UNSAFE");
      return writer.sumOf(join(folder, fileName));
    },
    async staged() {
      const names = await asLakeError(readdir(staging));
      return names.flatMap((name) => (name.endsWith(PART) ? [name.slice(0, -PART.length)] : []));
    },
    freeBytes: () => asLakeError(disk.freeBytes(lake)),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

/** @throws GatewayError SCAN_FILE_NAME_UNSAFE */
function checkPlace(lake: string, folder: string, fileName: string): void {
  checkFileName(fileName);
  if (!isWithin(lake, folder)) throw new GatewayError("SCAN_FILE_NAME_UNSAFE", { what: "folder" });
}

/** Makes the folder and what is missing above it, each synced into the one above, so that its name survives a power cut. */
async function makeFoldersDurably(lake: string, folder: string): Promise<void> {
  const first = await makeFolders(folder);
  if (first === undefined) return;
  for (let made = folder; made !== lake && made !== dirname(made); made = dirname(made)) {
    await syncFolder(dirname(made));
    if (made === first) return;
  }
}

/** By a hard link, which fails where there is a file of the name; a rename would replace it. */
async function commitFile(
  writer: LakeWriter,
  { part, final, sha256 }: { readonly part: string; readonly final: string; readonly sha256: string },
): Promise<void> {
  try {
    await link(part, final);
    await unlink(part);
  } catch (thrown) {
    if (systemCodeOf(thrown) !== "EEXIST" && !isMissing(thrown)) throw lakeError(systemCodeOf(thrown) ?? "");
    // An earlier commit may have been cut short behind the link.
    const there = await sumIfThere(writer, final);
    if (there?.sha256 !== sha256) throw new GatewayError("SCAN_RESULT_DAMAGED", {}, thrown);
  }
}

/** 0 for a file that is not there. */
async function syncedSize(path: string): Promise<number> {
  try {
    await using file = await open(path, "r+");
    await file.datasync();
    return (await file.stat()).size;
  } catch (thrown) {
    if (isMissing(thrown)) return 0;
    throw thrown;
  }
}

async function sumIfThere(writer: LakeWriter, path: string): Promise<Received | undefined> {
  return await writer.sumOf(path).catch((thrown: unknown) => {
    if (thrown instanceof GatewayError && thrown.code === "SCAN_RESULT_DAMAGED") return undefined;
    throw thrown;
  });
}

async function asLakeError<T>(work: Promise<T>): Promise<T> {
  return await work.catch((thrown: unknown) => {
    throw thrown instanceof GatewayError ? thrown : lakeError(systemCodeOf(thrown) ?? "");
  });
}
