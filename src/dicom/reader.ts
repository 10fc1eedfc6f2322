import { open } from "node:fs/promises";
import { GatewayError } from "../errors/gateway-error.ts";
import { createCursor, cursorOver, fill } from "./cursor.ts";
import type { ByteSource, DataSet, Finding, Part10File } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  type TransferSyntax,
  transferSyntaxOf,
} from "./dictionary/transfer-syntaxes.ts";
import { inflateSource } from "./inflate.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { type ParsedDataSet, type ParseOptions, parseElements } from "./parse-data-set.ts";
import { tagOf } from "./tag.ts";
import { trimUid } from "./uid.ts";
import { isVr } from "./vr.ts";

const PREAMBLE_BYTES = 128;
const META_START = PREAMBLE_BYTES + 4;

/** The first element behind group 0002. */
const BEHIND_META = tagOf(0x00030000);

export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/** A file opened for reading; closing it closes the ranges of what was read from it. */
export async function fileSource(path: string): Promise<ByteSource & AsyncDisposable> {
  const file = await open(path, "r");
  const { size } = await file.stat();
  return {
    sizeBytes: size,
    async read(offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** A data set that is wholly in memory: C-FIND identifiers and the like. @throws GatewayError as `parseElements` */
export function parseDataSet(bytes: Uint8Array, transferSyntaxUid: string, options: ParseOptions = {}): DataSet {
  const parsing = parseElements(cursorOver(bytes), transferSyntaxOf(transferSyntaxUid), options);
  // Everything is in the window: asking for more bytes changes nothing, and the parser then finds them missing.
  let step = parsing.next();
  while (step.done !== true) step = parsing.next();
  return step.value.dataSet;
}

async function parseSource(
  source: ByteSource,
  offset: number,
  syntax: TransferSyntax,
  options: ParseOptions,
): Promise<ParsedDataSet> {
  const cursor = createCursor(source.sizeBytes, offset);
  const parsing = parseElements(cursor, syntax, options);
  let step = parsing.next();
  while (step.done !== true) {
    await fill(cursor, source, step.value);
    step = parsing.next();
  }
  return step.value;
}

/**
 * Reads a Part 10 file: header in memory, bulk by range. PS3.10 7.
 * A missing preamble or file meta is a finding; what is no DICOM at all is refused.
 * @throws GatewayError NOT_DICOM, DICOM_TRUNCATED, DICOM_MALFORMED, DICOM_LIMIT_EXCEEDED
 */
export async function readPart10(source: ByteSource, options: ParseOptions = {}): Promise<Part10File> {
  const findings: Finding[] = [];
  const start = await source.read(0, META_START);
  const hasPreamble = isMagic(start, PREAMBLE_BYTES);
  const metaOffset = hasPreamble ? META_START : isMagic(start, 0) ? 4 : 0;
  if (!hasPreamble) findings.push({ code: "PREAMBLE_MISSING", offset: 0, message: "no preamble with DICM behind it" });

  const meta = await readMeta(source, metaOffset, hasPreamble, options, findings);
  const declared = meta.transferSyntaxUid;
  const probed = await probeSyntax(source, meta.endOffset, declared, hasPreamble);
  if (declared !== undefined && probed !== declared) {
    findings.push({
      code: "TRANSFER_SYNTAX_WRONG",
      offset: meta.endOffset,
      message: "the data set is not in the syntax that the file meta says",
    });
  }
  const syntax = transferSyntaxOf(probed);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const body = syntax.deflated ? await inflateSource(source, meta.endOffset, limits.inflatedBytes) : source;
  const parsed = await parseSource(body, syntax.deflated ? 0 : meta.endOffset, syntax, options);
  if (parsed.dataSet.size === 0 && meta.dataSet.size === 0)
    throw new GatewayError("NOT_DICOM", { offset: parsed.endOffset });
  return {
    preamble: hasPreamble ? start.subarray(0, PREAMBLE_BYTES) : undefined,
    meta: meta.dataSet,
    dataSet: parsed.dataSet,
    transferSyntaxUid: probed,
    dataSetOffset: meta.endOffset,
    source: body,
    findings: [...findings, ...parsed.findings],
  };
}

/** As `readPart10`, of a file that stays open for its ranges until disposed. */
export async function readPart10File(path: string, options: ParseOptions = {}): Promise<Part10File & AsyncDisposable> {
  const source = await fileSource(path);
  try {
    const file = await readPart10(source, options);
    return { ...file, [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() };
  } catch (thrown) {
    await source[Symbol.asyncDispose]();
    throw thrown;
  }
}

function isMagic(bytes: Uint8Array, offset: number): boolean {
  return bytes.length >= offset + 4 && String.fromCharCode(...bytes.subarray(offset, offset + 4)) === "DICM";
}

interface Meta {
  readonly dataSet: DataSet;
  readonly transferSyntaxUid: string | undefined;
  readonly endOffset: number;
}

/** Group 0002 is explicit VR little endian, and ends where another group begins. PS3.10 7.1. */
async function readMeta(
  source: ByteSource,
  offset: number,
  hasPreamble: boolean,
  options: ParseOptions,
  findings: Finding[],
): Promise<Meta> {
  const none: Meta = { dataSet: new Map(), transferSyntaxUid: undefined, endOffset: offset };
  const first = await source.read(offset, 8);
  const beginsWithMeta = first.length === 8 && first[0] === 2 && first[1] === 0;
  if (!beginsWithMeta) {
    if (!hasPreamble && !(await looksLikeDataSet(source, offset))) throw new GatewayError("NOT_DICOM", { offset });
    findings.push({ code: "FILE_META_MISSING", offset, message: "no file meta information" });
    return none;
  }
  const {
    dataSet,
    endOffset,
    findings: metaFindings,
  } = await parseSource(
    source,
    offset,
    transferSyntaxOf(
      isVr(String.fromCharCode(first[4] ?? 0, first[5] ?? 0)) ? EXPLICIT_VR_LITTLE_ENDIAN : IMPLICIT_VR_LITTLE_ENDIAN,
    ),
    { ...options, stopBefore: BEHIND_META },
  );
  findings.push(...metaFindings);
  const value = dataSet.get(tags.TransferSyntaxUID)?.value;
  const uid = value?.kind === "bytes" ? trimUid(Buffer.from(value.bytes).toString("latin1")) : undefined;
  if (uid === undefined || uid === "")
    findings.push({ code: "TRANSFER_SYNTAX_MISSING", offset, message: "the file meta names no transfer syntax" });
  return { dataSet, transferSyntaxUid: uid === "" ? undefined : uid, endOffset };
}

/** The syntax the first element really is in: some files lie, some say nothing. */
async function probeSyntax(
  source: ByteSource,
  offset: number,
  declared: string | undefined,
  hasPreamble: boolean,
): Promise<string> {
  const syntax = declared === undefined ? undefined : transferSyntaxOf(declared);
  if (syntax?.deflated || syntax?.littleEndian === false) return syntax.uid;
  const bytes = await source.read(offset, 8);
  if (bytes.length < 8) return declared ?? IMPLICIT_VR_LITTLE_ENDIAN;
  const explicitVr = isVr(String.fromCharCode(bytes[4] ?? 0, bytes[5] ?? 0));
  if (syntax !== undefined && syntax.explicitVr === explicitVr) return syntax.uid;
  if (syntax === undefined && bytes[0] === 0 && bytes[1] !== 0 && explicitVr && !hasPreamble)
    return "1.2.840.10008.1.2.2";
  // An implicit header whose length would run over the file is no reason to doubt an explicit syntax.
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  if (syntax?.explicitVr && length > source.sizeBytes - offset - 8) return syntax.uid;
  return explicitVr ? EXPLICIT_VR_LITTLE_ENDIAN : IMPLICIT_VR_LITTLE_ENDIAN;
}

/** Without preamble and meta: an element of a low even group whose length is possible. */
async function looksLikeDataSet(source: ByteSource, offset: number): Promise<boolean> {
  const bytes = await source.read(offset, 8);
  if (bytes.length < 8) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const group = view.getUint16(0, true);
  const groupBig = view.getUint16(0, false);
  if (group !== 0x0008 && group !== 0x0010 && groupBig !== 0x0008) return false;
  const explicitVr = isVr(String.fromCharCode(bytes[4] ?? 0, bytes[5] ?? 0));
  return explicitVr || view.getUint32(4, true) <= source.sizeBytes - offset - 8;
}
