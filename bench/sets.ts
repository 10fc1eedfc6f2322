import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { DataElement } from "../src/dicom/data-set.ts";
import { tagOfKeyword } from "../src/dicom/dictionary/dictionary.ts";
import { tags } from "../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../src/dicom/dictionary/transfer-syntaxes.ts";
import type { Tag } from "../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement, textElement } from "../src/dicom/values.ts";
import { encodeDataSet, encodeFileMeta } from "../src/dicom/writer.ts";
import { syntheticStudy } from "../test/peers/synthetic-studies.ts";

/** What CT scanners write beside what the synthetic studies have: about a hundred elements in all, some of them sequences. */
const MORE_FIELDS: readonly (readonly [keyword: string, text: string])[] = [
  ["ImageType", "ORIGINAL\\PRIMARY\\AXIAL"],
  ["InstanceCreationTime", "101733.120000"],
  ["InstanceCreatorUID", "1.2.826.0.1.3680043.10.1561.1"],
  ["TimezoneOffsetFromUTC", "+0000"],
  ["InstitutionalDepartmentName", "Radiology"],
  ["PhysiciansOfRecord", "Winterbourne^Septimus"],
  ["PerformingPhysicianName", "Oglethorpe^Millicent"],
  ["AdmittingDiagnosesDescription", "none"],
  ["PatientSize", "1.74"],
  ["EthnicGroup", "not said"],
  ["PatientComments", "made up"],
  ["ContrastBolusAgent", "none"],
  ["ScanOptions", "HELICAL MODE"],
  ["KVP", "120"],
  ["DataCollectionDiameter", "500"],
  ["ProtocolName", "Thorax routine"],
  ["ReconstructionDiameter", "384"],
  ["DistanceSourceToDetector", "946.746"],
  ["DistanceSourceToPatient", "538.52"],
  ["GantryDetectorTilt", "0"],
  ["TableHeight", "151.2"],
  ["RotationDirection", "CW"],
  ["ExposureTime", "500"],
  ["XRayTubeCurrent", "340"],
  ["Exposure", "170"],
  ["FilterType", "BODY FILTER"],
  ["GeneratorPower", "40800"],
  ["FocalSpots", "1.2"],
  ["ConvolutionKernel", "STANDARD"],
  ["PatientPosition", "FFS"],
  ["SpacingBetweenSlices", "2.5"],
  ["ImageComments", "synthetic"],
  ["WindowCenter", "40"],
  ["WindowWidth", "400"],
  ["WindowCenterWidthExplanation", "soft tissue"],
  ["RescaleIntercept", "-1024"],
  ["RescaleSlope", "1"],
  ["RescaleType", "HU"],
  ["RequestingPhysician", "Winterbourne^Septimus"],
  ["RequestedProcedureDescription", "CT thorax"],
  ["PerformedProcedureStepStartDate", "20240120"],
  ["PerformedProcedureStepStartTime", "101500"],
  ["PerformedProcedureStepID", "PPS1"],
  ["PerformedProcedureStepDescription", "CT thorax"],
];

const CODE_FIELDS: readonly (readonly [keyword: string, text: string])[] = [
  ["CodeValue", "P5-08000"],
  ["CodingSchemeDesignator", "SRT"],
  ["CodeMeaning", "Computed tomography"],
];

const REFERENCE_FIELDS: readonly (readonly [keyword: string, text: string])[] = [
  ["ReferencedSOPClassUID", "1.2.840.10008.3.1.2.3.3"],
  ["ReferencedSOPInstanceUID", "1.2.826.0.1.3680043.10.1561.2"],
];

const SEQUENCES: readonly (readonly [keyword: string, items: readonly (typeof CODE_FIELDS)[]])[] = [
  ["ProcedureCodeSequence", [CODE_FIELDS]],
  ["ReferencedStudySequence", [REFERENCE_FIELDS]],
  ["ReferencedPerformedProcedureStepSequence", [REFERENCE_FIELDS]],
  ["ReferencedImageSequence", [REFERENCE_FIELDS, REFERENCE_FIELDS, REFERENCE_FIELDS]],
  ["PerformedProtocolCodeSequence", [CODE_FIELDS]],
];

interface Shape {
  readonly objects: number;
  readonly rows: number;
  readonly columns: number;
  readonly about: string;
  /** At most; 500 unless told. */
  readonly studyInstances?: number;
}

/** Every set by its letter: CT images of one size, in studies. */
const SHAPES = {
  a: { objects: 500, rows: 512, columns: 512, about: "500 CT slices of 512 KiB" },
  b: { objects: 20, rows: 5_632, columns: 5_632, about: "20 objects of 63 MB" },
  c: { objects: 5_000, rows: 64, columns: 64, about: "5,000 objects of 8 KiB" },
  huge: { objects: 1, rows: 23_040, columns: 23_040, about: "1 object of 1 GB" },
  many: { objects: 2_000, rows: 512, columns: 512, about: "2,000 CT slices of 512 KiB in 4 studies" },
  cohort: {
    ...{ objects: 4_000, rows: 256, columns: 128, studyInstances: 20 },
    about: "200 studies of 20 CT slices of 64 KiB",
  },
  long: {
    ...{ objects: 2_000, rows: 512, columns: 512, studyInstances: 2_000 },
    about: "1 study of 2,000 CT slices of 512 KiB",
  },
} as const satisfies Readonly<Record<string, Shape>>;

export type SetName = keyof typeof SHAPES;

export const SET_NAMES: readonly SetName[] = ["a", "b", "c", "huge", "many", "cohort", "long"];

const USUAL_STUDY_INSTANCES = 500;
const BYTES_PER_PIXEL = 2;

export interface SetObject {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  /** Preamble and file meta information. PS3.10 7.1. */
  readonly fileMeta: Uint8Array;
  /** The data set up to the first byte of the pixel data, explicit VR little endian. */
  readonly header: Uint8Array;
}

/** Objects made up from the set's name alone, the same bytes each time. All share their pixels, so that a set fits into memory. */
export interface ObjectSet {
  readonly name: SetName;
  readonly about: string;
  readonly transferSyntaxUid: string;
  readonly objects: readonly SetObject[];
  readonly pixels: Uint8Array;
  /** Of all data sets. */
  readonly totalBytes: number;
}

/** @param atMost the first of its objects only */
export function objectSet(name: SetName, atMost = Number.POSITIVE_INFINITY): ObjectSet {
  const { about, rows, columns, objects: count, studyInstances = USUAL_STUDY_INSTANCES }: Shape = SHAPES[name];
  const pixels = noise(rows * columns * BYTES_PER_PIXEL);
  const objects: SetObject[] = [];
  const wanted = Math.min(count, atMost);
  for (let study = 0; objects.length < wanted; study += 1) {
    objects.push(...studyObjects(name, study, Math.min(studyInstances, wanted - objects.length)));
  }
  const headerBytes = objects.reduce((sum, { header }) => sum + header.length, 0);
  const totalBytes = headerBytes + objects.length * pixels.length;
  return { name, about, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN, objects, pixels, totalBytes };
}

function studyObjects(name: SetName, study: number, count: number): readonly SetObject[] {
  const { rows, columns } = SHAPES[name];
  const seed = 10_000 * (1 + SET_NAMES.indexOf(name)) + study;
  const { instances } = syntheticStudy({ seed, modality: "CT", instancesPerSeries: count, rows: 1, columns: 1 });
  const more = [...textElements(MORE_FIELDS), ...SEQUENCES.map(sequence)];
  return instances.map(({ dataSet, studyInstanceUid, sopClassUid, sopInstanceUid }) => {
    const withSize = [...dataSet.values()]
      .filter(({ tag }) => tag !== tags.PixelData)
      .map((each) => {
        if (each.tag === tags.Rows) return element(tags.Rows, "US", unsigned16(rows));
        if (each.tag === tags.Columns) return element(tags.Columns, "US", unsigned16(columns));
        return each;
      });
    const header = Buffer.concat([
      encodeDataSet(dataSetOf([...withSize, ...more]), EXPLICIT_VR_LITTLE_ENDIAN),
      pixelDataHeader(rows * columns * BYTES_PER_PIXEL),
    ]);
    const fileMeta = encodeFileMeta({
      sopClassUid,
      sopInstanceUid,
      transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
      sourceAeTitle: "BENCH",
    });
    return { sopClassUid, sopInstanceUid, studyInstanceUid, fileMeta, header };
  });
}

function textElements(fields: typeof MORE_FIELDS): readonly DataElement[] {
  return fields.map(([keyword, text]) => textElement(tagOf(keyword), text));
}

function sequence([keyword, items]: (typeof SEQUENCES)[number]): DataElement {
  return sequenceElement(
    tagOf(keyword),
    items.map((fields) => dataSetOf(textElements(fields))),
  );
}

function tagOf(keyword: string): Tag {
  const tag = tagOfKeyword(keyword);
  if (tag === undefined) throw new Error(`no keyword of the dictionary: ${keyword}`);
  return tag;
}

function unsigned16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

/** (7FE0,0010) OW with its length. PS3.5 7.1.2. */
function pixelDataHeader(length: number): Buffer {
  const header = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(length, 8);
  return header;
}

const NOISE_BLOCK_BYTES = 64 * 1024;

/** Twelve bits in sixteen, as a CT has them, and no file system's or network's compression gains from it. */
function noise(bytes: number): Uint8Array {
  const block = Buffer.alloc(NOISE_BLOCK_BYTES);
  let state = 0x2545_f491;
  for (let offset = 0; offset < block.length; offset += 2) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    block.writeUInt16LE(state & 0x0fff, offset);
  }
  const pixels = Buffer.allocUnsafeSlow(bytes);
  for (let offset = 0; offset < bytes; offset += block.length) block.copy(pixels, offset);
  return pixels;
}

/** Writes the set as Part 10 files, and has them on disk, so that no writing back disturbs what is measured. The paths. */
export async function writeSet(set: ObjectSet, folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const { fileMeta, header, sopInstanceUid } of set.objects) {
    const path = join(folder, `${sopInstanceUid}.dcm`);
    await using file = await open(path, "w");
    for (const part of [fileMeta, header, set.pixels]) await file.writeFile(part);
    paths.push(path);
  }
  return paths;
}
