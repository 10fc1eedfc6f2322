import { join } from "node:path";
import { encapsulatedFile } from "../../../../src/deid/testing/images.ts";
import { ctImage, part10Bytes, put, text, unsigned, without } from "../../../../src/deid/testing/objects.ts";
import { readPart10File } from "../../../../src/dicom/reader.ts";
import { tagOf } from "../../../../src/dicom/tag.ts";
import { element } from "../../../../src/dicom/values.ts";
import { runProgram } from "../../../peers/process.ts";
import type { Tokens } from "./tokens.ts";

/** Programs of dcmtk and GDCM, each with its arguments before the input's path. */
export interface Codec {
  readonly encode: readonly string[];
  readonly decode: readonly string[];
  /** Where metadata may begin in a frame: behind the start of image, or behind the size of a JPEG 2000 codestream. */
  readonly kind: "jpeg" | "jpeg2000";
}

export const CODECS: Readonly<Record<string, Codec>> = {
  "JPEG Baseline": { encode: ["dcmcjpeg", "+eb"], decode: ["dcmdjpeg"], kind: "jpeg" },
  "JPEG Lossless": { encode: ["dcmcjpeg", "+e1"], decode: ["dcmdjpeg"], kind: "jpeg" },
  "JPEG-LS": { encode: ["dcmcjpls", "+el"], decode: ["dcmdjpls"], kind: "jpeg" },
  "JPEG 2000": { encode: ["gdcmconv", "--j2k"], decode: ["gdcmconv", "--raw"], kind: "jpeg2000" },
};
const [ROWS, COLUMNS] = [48, 64];
const PIXEL_DATA = 0x7fe00010;

async function run(
  [program = "", ...args]: readonly string[],
  folder: string,
  from: string,
  to: string,
): Promise<string> {
  const [source, target] = [join(folder, from), join(folder, to)];
  const { exitCode, output } = await runProgram(program, [...args, source, target], folder);
  if (exitCode !== 0) throw new Error(`${program}: ${output}`);
  return target;
}

/** A CT of 8 bits with a gradient and a disc, compressed. */
export async function compressed(codec: Codec, folder: string): Promise<Buffer> {
  const pixels = Buffer.alloc(ROWS * COLUMNS);
  for (let index = 0; index < pixels.length; index += 1)
    pixels[index] = Math.hypot((index % COLUMNS) - 30, Math.floor(index / COLUMNS) - 20) < 15 ? 200 : index % 128;
  const image = ctImage([
    text(0x00080070, "SIEMENS"),
    unsigned(0x00280010, ROWS),
    unsigned(0x00280011, COLUMNS),
    ...[unsigned(0x00280100, 8), unsigned(0x00280101, 8), unsigned(0x00280102, 7)],
    element(tagOf(PIXEL_DATA), "OB", pixels),
  ]);
  await put(join(folder, "native.dcm"), await part10Bytes(image));
  return fileBytes(await run(codec.encode, folder, "native.dcm", "compressed.dcm"));
}

async function fileBytes(path: string): Promise<Buffer> {
  await using file = await readPart10File(path);
  return Buffer.from(await file.file.read(0, file.file.sizeBytes));
}

/** What the codec's own program makes of the file's pixels. */
export async function decodedPixels(codec: Codec, folder: string, bytes: Uint8Array): Promise<Buffer> {
  await put(join(folder, "to-decode.dcm"), bytes);
  await using file = await readPart10File(await run(codec.decode, folder, "to-decode.dcm", "decoded.dcm"));
  const { value } = file.dataSet.get(tagOf(PIXEL_DATA)) ?? {};
  if (value?.kind === "bytes") return Buffer.from(value.bytes);
  if (value?.kind !== "range") throw new Error("not decoded");
  return Buffer.from(await file.source.read(value.range.offset, value.range.length));
}

/** The same file with its frame changed, in as many fragments as are given. */
export async function withFrame(folder: string, change: (frame: Buffer) => readonly Uint8Array[]): Promise<Buffer> {
  await using file = await readPart10File(join(folder, "compressed.dcm"));
  const { value } = file.dataSet.get(tagOf(PIXEL_DATA)) ?? {};
  const [, ...ranges] = value?.kind === "fragments" ? value.fragments : [];
  const parts = await Promise.all(ranges.map(({ offset, length }) => file.source.read(offset, length)));
  return encapsulatedFile(without(file.dataSet, PIXEL_DATA), change(Buffer.concat(parts)), file.transferSyntaxUid);
}

/** FF, marker, length with itself, payload. ITU-T T.81 B.1.1.4, T.800 A.1.3. */
function segment(marker: number, payload: Uint8Array | string): Buffer {
  const head = Buffer.of(0xff, marker, 0, 0);
  head.writeUInt16BE(Buffer.from(payload).length + 2, 2);
  return Buffer.concat([head, Buffer.from(payload)]);
}

/** Exif in ASCII and in UTF-16, XMP, ICC, Photoshop, the rest of JFIF and a comment; of JPEG 2000 a comment of either kind. */
export function metadataSegments(kind: Codec["kind"], tokens: Tokens): Buffer[] {
  const wide = Buffer.from(tokens.text(), "utf16le");
  if (kind === "jpeg2000") {
    // Rcom: 1 for Latin-1, 0 for binary. T.800 A.9.2.
    return [
      segment(0x64, Buffer.concat([Buffer.of(0, 1), Buffer.from(tokens.text())])),
      segment(0x64, Buffer.concat([Buffer.of(0, 0), wide])),
    ];
  }
  return [
    segment(0xe1, Buffer.concat([Buffer.from(`Exif\0\0II*\0\x08\0\0\0${tokens.text()}`), wide])),
    segment(0xe1, `http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><dc:creator>${tokens.text()}</dc:creator></x:xmpmeta>`),
    segment(0xe2, `ICC_PROFILE\0\x01\x01${tokens.text()}`),
    segment(0xed, `Photoshop 3.0\x008BIM${tokens.text()}`),
    segment(0xef, tokens.text()),
    segment(0xfe, tokens.text()),
  ];
}

/** Where metadata may stand. */
export function metadataOffset(frame: Buffer, kind: Codec["kind"]): number {
  // SOC, then SIZ with its length. T.800 A.4.1, A.5.1.
  return kind === "jpeg2000" ? 4 + frame.readUInt16BE(4) : 2;
}
