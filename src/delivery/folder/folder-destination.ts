import { randomUUID } from "node:crypto";
import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import type { SopInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { readStudyReports, STUDY_REPORT, studyReportText } from "../../staging/study-folder-report.ts";
import { type Clock, systemClock } from "../../units/clock.ts";
import { concurrently } from "../../units/concurrently.ts";
import { isMissing, syncFolder, writeFileDurably } from "../../units/durable-files.ts";
import { makeFolders } from "../../units/make-folders.ts";
import { createSemaphore, type Semaphore } from "../../units/semaphore.ts";
import type { Destination, Receipt, StudyDelivery } from "../destination.ts";
import { deliveryReport } from "../files/delivery-report.ts";
import { localFiles } from "../files/local-files.ts";
import { treeAttachments } from "../files/tree-attachments.ts";
import { reportedIn } from "../files/tree-destination.ts";
import { treeRemoval } from "../files/tree-removal.ts";
import { type Delivered, lookAt } from "./delivered-file.ts";
import { rethrowDestination } from "./destination-error.ts";
import { type DestinationFolder, destinationFolder } from "./destination-folder.ts";
import { makeReadableFolders } from "./make-readable-folders.ts";
import { FILE_MODE, type Placing, placeFile } from "./place-file.ts";

/** Temporary files live here, below the destination, so that a rename is enough. */
const TEMPORARY = ".radferry";
/** Of a gateway that is there no more: nothing was added for so long. */
const ABANDONED_MS = 7 * 24 * 3_600_000;
const PARALLEL_FILES = 4;

/** Project names that are folder names and nothing else. */
const PROJECT_FOLDER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * `<path>/<project>/<pseudonym>/<study>/<series>/<instance>.dcm`, each file whole or absent, and `radferry-report.json` beside the series.
 * @throws GatewayError DESTINATION_FOLDER_MISSING, DESTINATION_NOT_WRITABLE, DESTINATION_FULL, DESTINATION_UNAVAILABLE, as every method does
 */
export async function createFolderDestination({
  name,
  path,
  owner = "gateway",
  clock = systemClock,
  syncNames = syncFolder,
}: {
  readonly name: string;
  readonly path: string;
  /** Another for each gateway that delivers to the folder: what it had under way when it died is its own to clear away. */
  readonly owner?: string;
  readonly clock?: Clock;
  /** Makes the names in a folder survive a power cut. */
  readonly syncNames?: (folder: string) => Promise<void>;
}): Promise<Destination> {
  const temporary = join(path, TEMPORARY, owner);
  const top = destinationFolder({ name, path });
  const folder: Folder = {
    name,
    path,
    require: top.require,
    temporary,
    syncNames,
    reporting: createSemaphore(1),
    links: "untried",
    clones: "untried",
  };
  const rethrow = rethrowDestination(name);
  await top.make();
  await sweep(folder, clock.nowMs()).catch(rethrow);
  return {
    name,
    kind: "folder",
    proof: "sha256",
    held: (delivery, signal) => held(folder, delivery, signal).catch(rethrow),
    send: (delivery, files, signal) => send(folder, delivery, files, signal).catch(rethrow),
    conclude: (delivery, receipt, signal) => conclude(folder, delivery, receipt, signal).catch(rethrow),
    attachments: treeAttachments({ name, server: localFiles(top), path, readsBack: true, reported: reportedIn }),
    removal: treeRemoval({ server: localFiles(top), path, parallel: PARALLEL_FILES, reported: reportedIn }),
    async [Symbol.asyncDispose]() {
      await rmdir(folder.temporary).catch(() => {});
      // Not empty: another gateway delivers to the same folder.
      await rmdir(dirname(folder.temporary)).catch(() => {});
    },
  };
}

async function sweep({ temporary }: Folder, nowMs: number): Promise<void> {
  await rm(temporary, { recursive: true, force: true });
  await makeFolders(temporary);
  const all = dirname(temporary);
  for (const owner of await readdir(all)) {
    const changedAtMs = (await stat(join(all, owner)).catch(() => undefined))?.mtimeMs ?? nowMs;
    if (nowMs - changedAtMs > ABANDONED_MS) await rm(join(all, owner), { recursive: true, force: true });
  }
}

interface Folder extends Placing, Pick<DestinationFolder, "name" | "path" | "require"> {
  readonly temporary: string;
  readonly syncNames: (folder: string) => Promise<void>;
  /** Of two studies that become one, the later must find the report of the earlier. */
  readonly reporting: Semaphore;
}

/** Every part was validated where it was made; the project's name comes from the configuration. */
function studyFolder({ name, path }: Folder, { project, pseudonym, studyInstanceUid }: StudyDelivery): string {
  if (!PROJECT_FOLDER.test(project)) throw new GatewayError("DESTINATION_NOT_WRITABLE", { destination: name });
  return join(path, project, pseudonym, studyInstanceUid);
}

function fileIn(study: string, { seriesInstanceUid, sopInstanceUid }: DeidentifiedFile): string {
  return join(study, seriesInstanceUid, `${sopInstanceUid}.dcm`);
}

/** Contents are read back and compared, not names alone. */
async function held(
  folder: Folder,
  delivery: StudyDelivery,
  signal: AbortSignal,
): Promise<ReadonlySet<SopInstanceUid>> {
  await folder.require();
  const study = studyFolder(folder, delivery);
  const found = new Set<SopInstanceUid>();
  const isThere = await namesOf(study, delivery.files);
  await concurrently(delivery.files.filter(isThere), PARALLEL_FILES, async (file) => {
    signal.throwIfAborted();
    if ((await lookAt(fileIn(study, file), file, signal)) === "same") found.add(file.sopInstanceUid);
  });
  return found;
}

/** Tells what has a name in its series' folder: one look for each folder, as most files are not there before they are sent. */
async function namesOf(
  study: string,
  files: readonly DeidentifiedFile[],
): Promise<(file: DeidentifiedFile) => boolean> {
  const folders = new Set(files.map((file) => dirname(fileIn(study, file))));
  const names = new Map<string, ReadonlySet<string>>();
  for (const folder of folders) names.set(folder, new Set(await readdir(folder).catch(noneWhereMissing)));
  return (file) => {
    const path = fileIn(study, file);
    return names.get(dirname(path))?.has(basename(path)) ?? false;
  };
}

function noneWhereMissing(thrown: unknown): readonly string[] {
  if (isMissing(thrown)) return [];
  throw thrown;
}

async function send(
  folder: Folder,
  delivery: StudyDelivery,
  files: readonly DeidentifiedFile[],
  signal: AbortSignal,
): Promise<void> {
  await folder.require();
  const study = studyFolder(folder, delivery);
  const reports = await readStudyReports(study);
  const ours = new Set(reports.flatMap((report) => report.files.map(({ path }) => path)));
  await using arriving = createArriving(folder);
  const isThere = await namesOf(study, files);
  for (const series of new Set(files.map((file) => dirname(fileIn(study, file))))) await makeReadableFolders(series);
  await concurrently(files, PARALLEL_FILES, async (file) => {
    signal.throwIfAborted();
    const target = fileIn(study, file);
    const there: Delivered = isThere(file) ? await lookAt(target, file, signal) : "absent";
    if (there === "same") return;
    // What an earlier delivery left is ours to replace; nobody else's file is.
    if (there === "other" && !ours.has(relative(study, target)))
      throw new GatewayError("DELIVERY_CONFLICT", { destination: folder.name, path: relative(folder.path, target) });
    const temporary = async (): Promise<string> => join(await arriving.folder(), `${file.sopInstanceUid}.dcm`);
    await placeFile(folder, delivery, file, { isTaken: there === "other", target, temporary });
  });
}

/** Where files of one sending grow, made when it is first asked for; nothing is left of it in the end. */
function createArriving({ temporary }: Folder): AsyncDisposable & { readonly folder: () => Promise<string> } {
  let made: Promise<string> | undefined;
  const make = async (): Promise<string> => {
    const path = join(temporary, randomUUID());
    await makeFolders(path);
    return path;
  };
  return {
    folder: () => (made ??= make()),
    async [Symbol.asyncDispose]() {
      const path = await made?.catch(() => undefined);
      if (path !== undefined) await rm(path, { recursive: true, force: true });
    },
  };
}

/** The folders that instances and attached files lie in, and every folder above them up to the destination: their names must survive too. */
function foldersOf(root: string, study: string, { files, attached = [] }: StudyDelivery): ReadonlySet<string> {
  const folders = new Set([root]);
  const paths = [...files.map((file) => fileIn(study, file)), ...attached.map(({ name }) => join(study, name))];
  for (const file of paths)
    for (let path = dirname(file); !folders.has(path) && path.length > root.length; path = dirname(path))
      folders.add(path);
  return folders;
}

/** What was there already may have been left by a try that was cut short before its names were on disk. */
async function conclude(folder: Folder, delivery: StudyDelivery, receipt: Receipt, signal: AbortSignal): Promise<void> {
  await folder.require();
  const study = studyFolder(folder, delivery);
  for (const path of foldersOf(folder.path, study, delivery)) {
    signal.throwIfAborted();
    await folder.syncNames(path);
  }
  using _ = await folder.reporting.acquire(signal);
  const text = studyReportText(await readStudyReports(study), deliveryReport(delivery, receipt));
  await makeFolders(folder.temporary);
  await writeFileDurably(join(study, STUDY_REPORT), text, { mode: FILE_MODE, temporaryFolder: folder.temporary });
}
