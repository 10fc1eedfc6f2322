import { mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ByteRange, ByteSource, DataElement, DataSet } from "../../dicom/data-set.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, textElement } from "../../dicom/values.ts";
import { fileMetaOf, writePart10 } from "../../dicom/writer.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { makeFolders } from "../../units/make-folders.ts";
import { Rejection } from "../engine/rejection.ts";
import { nativeSizeBytes, type PixelLayout, pixelLayoutOf } from "./pixel-layout.ts";
import { runCodec } from "./run-codec.ts";

/** A program of the site's that decodes compressed pixel data: a Part 10 file goes in by standard input, one comes out by standard output. */
export interface ExternalCodec {
  readonly transferSyntaxUids: readonly string[];
  /** The absolute path of a program, then its arguments. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

/** Compressed pixel data: what of it decoding needs, and nothing else of the object. */
export interface CompressedPixels {
  readonly transferSyntaxUid: string;
  readonly layout: PixelLayout;
  /** Pixel Data (7FE0,0010) with its offset table, and extended offsets where there are. */
  readonly elements: readonly DataElement[];
  /** What their ranges refer to. */
  readonly source: ByteSource;
}

export interface DecodedPixels {
  /** As compressed, but for the photometric interpretation and the arrangement of samples. */
  readonly layout: PixelLayout;
  /** Little endian, without padding. */
  readonly range: ByteRange;
  readonly source: ByteSource;
}

/** Decodes with the site's programs. What it answers with can be read until the decoder's user is done with the object. */
export interface PixelDecoder {
  knows(transferSyntaxUid: string): boolean;
  /** @throws Rejection PIXEL_MASK_NOT_APPLICABLE; the signal's reason; errors of the disk as they are */
  decode(pixels: CompressedPixels, signal: AbortSignal): Promise<DecodedPixels>;
}

const SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7";
/** The file has to be called something; nothing of the object's. */
const NAMELESS = "2.25.0";
const PIXEL_DATA = tagOf(0x7fe00010);
const UNCOMPRESSED = /^1\.2\.840\.10008\.1\.2(?:\.1)?$/;
/** Room for the header of what comes out. */
const HEADER_BYTES = 2 ** 20;
const OWNER_ONLY = 0o600;

/** What decoders make of colours they find. PS3.5 8.2, PS3.3 C.7.6.3.1.2. */
const DECODES_TO: Readonly<Record<string, readonly string[]>> = {
  YBR_FULL: ["RGB"],
  YBR_FULL_422: ["RGB", "YBR_FULL"],
  YBR_PARTIAL_420: ["RGB", "YBR_FULL"],
  YBR_ICT: ["RGB"],
  YBR_RCT: ["RGB"],
};
const KNOWN_COLOURS: ReadonlySet<string> = new Set([
  ...Object.keys(DECODES_TO),
  ...["MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB"],
]);

/**
 * @param scratch made when missing; where a folder of each decoding is made, readable by us alone
 * @param until folders and files go when it is disposed
 */
export function createPixelDecoder(
  codecs: readonly ExternalCodec[],
  scratch: string,
  until: AsyncDisposableStack,
): PixelDecoder {
  const codecOf = (uid: string): ExternalCodec | undefined =>
    codecs.find(({ transferSyntaxUids }) => transferSyntaxUids.includes(uid));
  return {
    knows: (uid) => codecOf(uid) !== undefined,
    async decode(pixels, signal) {
      const codec = codecOf(pixels.transferSyntaxUid);
      if (codec === undefined) throw refused("mask-needs-codec");
      if (!KNOWN_COLOURS.has(pixels.layout.photometricInterpretation)) throw refused("mask-photometric-interpretation");
      await makeFolders(scratch, { mode: 0o700 });
      const folder = await mkdtemp(join(scratch, ".codec-"));
      until.defer(() => rm(folder, { recursive: true, force: true }));
      const inputPath = join(folder, "in.dcm");
      const outputPath = join(folder, "out.dcm");
      await writeInput(inputPath, pixels);
      const expectedBytes = nativeSizeBytes({ ...pixels.layout, photometricInterpretation: "" });
      const failure = await runCodec(
        {
          command: codec.command,
          inputPath,
          outputPath,
          folder,
          timeoutMs: codec.timeoutMs,
          maximumOutputBytes: expectedBytes + HEADER_BYTES,
        },
        signal,
      );
      if (failure !== undefined) throw refused(failure);
      return await readOutput(outputPath, pixels.layout, until);
    },
  };
}

function refused(reason: string): Rejection {
  return new Rejection("PIXEL_MASK_NOT_APPLICABLE", reason);
}

/** A file of the Image Pixel module alone, its numbers written anew: a codec learns nothing about the patient but the image. PS3.3 C.7.6.3. */
async function writeInput(
  path: string,
  { transferSyntaxUid, layout, elements, source }: CompressedPixels,
): Promise<void> {
  const unsigned = (tag: number, value: number): DataElement =>
    element(tagOf(tag), "US", Uint8Array.of(value & 0xff, value >>> 8));
  const dataSet = dataSetOf([
    textElement(tagOf(0x00080016), SECONDARY_CAPTURE),
    textElement(tagOf(0x00080018), NAMELESS),
    unsigned(0x00280002, layout.samplesPerPixel),
    textElement(tagOf(0x00280004), layout.photometricInterpretation),
    ...(layout.samplesPerPixel > 1 ? [unsigned(0x00280006, layout.planarConfiguration ?? 0)] : []),
    textElement(tagOf(0x00280008), String(layout.frames)),
    unsigned(0x00280010, layout.rows),
    unsigned(0x00280011, layout.columns),
    unsigned(0x00280100, layout.bitsAllocated),
    unsigned(0x00280101, layout.bitsStored),
    unsigned(0x00280102, layout.highBit),
    unsigned(0x00280103, layout.isSigned ? 1 : 0),
    ...elements,
  ]);
  const meta = fileMetaOf({ sopClassUid: SECONDARY_CAPTURE, sopInstanceUid: NAMELESS, transferSyntaxUid });
  await using file = await open(path, "wx", OWNER_ONLY);
  await writePart10({ write: (chunk) => file.writeFile(chunk) }, { meta, dataSet, transferSyntaxUid, source });
}

async function readOutput(path: string, asked: PixelLayout, until: AsyncDisposableStack): Promise<DecodedPixels> {
  const file = await readPart10File(path).catch((thrown: unknown) => {
    throw thrown instanceof GatewayError ? refused("codec-output") : thrown;
  });
  until.use(file);
  const found = pixelLayoutOf(file.dataSet, false);
  if (found === undefined || !UNCOMPRESSED.test(file.transferSyntaxUid)) throw refused("codec-output");
  if (!isSameImage(asked, found)) throw refused("codec-layout");
  const { photometricInterpretation, planarConfiguration } = found;
  const layout = { ...asked, photometricInterpretation, planarConfiguration };
  const sizeBytes = nativeSizeBytes(layout);
  const range = pixelRange(file.dataSet);
  if (range === undefined || range.length < sizeBytes || range.length > sizeBytes + (sizeBytes % 2))
    throw refused("codec-size");
  return { layout, range: { offset: range.offset, length: sizeBytes }, source: sourceOf(file.dataSet, file.source) };
}

/** Small values are in memory: their range is of them. */
function pixelRange(dataSet: DataSet): ByteRange | undefined {
  const value = dataSet.get(PIXEL_DATA)?.value;
  if (value?.kind === "bytes") return { offset: 0, length: value.bytes.length };
  return value?.kind === "range" ? value.range : undefined;
}

function sourceOf(dataSet: DataSet, source: ByteSource): ByteSource {
  const value = dataSet.get(PIXEL_DATA)?.value;
  if (value?.kind !== "bytes") return source;
  const { bytes } = value;
  return {
    sizeBytes: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

const SAME: readonly (keyof PixelLayout)[] = [
  "rows",
  "columns",
  "samplesPerPixel",
  "bitsAllocated",
  "isSigned",
  "frames",
];

/** Decoders set Bits Stored to what they find in the codestream; where a value begins in its word must be the same. */
function isSameImage(asked: PixelLayout, decoded: PixelLayout): boolean {
  const [from, to] = [asked.photometricInterpretation, decoded.photometricInterpretation];
  const lowestBit = ({ highBit, bitsStored }: PixelLayout): number => highBit + 1 - bitsStored;
  return (
    SAME.every((key) => asked[key] === decoded[key]) &&
    lowestBit(asked) === lowestBit(decoded) &&
    (from === to || DECODES_TO[from]?.includes(to) === true)
  );
}
