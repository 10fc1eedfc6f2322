import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { concurrently } from "../../units/concurrently.ts";
import { makeFolders } from "../../units/make-folders.ts";
import type { DeliveredFile, Inspect, Inspection, Standing } from "../inspection/inspection.ts";
import type { FileServer } from "./file-server.ts";
import { fileNameOf, projectFolderOf, studyFolderOf } from "./layout.ts";
import { sha256Read } from "./read-back.ts";
import { entryNameOf, listZip, withLocalCopy } from "./study-zip.ts";

interface PlaceToInspect {
  readonly server: FileServer;
  readonly path: string;
  /** All bytes are fetched back and compared; else names and sizes tell. */
  readonly readsBack: boolean;
}

const PARALLEL_FILES = 4;

/** Of a tree of files, as the folder destination lays them out. @throws GatewayError of the server from the function it answers */
export function treeInspector({ server, path, readsBack }: PlaceToInspect): Inspect {
  return async (study, signal) => {
    await using session = await server.open(signal);
    const folder = studyFolderOf(path, study);
    const found = new Map<string, Standing>();
    await concurrently(study.files, PARALLEL_FILES, async (file) => {
      signal.throwIfAborted();
      const name = `${folder}/${fileNameOf(file)}`;
      const sum = () => sha256Read((sink) => session.read(name, { start: 0, mostBytes: file.sizeBytes }, sink));
      const sizeBytes = await session.sizeOf(name);
      found.set(file.sopInstanceUid, await standingOf(file, sizeBytes, readsBack ? sum : undefined));
    });
    return inspectionOf(found, readsBack);
  };
}

/** Of zips of studies. @param temporaryFolder on this machine, for zips that are fetched back @throws as `treeInspector` */
export function zipInspector({ server, path, readsBack }: PlaceToInspect, temporaryFolder: string): Inspect {
  return async (study, signal) => {
    await using session = await server.open(signal);
    const zip = await listZip(session, `${projectFolderOf(path, study)}/${study.studyInstanceUid}.zip`);
    const sizes = new Map(zip?.entries?.map(({ name, sizeBytes }) => [name, sizeBytes]));
    const judged = async (sumOf: ((name: string) => Promise<string>) | undefined): Promise<Inspection> => {
      const found = new Map<string, Standing>();
      for (const file of study.files) {
        const name = entryNameOf(study, file);
        found.set(file.sopInstanceUid, await standingOf(file, sizes.get(name), sumOf && (() => sumOf(name))));
      }
      return inspectionOf(found, readsBack);
    };
    if (!readsBack || zip?.entries === undefined) return await judged(undefined);
    // Of its own: the destination's folder is emptied whenever a service starts.
    const own = join(temporaryFolder, randomUUID());
    await makeFolders(own, { mode: 0o700 });
    try {
      return await withLocalCopy(session, zip, own, (copy) => judged(copy.sha256Of));
    } finally {
      await rm(own, { recursive: true, force: true });
    }
  };
}

/** @param sum undefined: nothing is fetched back */
export async function standingOf(
  file: DeliveredFile,
  sizeBytes: number | undefined,
  sum: (() => Promise<string>) | undefined,
): Promise<Standing> {
  if (sizeBytes === undefined) return "absent";
  if (sizeBytes !== file.sizeBytes) return "differs";
  if (sum === undefined) return "listed";
  return (await sum()) === file.sha256 ? "same" : "differs";
}

export function inspectionOf(found: ReadonlyMap<string, Standing>, isCompared: boolean): Inspection {
  return {
    proof: isCompared ? "sha256" : "uids",
    standing: ({ sopInstanceUid }) => found.get(sopInstanceUid) ?? "absent",
  };
}
