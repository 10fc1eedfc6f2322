import { tags } from "../../dicom/dictionary/tags.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";
import { isFieldUid, trimUid } from "../../dicom/uid.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { ZipMember } from "../../network/zip/zip-members.ts";

/** A file as it was when it was looked at. */
export interface FileFacts {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** Where an instance lies. Undefined `file`: nowhere; a DICOMDIR says that it should. */
export interface Place {
  readonly file: FileFacts | undefined;
  /** Where the file is a zip. */
  readonly member?: ZipMember;
}

/** What a file, or a record of a DICOMDIR, says of an instance. */
export interface IndexedInstance {
  readonly place: Place;
  readonly sizeBytes: number;
  readonly studyInstanceUid: StudyInstanceUid;
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly sopInstanceUid: SopInstanceUid;
  /** In the order of INDEXED_TAGS, several values with backslashes between them; what it does not have is empty. */
  readonly values: readonly string[];
}

/** An instance that a DICOMDIR lists. */
export interface ListedOnMedia {
  readonly instance: IndexedInstance;
  /** Path below the folder of the DICOMDIR, as `canonicalName` has it; empty: the record names no file. */
  readonly fileName: string;
}

/** What one file of the tree holds. */
export interface FileContents {
  readonly instances: readonly IndexedInstance[];
  /** By the DICOMDIRs in it: more than one where it is a zip. */
  readonly listed: readonly MediaListing[];
  /** What is passed over, by reason. */
  readonly skipped: ReadonlyMap<ErrorCode, number>;
}

/** A file as it was when it was read, and what it held. */
export interface KnownFile {
  readonly file: FileFacts;
  readonly contents: FileContents;
}

export interface MediaListing {
  /** The folder of the DICOMDIR: of the tree, or of the zip. As `canonicalName` has it. */
  readonly folder: string;
  readonly instances: readonly ListedOnMedia[];
  /** Names of the zip's files, where it lies in one. */
  readonly within?: ReadonlySet<string>;
}

const SeriesDescription = tagOf(0x0008103e);
const PatientBirthDate = tagOf(0x00100030);
const PatientSex = tagOf(0x00100040);

/** By these a folder can be searched. */
export const INDEXED_TAGS = [
  tags.StudyInstanceUID,
  tags.SeriesInstanceUID,
  tags.SOPInstanceUID,
  tags.SOPClassUID,
  tags.PatientID,
  tags.PatientName,
  PatientBirthDate,
  PatientSex,
  tags.AccessionNumber,
  tags.StudyDate,
  tags.StudyTime,
  tags.StudyDescription,
  tags.Modality,
  tags.SeriesNumber,
  SeriesDescription,
  tags.InstanceNumber,
] as const;

const POSITIONS: ReadonlyMap<Tag, number> = new Map(INDEXED_TAGS.map((tag, position) => [tag, position]));

export function isIndexed(tag: Tag): boolean {
  return POSITIONS.has(tag);
}

/** Empty for what it does not have. */
export function textIn({ values }: Pick<IndexedInstance, "values">, tag: Tag): string {
  return values[POSITIONS.get(tag) ?? -1] ?? "";
}

/** @param read what there is of an attribute, trimmed; undefined when its UIDs are none */
export function indexedInstance(
  place: Place,
  sizeBytes: number,
  read: (tag: Tag) => string,
): IndexedInstance | undefined {
  const values = INDEXED_TAGS.map((tag) => shared(read(tag)));
  const [study = "", series = "", sop = ""] = values.map(trimUid);
  if (![study, series, sop].every(isFieldUid)) return undefined;
  return {
    place,
    sizeBytes,
    studyInstanceUid: study as StudyInstanceUid,
    seriesInstanceUid: series as SeriesInstanceUid,
    sopInstanceUid: sop as SopInstanceUid,
    values,
  };
}

/** Most values are those of the file before, and need no memory of their own. */
const MAXIMUM_SHARED = 10_000;
const known = new Map<string, string>();

function shared(text: string): string {
  const before = known.get(text);
  if (before !== undefined) return before;
  if (known.size >= MAXIMUM_SHARED) known.clear();
  known.set(text, text);
  return text;
}

/** How a name is compared with another: media of ISO 9660 are read with any case, with or without a version and a final dot. ECMA-119 7.5. */
export function canonicalName(path: string): string {
  return path
    .split(/[\\/]/)
    .map((part) =>
      part
        .replace(/;[0-9]{1,5}$/, "")
        .replace(/\.$/, "")
        .toUpperCase(),
    )
    .join("/");
}
