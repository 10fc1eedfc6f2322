import { randomUUID } from "node:crypto";
import { chmod, constants, copyFile, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SopInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { concurrently } from "../../units/concurrently.ts";
import { isDiskFull, syncFile, syncFolder, writeFileDurably } from "../../units/durable-files.ts";
import type { Destination, Receipt, StudyDelivery } from "../destination.ts";
import { sha256OfFile } from "./file-hash.ts";

/** Temporary files live here, below the destination, so that a rename is enough. interfaces.md section 4. */
const TEMPORARY = ".radferry";
const REPORT = "radferry-report.json";
const PARALLEL_FILES = 4;
/** Research staff read what is delivered: the folder's own rules apply, not ours. */
const FILE_MODE = 0o644;

/** Project names that are folder names and nothing else. */
const PROJECT_FOLDER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * `<path>/<project>/<pseudonym>/<study>/<series>/<instance>.dcm`, each file whole or absent, and `radferry-report.json` beside the series.
 * @throws GatewayError DESTINATION_NOT_WRITABLE
 */
export async function createFolderDestination({
  name,
  path,
}: {
  readonly name: string;
  readonly path: string;
}): Promise<Destination> {
  const temporary = join(path, TEMPORARY);
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
  } catch (thrown) {
    throw asDestinationError(name, thrown);
  }
  const folder = { name, path, temporary };
  return {
    name,
    kind: "folder",
    proof: "sha256",
    held: (delivery, signal) => held(folder, delivery, signal),
    send: (delivery, files, signal) => send(folder, delivery, files, signal),
    conclude: (delivery, receipt) => conclude(folder, delivery, receipt),
    [Symbol.asyncDispose]: () => rm(temporary, { recursive: true, force: true }),
  };
}

interface Folder {
  readonly name: string;
  readonly path: string;
  readonly temporary: string;
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
  const study = studyFolder(folder, delivery);
  const found = new Set<SopInstanceUid>();
  await concurrently(delivery.files, PARALLEL_FILES, async (file) => {
    const path = fileIn(study, file);
    const size = await stat(path).then(
      (stats) => stats.size,
      () => undefined,
    );
    if (size === file.sizeBytes && (await sha256OfFile(path, signal)) === file.sha256) found.add(file.sopInstanceUid);
  });
  return found;
}

async function send(
  folder: Folder,
  delivery: StudyDelivery,
  files: readonly DeidentifiedFile[],
  signal: AbortSignal,
): Promise<void> {
  const study = studyFolder(folder, delivery);
  const arriving = join(folder.temporary, randomUUID());
  try {
    await mkdir(arriving, { recursive: true });
    await concurrently(files, PARALLEL_FILES, async (file) => {
      signal.throwIfAborted();
      await place(file, join(arriving, `${file.sopInstanceUid}.dcm`), fileIn(study, file));
    });
    for (const path of foldersOf(folder.path, study, files)) await syncFolder(path);
  } catch (thrown) {
    throw asDestinationError(folder.name, thrown);
  } finally {
    await rm(arriving, { recursive: true, force: true });
  }
}

/** Whole and synced before it gets its name. A file of another content under that name is an older delivery's, and is replaced. */
async function place(file: DeidentifiedFile, temporary: string, target: string): Promise<void> {
  await copyFile(file.path, temporary, constants.COPYFILE_FICLONE);
  await chmod(temporary, FILE_MODE);
  await syncFile(temporary);
  await mkdir(dirname(target), { recursive: true });
  await rename(temporary, target);
}

/** The series folders, and every folder above them up to the destination: their names must survive too. */
function foldersOf(root: string, study: string, files: readonly DeidentifiedFile[]): readonly string[] {
  const folders = new Set(files.map((file) => join(study, file.seriesInstanceUid)));
  for (let path = study; path.length > root.length; path = dirname(path)) folders.add(path);
  return [...folders, root];
}

async function conclude(folder: Folder, delivery: StudyDelivery, receipt: Receipt): Promise<void> {
  const { confirmedAtMs, ...facts } = receipt;
  const document = {
    ...delivery.report,
    pseudonym: delivery.pseudonym,
    studyInstanceUid: delivery.studyInstanceUid,
    receipt: { ...facts, confirmedAt: new Date(confirmedAtMs).toISOString() },
    files: delivery.files
      .map((file) => ({
        path: `${file.seriesInstanceUid}/${file.sopInstanceUid}.dcm`,
        sha256: file.sha256,
        sizeBytes: file.sizeBytes,
      }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  try {
    await writeFileDurably(
      join(studyFolder(folder, delivery), REPORT),
      `${JSON.stringify(document, undefined, 2)}\n`,
      FILE_MODE,
    );
  } catch (thrown) {
    throw asDestinationError(folder.name, thrown);
  }
}

function asDestinationError(destination: string, thrown: unknown): unknown {
  if (isDiskFull(thrown)) return new GatewayError("DESTINATION_FULL", { destination }, thrown);
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  const isRefused =
    code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR" || code === "EEXIST";
  return isRefused ? new GatewayError("DESTINATION_NOT_WRITABLE", { destination }, thrown) : thrown;
}
