import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StudyDelivery } from "../../src/delivery/destination.ts";
import type { DataElement } from "../../src/dicom/data-set.ts";
import {
  parseSeriesInstanceUid,
  parseSopInstanceUid,
  parseStudyInstanceUid,
  type SeriesInstanceUid,
} from "../../src/dicom/uid.ts";
import { encodeFileMeta } from "../../src/dicom/writer.ts";
import { type DeidentifiedFile, declareDeidentified, parsePseudonym } from "../../src/staging/deidentified-file.ts";
import { smallObject } from "./small-object.ts";

export const STUDY = parseStudyInstanceUid("2.25.1");
export const SERIES = parseSeriesInstanceUid("2.25.2");
export const PSEUDONYM = parsePseudonym("P-0001");

/** UIDs of one original: of its series, and what those of its instances begin with. */
interface Original {
  readonly series: SeriesInstanceUid;
  readonly stem: string;
}

const FIRST_ORIGINAL: Original = { series: SERIES, stem: "2.25.3" };
/** Of another study that becomes the same. */
export const OTHER_ORIGINAL: Original = { series: parseSeriesInstanceUid("2.25.9"), stem: "2.25.4" };

async function fileAt(
  folder: string,
  number: number,
  { series, stem }: Original,
  more: readonly DataElement[],
): Promise<DeidentifiedFile> {
  const instance = `${stem}.${number}`;
  const { bytes, ...facts } = smallObject({ study: STUDY, series, instance }, more);
  const content = Buffer.concat([encodeFileMeta(facts), bytes]);
  const path = join(folder, `${instance}.dcm`);
  await writeFile(path, content);
  return declareDeidentified({
    ...facts,
    path,
    pseudonym: PSEUDONYM,
    studyInstanceUid: STUDY,
    seriesInstanceUid: series,
    sopInstanceUid: parseSopInstanceUid(instance),
    sizeBytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  });
}

/** A study of so many small instances, `2.25.3.1` and on, as files of the folder. */
export async function deliveryOf(
  folder: string,
  count: number,
  more: readonly DataElement[] = [],
  original: Original = FIRST_ORIGINAL,
): Promise<StudyDelivery> {
  const files = await Promise.all(
    Array.from({ length: count }, (_, index) => fileAt(folder, index + 1, original, more)),
  );
  return { project: "trial", pseudonym: PSEUDONYM, studyInstanceUid: STUDY, files, report: { profile: "basic" } };
}

/** The same study, as another original brings it: another series. */
export function ofOtherOriginal(delivery: StudyDelivery): StudyDelivery {
  const seriesInstanceUid = parseSeriesInstanceUid("2.25.9");
  const files = delivery.files.map((file, index) =>
    declareDeidentified({ ...file, seriesInstanceUid, sopInstanceUid: parseSopInstanceUid(`2.25.4.${index}`) }),
  );
  return { ...delivery, files };
}
