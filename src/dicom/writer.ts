import { GatewayError } from "../errors/gateway-error.ts";
import { remembering } from "../units/memo.ts";
import { isAeTitle } from "./ae-title.ts";
import type { ByteRange, ByteSource, DataSet } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, type TransferSyntax, transferSyntaxOf } from "./dictionary/transfer-syntaxes.ts";
import { type EncodeOptions, encodeSegments, type Segment, swapped } from "./encode-segments.ts";
import { deflatedBytes, deflatedChunks } from "./inflate.ts";
import { element, textElement, uidOf } from "./values.ts";

/** Where encoded bytes go, in order. A promise holds the writer back. */
export interface ByteSink {
  write(chunk: Uint8Array): void | Promise<void>;
}

/** Ours, in the 2.25 arc. PS3.7 D.3.3.2, PS3.5 B.2. */
export const IMPLEMENTATION_CLASS_UID = "2.25.191443290715206983217648231754963127409";
/** At most 16 characters. PS3.7 D.3.3.2. */
export const IMPLEMENTATION_VERSION_NAME = "RADFERRY_010";

/** A multiple of every word size, so that no word is cut in two. */
const COPY_BYTES = 1024 * 1024;

/** @throws GatewayError INTERNAL when a value was left in its source: such data sets are written with `writeDataSet` */
export function encodeDataSet(dataSet: DataSet, transferSyntaxUid: string, options: EncodeOptions = {}): Uint8Array {
  const syntax = transferSyntaxOf(transferSyntaxUid);
  const bytes = concatenate(encodeSegments(dataSet, syntax, options));
  return syntax.deflated ? deflatedBytes(bytes) : bytes;
}

function concatenate(segments: readonly Segment[]): Buffer {
  return Buffer.concat(
    segments.map((segment) => {
      if (segment.kind === "range") throw new GatewayError("INTERNAL", { what: "range in memory" });
      return segment.bytes;
    }),
  );
}

/** Writes a data set, copying ranges from `source` a mebibyte at a time; deflates it where the syntax asks for it. */
export async function writeDataSet(
  sink: ByteSink,
  dataSet: DataSet,
  transferSyntaxUid: string,
  source: ByteSource,
  options: EncodeOptions = {},
): Promise<void> {
  const syntax = transferSyntaxOf(transferSyntaxUid);
  await writeSegments(sink, encodeSegments(dataSet, syntax, options), syntax, source);
}

/** As `writeDataSet`, for who takes the bytes as they come; never deflated. */
export function dataSetChunks(
  dataSet: DataSet,
  transferSyntaxUid: string,
  source: ByteSource,
  options: EncodeOptions = {},
): AsyncGenerator<Uint8Array> {
  return chunksOf(encodeSegments(dataSet, transferSyntaxOf(transferSyntaxUid), options), source);
}

async function writeSegments(
  sink: ByteSink,
  segments: readonly Segment[],
  { deflated }: TransferSyntax,
  source: ByteSource,
): Promise<void> {
  const chunks = chunksOf(segments, source);
  for await (const chunk of deflated ? deflatedChunks(chunks) : chunks) await sink.write(chunk);
}

async function* chunksOf(segments: readonly Segment[], source: ByteSource): AsyncGenerator<Uint8Array> {
  for (const segment of segments) {
    if (segment.kind === "bytes") {
      yield segment.bytes;
      continue;
    }
    const { offset, length } = segment.range;
    for (let done = 0; done < length; ) {
      const bytes = await source.read(offset + done, Math.min(COPY_BYTES, length - done));
      if (bytes.length === 0) throw new GatewayError("DICOM_TRUNCATED", { offset: offset + done, what: "value" });
      yield segment.swapBytes === 1 ? bytes : swapped(bytes, segment.swapBytes);
      done += bytes.length;
    }
  }
}

export interface Part10Content {
  /** Elements of group 0002 without its group length. */
  readonly meta: DataSet;
  readonly dataSet: DataSet;
  /** Must be the one in `meta`. */
  readonly transferSyntaxUid: string;
  /** What ranges of the data set refer to. */
  readonly source: ByteSource;
  /** Absent: zeros. */
  readonly preamble?: Uint8Array | undefined;
  /** Bytes of `source` to be kept behind the data set, though they are no part of it. */
  readonly trailing?: ByteRange | undefined;
  /** The same behind the end of a deflated data set: bytes of `file`. */
  readonly behindDeflated?: ByteRange | undefined;
  readonly file?: ByteSource;
}

/**
 * A file that was read is written back whole, bytes behind its data set included. PS3.10 7.1.
 * @throws GatewayError INTERNAL when the file meta names another transfer syntax than the one written
 */
export async function writePart10(sink: ByteSink, content: Part10Content, options: EncodeOptions = {}): Promise<void> {
  const named = uidOf(content.meta, tags.TransferSyntaxUID);
  if (named !== undefined && named !== content.transferSyntaxUid)
    throw new GatewayError("INTERNAL", { what: "file meta of another transfer syntax" });
  await sink.write(encodePreambleAndMeta(content.meta, content.preamble));
  const { dataSet, source, trailing, behindDeflated, file } = content;
  const syntax = transferSyntaxOf(content.transferSyntaxUid);
  const segments = encodeSegments(dataSet, syntax, options);
  await writeSegments(sink, [...segments, ...copyOf(trailing)], syntax, source);
  if (file !== undefined) for await (const chunk of chunksOf(copyOf(behindDeflated), file)) await sink.write(chunk);
}

function copyOf(range: ByteRange | undefined): readonly Segment[] {
  return range === undefined ? [] : [{ kind: "range", range, swapBytes: 1 }];
}

export interface FileMetaFacts {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly sourceAeTitle?: string;
}

const META_VERSION = element(tags.FileMetaInformationVersion, "OB", Uint8Array.of(0, 1));
const META_IMPLEMENTATION = [
  textElement(tags.ImplementationClassUID, IMPLEMENTATION_CLASS_UID, "UI"),
  textElement(tags.ImplementationVersionName, IMPLEMENTATION_VERSION_NAME, "SH"),
];
/** There are hardly more SOP classes and transfer syntaxes. */
const REMEMBERED_UIDS = 500;
const sopClassElement = remembering(REMEMBERED_UIDS, (uid: string) =>
  textElement(tags.MediaStorageSOPClassUID, uid, "UI"),
);
const syntaxElement = remembering(REMEMBERED_UIDS, (uid: string) => textElement(tags.TransferSyntaxUID, uid, "UI"));

/** Group 0002 as this product writes it. PS3.10 table 7.1-1. */
export function fileMetaOf(facts: FileMetaFacts): DataSet {
  const elements = [
    META_VERSION,
    sopClassElement(facts.sopClassUid),
    textElement(tags.MediaStorageSOPInstanceUID, facts.sopInstanceUid, "UI"),
    syntaxElement(facts.transferSyntaxUid),
    ...META_IMPLEMENTATION,
  ];
  // A peer may call itself what the element cannot hold, which is of type 3.
  if (facts.sourceAeTitle !== undefined && isAeTitle(facts.sourceAeTitle))
    elements.push(textElement(tags.SourceApplicationEntityTitle, facts.sourceAeTitle, "AE"));
  return new Map(elements.map((one) => [one.tag, one]));
}

/** Preamble, "DICM" and file meta: what stands before a data set that is stored as received. */
export function encodeFileMeta(facts: FileMetaFacts): Uint8Array {
  return encodePreambleAndMeta(fileMetaOf(facts));
}

/** The group length of `meta` is not looked at: it is what follows it. */
export function encodePreambleAndMeta(meta: DataSet, preamble: Uint8Array = NO_PREAMBLE): Uint8Array {
  const content = new Map(meta);
  content.delete(tags.FileMetaInformationGroupLength);
  const body = encodeDataSet(content, EXPLICIT_VR_LITTLE_ENDIAN);
  const head = Buffer.from(META_HEAD);
  head.writeUInt32LE(body.length, head.length - 4);
  return Buffer.concat([preamble, head, body]);
}

const NO_PREAMBLE = new Uint8Array(128);
/** "DICM", (0002,0000) UL, 4 bytes of length, and the length of what follows. PS3.10 table 7.1-1. */
const META_HEAD = Buffer.from("4449434d 0200 0000 554c 0400 00000000".replaceAll(" ", ""), "hex");
