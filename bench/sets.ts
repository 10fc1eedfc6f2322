import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { tags } from "../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../src/dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf, element } from "../src/dicom/values.ts";
import { encodeDataSet, encodeFileMeta } from "../src/dicom/writer.ts";
import { syntheticStudy } from "../test/peers/synthetic-studies.ts";

/** Every set by its letter: CT images of one size, in studies of at most `STUDY_INSTANCES`. */
const SHAPES = {
  a: { objects: 500, rows: 512, columns: 512, about: "500 CT slices of 512 KiB" },
  b: { objects: 20, rows: 5_632, columns: 5_632, about: "20 objects of 63 MB" },
  c: { objects: 5_000, rows: 64, columns: 64, about: "5,000 objects of 8 KiB" },
  huge: { objects: 1, rows: 23_040, columns: 23_040, about: "1 object of 1 GB" },
} as const;

export type SetName = keyof typeof SHAPES;

export const SET_NAMES: readonly SetName[] = ["a", "b", "c", "huge"];

const STUDY_INSTANCES = 500;
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
  const { about, rows, columns, objects: count } = SHAPES[name];
  const pixels = noise(rows * columns * BYTES_PER_PIXEL);
  const objects: SetObject[] = [];
  const wanted = Math.min(count, atMost);
  for (let study = 0; objects.length < wanted; study += 1) {
    objects.push(...studyObjects(name, study, Math.min(STUDY_INSTANCES, wanted - objects.length)));
  }
  const headerBytes = objects.reduce((sum, { header }) => sum + header.length, 0);
  const totalBytes = headerBytes + objects.length * pixels.length;
  return { name, about, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN, objects, pixels, totalBytes };
}

function studyObjects(name: SetName, study: number, count: number): readonly SetObject[] {
  const { rows, columns } = SHAPES[name];
  const seed = 10_000 * (1 + SET_NAMES.indexOf(name)) + study;
  const { instances } = syntheticStudy({ seed, modality: "CT", instancesPerSeries: count, rows: 1, columns: 1 });
  return instances.map(({ dataSet, studyInstanceUid, sopClassUid, sopInstanceUid }) => {
    const withSize = [...dataSet.values()]
      .filter(({ tag }) => tag !== tags.PixelData)
      .map((each) => {
        if (each.tag === tags.Rows) return element(tags.Rows, "US", unsigned16(rows));
        if (each.tag === tags.Columns) return element(tags.Columns, "US", unsigned16(columns));
        return each;
      });
    const header = Buffer.concat([
      encodeDataSet(dataSetOf(withSize), EXPLICIT_VR_LITTLE_ENDIAN),
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
