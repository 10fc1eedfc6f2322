import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { isStorageSopClass } from "../../src/dicom/dictionary/sop-classes.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { readPart10File } from "../../src/dicom/reader.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { isUid } from "../../src/dicom/uid.ts";
import { uidOf } from "../../src/dicom/values.ts";

/** A real file that an archive can hold: a storage object with the three UIDs that name it. */
export interface CorpusObject {
  readonly path: string;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}

/** The folder of real files (`files/`, `MANIFEST.tsv`) that RADFERRY_CORPUS names; without it the tests are skipped, after one line. */
export function findCorpus(): string | undefined {
  const folder = process.env.RADFERRY_CORPUS;
  if (folder === undefined || folder === "") {
    process.stderr.write("RADFERRY_CORPUS is not set: tests with real DICOM files are skipped\n");
    return undefined;
  }
  return folder;
}

/** Sound, but Debian's Orthanc (1.10.1) dies of it: sequences 200 deep. */
const DEADLY = "nesting_200.dcm";

/** Its sound files that an archive can hold. Of several with the same SOP Instance UID the first: an archive keeps one. */
export async function corpusObjects(folder: string): Promise<readonly CorpusObject[]> {
  const objects = new Map<string, CorpusObject>();
  for (const path of await soundFiles(folder)) {
    const object = await objectOf(path);
    if (object !== undefined && !objects.has(object.sopInstanceUid)) objects.set(object.sopInstanceUid, object);
  }
  return [...objects.values()];
}

async function soundFiles(folder: string): Promise<readonly string[]> {
  const [header = "", ...lines] = (await readFile(join(folder, "MANIFEST.tsv"), "utf8")).trim().split("\n");
  const columns = header.split("\t");
  const [pathColumn, expectedColumn] = [columns.indexOf("path"), columns.indexOf("expected")];
  return lines
    .map((line) => line.split("\t"))
    .filter((cells) => cells[expectedColumn] === "ok")
    .map((cells) => join(folder, cells[pathColumn] ?? ""))
    .filter((path) => basename(path) !== DEADLY);
}

async function objectOf(path: string): Promise<CorpusObject | undefined> {
  await using file = await readPart10File(path, { stopBefore: tagOf(0x00200010) });
  const { dataSet, meta, transferSyntaxUid } = file;
  if (uidOf(meta, tags.TransferSyntaxUID) === undefined) return undefined;
  const sopClassUid = uidOf(dataSet, tags.SOPClassUID) ?? "";
  if (!isStorageSopClass(sopClassUid)) return undefined;
  const uid = (tag: typeof tags.SOPInstanceUID): string => uidOf(dataSet, tag) ?? "";
  const uids = {
    studyInstanceUid: uid(tags.StudyInstanceUID),
    seriesInstanceUid: uid(tags.SeriesInstanceUID),
    sopInstanceUid: uid(tags.SOPInstanceUID),
  };
  if (!Object.values(uids).every(isUid)) return undefined;
  return { path, sopClassUid, transferSyntaxUid, ...uids };
}
