import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../../../test/peers/process.ts";
import type { Peer } from "../../../test/peers/require-peer.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { type PixelLayout, pixelLayoutOf } from "../pixels/pixel-layout.ts";

const PIXEL_DATA = tagOf(0x7fe00010);
/** Decoders are programs of their own: of each kind of object, by class and transfer syntax, so many are decoded. */
const OBJECTS_OF_A_KIND = 1;

export interface CorpusFile {
  readonly path: string;
  readonly transferSyntaxUid: string;
  readonly sopClassUid: string;
  readonly sizeBytes: number;
}

/** One object in several encodings counts as several. */
export async function soundFiles(corpusFolder: string): Promise<readonly CorpusFile[]> {
  const [header = "", ...lines] = (await readFile(join(corpusFolder, "MANIFEST.tsv"), "utf8")).trim().split("\n");
  const columns = header.split("\t");
  const rows = lines.map((line) => {
    const cells = line.split("\t");
    return (column: string): string => cells[columns.indexOf(column)] ?? "";
  });
  return rows
    .filter((cell) => cell("expected") === "ok")
    .map((cell) => ({
      path: join(corpusFolder, cell("path")),
      transferSyntaxUid: cell("transfer_syntax_uid"),
      sopClassUid: cell("sop_class_uid"),
      sizeBytes: Number(cell("bytes")),
    }));
}

/** A few objects of every kind of a transfer syntax. */
export function chosen(objects: readonly CorpusFile[], transferSyntax: RegExp): readonly CorpusFile[] {
  const ofSyntax = objects.filter(({ transferSyntaxUid }) => transferSyntax.test(transferSyntaxUid));
  const kinds = Map.groupBy(ofSyntax, ({ transferSyntaxUid, sopClassUid }) => `${transferSyntaxUid} ${sopClassUid}`);
  return [...kinds.values()].flatMap((kind) => kind.slice(0, OBJECTS_OF_A_KIND));
}

export interface Native {
  readonly layout: PixelLayout;
  readonly pixels: Buffer;
}

export async function nativePixels(path: string): Promise<Native> {
  await using file = await readPart10File(path);
  const layout = pixelLayoutOf(file.dataSet, false);
  const { value } = file.dataSet.get(PIXEL_DATA) ?? {};
  if (layout === undefined || (value?.kind !== "range" && value?.kind !== "bytes")) throw new Error("not native");
  const bytes = value.kind === "bytes" ? value.bytes : await file.source.read(value.range.offset, value.range.length);
  return { layout, pixels: Buffer.from(bytes) };
}

/** Undefined: the program cannot decode it either. */
export async function decodedBy(program: Peer, path: string, target: string): Promise<Native | undefined> {
  const args = program === "gdcmconv" ? ["--raw", path, target] : [path, target];
  const { exitCode } = await runProgram(program, args, "/");
  return exitCode === 0 ? nativePixels(target) : undefined;
}

/** Of every frame, or of every plane of it, what is below `height` rows. */
export function lowerHalves(layout: PixelLayout, height: number, pixels: Buffer): Buffer {
  const isPlanar = layout.samplesPerPixel > 1 && layout.planarConfiguration === 1;
  const rowBytes = (layout.columns * (isPlanar ? 1 : layout.samplesPerPixel) * layout.bitsAllocated) / 8;
  const planes = layout.frames * (isPlanar ? layout.samplesPerPixel : 1);
  const parts = Array.from({ length: planes }, (_, plane) =>
    pixels.subarray((plane * layout.rows + height) * rowBytes, (plane + 1) * layout.rows * rowBytes),
  );
  return Buffer.concat(parts);
}
