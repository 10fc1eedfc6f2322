import { GatewayError } from "../../errors/gateway-error.ts";
import type { ByteRange, ByteSource, DataSet, Part10File } from "../data-set.ts";
import { tags } from "../dictionary/tags.ts";
import { transferSyntaxOf } from "../dictionary/transfer-syntaxes.ts";
import { elementOf, tagOf } from "../tag.ts";
import { element } from "../values.ts";
import { dataSetChunks } from "../writer.ts";
import { damaged, type FrameShape, frameShapeOf, PLANAR_CONFIGURATION, unsupported } from "./frame-shape.ts";
import { decodeLosslessJpeg } from "./lossless-jpeg.ts";
import { decodeRleFrame } from "./rle.ts";

/** A compressed frame as native bytes. @throws GatewayError TRANSCODING_DAMAGED, TRANSCODING_UNSUPPORTED */
type DecodeFrame = (frame: Buffer, shape: FrameShape) => Buffer;

interface Decoder {
  readonly decode: DecodeFrame;
  /** Samples of a pixel come out together, whatever Planar Configuration said. PS3.5 8.2.1. */
  readonly interleaves: boolean;
}

/** Encapsulated syntaxes that are decoded here, all of them without loss. PS3.5 8.2, PS3.6 table A-1. */
const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ["1.2.840.10008.1.2.5", { decode: decodeRleFrame, interleaves: false }],
  ["1.2.840.10008.1.2.4.57", { decode: decodeJpegFrame, interleaves: true }],
  ["1.2.840.10008.1.2.4.70", { decode: decodeJpegFrame, interleaves: true }],
]);

/** Compressed without loss, and not decoded here: JPEG-LS, JPEG 2000, HTJ2K, JPEG XL and others. PS3.6 table A-1. */
const LOSSLESS: ReadonlySet<string> = new Set([
  "1.2.840.10008.1.2.1.98",
  "1.2.840.10008.1.2.4.58",
  "1.2.840.10008.1.2.4.80",
  "1.2.840.10008.1.2.4.90",
  "1.2.840.10008.1.2.4.92",
  "1.2.840.10008.1.2.4.110",
  "1.2.840.10008.1.2.4.201",
  "1.2.840.10008.1.2.4.202",
  "1.2.840.10008.1.2.8.1",
]);

/** Extended Offset Table, its lengths, and the length of all that is encapsulated. PS3.3 C.7.6.3. */
const OF_ENCAPSULATED = [0x7fe00001, 0x7fe00002, 0x7fe00003].map(tagOf);

/** Whether an object of the syntax can become an uncompressed one, and why not. */
export function transcodingOf(transferSyntaxUid: string): "possible" | "TRANSCODING_LOSSY" | "TRANSCODING_UNSUPPORTED" {
  const { encapsulated, keyword } = transferSyntaxOf(transferSyntaxUid);
  if (!encapsulated || DECODERS.has(transferSyntaxUid)) return "possible";
  // Of a syntax that nobody here knows it is not known that it loses anything.
  return keyword === "" || LOSSLESS.has(transferSyntaxUid) ? "TRANSCODING_UNSUPPORTED" : "TRANSCODING_LOSSY";
}

/**
 * The data set of a file in an uncompressed syntax, its pixel values as they were: a frame at a time is in memory.
 * @param target Explicit or Implicit VR Little Endian
 * @throws GatewayError TRANSCODING_DAMAGED, TRANSCODING_LOSSY, TRANSCODING_UNSUPPORTED
 */
export async function* transcodedDataSet(file: Part10File, target: string): AsyncGenerator<Uint8Array> {
  const { transferSyntaxUid, source } = file;
  const possibility = transcodingOf(transferSyntaxUid);
  if (possibility !== "possible") throw new GatewayError(possibility, { transferSyntaxUid });
  const dataSet = new Map([...file.dataSet].filter(([tag]) => elementOf(tag) !== 0));
  const options = {
    sourceLittleEndian: transferSyntaxOf(transferSyntaxUid).littleEndian,
    omitGroupLengthsInItems: true,
  };
  const pixels = dataSet.get(tags.PixelData);
  const decoder = DECODERS.get(transferSyntaxUid);
  if (pixels?.value.kind !== "fragments" || decoder === undefined) {
    refuseFragments(dataSet);
    yield* dataSetChunks(dataSet, target, source, options);
    return;
  }
  const shape = frameShapeOf(dataSet);
  dataSet.delete(tags.PixelData);
  for (const tag of OF_ENCAPSULATED) dataSet.delete(tag);
  refuseFragments(dataSet);
  if (decoder.interleaves && shape.isPlanar)
    dataSet.set(PLANAR_CONFIGURATION, element(PLANAR_CONFIGURATION, "US", Uint8Array.of(0, 0)));
  const before = new Map([...dataSet].filter(([tag]) => tag < tags.PixelData));
  const after = new Map([...dataSet].filter(([tag]) => tag > tags.PixelData));
  yield* dataSetChunks(before, target, source, options);
  yield pixelHeader(shape, target);
  yield* nativeFrames(pixels.value.fragments, shape, decoder.decode, source);
  if ((shape.frameBytes * shape.frames) % 2 === 1) yield Buffer.of(0);
  yield* dataSetChunks(after, target, source, options);
}

/** Compressed pixels elsewhere, such as an icon's: an uncompressed object may have none. PS3.5 A.4. */
function refuseFragments(dataSet: DataSet): void {
  for (const { value } of dataSet.values()) {
    if (value.kind === "fragments") throw unsupported("compressed pixels besides the image");
    if (value.kind === "sequence") for (const item of value.items) refuseFragments(item.dataSet);
  }
}

/** PS3.5 7.1.2, 7.1.3; A.2 for the VR. */
function pixelHeader({ frameBytes, frames, sampleBytes }: FrameShape, target: string): Buffer {
  const isExplicit = transferSyntaxOf(target).explicitVr;
  const sizeBytes = frameBytes * frames + ((frameBytes * frames) % 2);
  const header = Buffer.alloc(isExplicit ? 12 : 8);
  header.writeUInt16LE(tags.PixelData >>> 16, 0);
  header.writeUInt16LE(tags.PixelData & 0xffff, 2);
  if (isExplicit) header.write(sampleBytes === 1 ? "OB" : "OW", 4, "latin1");
  header.writeUInt32LE(sizeBytes, header.length - 4);
  return header;
}

async function* nativeFrames(
  fragments: readonly ByteRange[],
  shape: FrameShape,
  decode: DecodeFrame,
  source: ByteSource,
): AsyncGenerator<Buffer> {
  for (const frame of await framesOf(fragments, shape.frames, source)) {
    const native = decode(await bytesOfFrame(frame, shape, source), shape);
    if (native.length !== shape.frameBytes) throw damaged("size of a frame");
    yield native;
  }
}

/** One fragment a frame, every fragment of the only frame, as the offset table says, or as the first bytes of JPEG frames do. PS3.5 A.4. */
async function framesOf(
  [table, ...fragments]: readonly ByteRange[],
  count: number,
  source: ByteSource,
): Promise<readonly (readonly ByteRange[])[]> {
  if (fragments.length === count) return fragments.map((fragment) => [fragment]);
  if (count === 1) return [fragments];
  const starts = await offsetsIn(table, count, source);
  const first = fragments[0]?.offset ?? 0;
  const frames: ByteRange[][] = [];
  for (const fragment of fragments) {
    const isStart = starts?.has(fragment.offset - first) ?? (await isJpegStart(fragment, source));
    const last = frames.at(-1);
    if (last === undefined || isStart) frames.push([fragment]);
    else last.push(fragment);
  }
  if (frames.length !== count) throw damaged("number of frames");
  return frames;
}

/** From the first fragment's item on; undefined for a table that is empty or not of as many frames. PS3.5 A.4. */
async function offsetsIn(
  table: ByteRange | undefined,
  count: number,
  source: ByteSource,
): Promise<ReadonlySet<number> | undefined> {
  if (table === undefined || table.length !== count * 4) return undefined;
  const bytes = Buffer.from(await source.read(table.offset, table.length));
  return new Set(Array.from({ length: count }, (_, index) => bytes.readUInt32LE(index * 4)));
}

async function isJpegStart({ offset }: ByteRange, source: ByteSource): Promise<boolean> {
  const [first, second] = await source.read(offset, 2);
  return first === 0xff && second === 0xd8;
}

/** The worst encoder makes less than twice of it. */
const MOST_GROWTH = 2;
const ROOM_FOR_HEADERS_BYTES = 65_536;

async function bytesOfFrame(
  fragments: readonly ByteRange[],
  { frameBytes }: FrameShape,
  source: ByteSource,
): Promise<Buffer> {
  const sizeBytes = fragments.reduce((sum, { length }) => sum + length, 0);
  if (sizeBytes > frameBytes * MOST_GROWTH + ROOM_FOR_HEADERS_BYTES) throw damaged("size of a compressed frame");
  const pieces: Uint8Array[] = [];
  for (const { offset, length } of fragments) pieces.push(await source.read(offset, length));
  return Buffer.concat(pieces);
}

function decodeJpegFrame(frame: Buffer, shape: FrameShape): Buffer {
  try {
    const { rows, columns, components, precisionBits, samples } = decodeLosslessJpeg(frame);
    const isAlike = rows === shape.rows && columns === shape.columns && components === shape.samplesPerPixel;
    if (!isAlike || precisionBits > shape.sampleBytes * 8) throw damaged("JPEG of another size");
    if (shape.sampleBytes === 1) return Buffer.from(samples);
    if (shape.sampleBytes !== 2) throw unsupported("samples of 32 bits");
    const native = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
    return isLittleEndianHere() ? native : native.swap16();
  } catch (thrown) {
    // A field that lies outside of what there is: Node's own range checks.
    if (thrown instanceof RangeError) throw damaged("JPEG segment");
    throw thrown;
  }
}

function isLittleEndianHere(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
}
