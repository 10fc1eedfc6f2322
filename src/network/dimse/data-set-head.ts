import { constants, inflateRawSync } from "node:zlib";
import { tags } from "../../dicom/dictionary/tags.ts";
import { type TransferSyntax, transferSyntaxes } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import { trimUid } from "../../dicom/uid.ts";
import { isLongForm, vrOfCode } from "../../dicom/vr.ts";
import { createBytePieces } from "../../units/byte-pieces.ts";
import type { Violation } from "../upper-layer/violations.ts";
import type { NamedObject } from "./service-types.ts";

/** Both UIDs stand within the first few hundred bytes of nearly every object; where they do not within these, the sink is left to judge. */
const MAXIMUM_HEAD_BYTES = 64 * 1024;

/** So much of a deflated data set is inflated: at most some 4 MB come out (RFC 1951: 1032 to 1). */
const MAXIMUM_DEFLATED_BYTES = 4096;

const UNDEFINED_LENGTH = 0xffff_ffff;
/** PS3.5 7.5. */
const DELIMITER_GROUP = 0xfffe;
const ITEM = 0xe000;

export interface AnnouncedObject {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
}

/** What the head of a data set says; `isWhole` when more bytes would add nothing. */
interface Head extends NamedObject {
  readonly sopClassUid?: string;
  readonly isWhole: boolean;
}

/** Compares a data set, as it streams by, with what its C-STORE command announced. Copies nothing when the first bytes decide. */
export class DataSetHead {
  readonly #announced: AnnouncedObject;
  readonly #syntax: TransferSyntax | undefined;
  #earlier = createBytePieces();
  #bytes = 0;
  /** Looked at again when twice as much is there: the work stays in proportion, however small the pieces. */
  #nextLookBytes = 0;
  #isDecided: boolean;
  #named: NamedObject = {};

  constructor(announced: AnnouncedObject) {
    this.#announced = announced;
    this.#syntax = transferSyntaxes.get(announced.transferSyntaxUid);
    this.#isDecided = this.#syntax === undefined;
  }

  get isDecided(): boolean {
    return this.#isDecided;
  }

  /** What an object that differs says it is, as far as it has come. */
  get named(): NamedObject {
    return this.#named;
  }

  /** Takes the next bytes; says in what the object differs. A UID that cannot be found or read differs in nothing. */
  add(chunk: Uint8Array): Violation | undefined {
    if (this.#isDecided) return undefined;
    this.#bytes += chunk.length;
    if (this.#bytes < this.#nextLookBytes) {
      this.#earlier.add(Uint8Array.from(chunk));
      return undefined;
    }
    // The first bytes are copied only where they do not decide.
    const isFirst = this.#earlier.sizeBytes === 0;
    if (!isFirst) this.#earlier.add(Uint8Array.from(chunk));
    const violation = this.#look(isFirst ? bufferOf(chunk) : this.#earlier.bytes());
    if (isFirst && !this.#isDecided) this.#earlier.add(Uint8Array.from(chunk));
    return violation;
  }

  /** The data set has ended. */
  end(): Violation | undefined {
    return this.#isDecided ? undefined : this.#look(this.#earlier.bytes());
  }

  #look(head: Buffer): Violation | undefined {
    if (this.#syntax === undefined) return undefined;
    const { sopClassUid, sopInstanceUid, isWhole } = headOf(head, this.#syntax, tags.SOPInstanceUID);
    this.#nextLookBytes = this.#bytes * 2;
    this.#isDecided = isWhole || this.#bytes >= MAXIMUM_HEAD_BYTES;
    if (this.#isDecided) this.#earlier = createBytePieces();
    const announced = this.#announced;
    const isOfClass = (sopClassUid ?? announced.sopClassUid) === announced.sopClassUid;
    if (isOfClass && (sopInstanceUid ?? announced.sopInstanceUid) === announced.sopInstanceUid) return undefined;
    this.#named = headOf(head, this.#syntax, tags.StudyInstanceUID);
    return isOfClass ? "INSTANCE_UID_DIFFERS" : "SOP_CLASS_DIFFERS";
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function headOf(bytes: Buffer, syntax: TransferSyntax, last: Tag): Head {
  if (!syntax.deflated) return scan(bytes, syntax, last);
  try {
    const inflated = inflateRawSync(bytes.subarray(0, MAXIMUM_DEFLATED_BYTES), {
      // The end of the stream is not there yet.
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: MAXIMUM_DEFLATED_BYTES * 1100,
    });
    const head = scan(inflated, syntax, last);
    return { ...head, isWhole: head.isWhole || bytes.length >= MAXIMUM_DEFLATED_BYTES };
  } catch {
    return { isWhole: true };
  }
}

const READ: ReadonlyMap<Tag, "sopClassUid" | "sopInstanceUid" | "studyInstanceUid"> = new Map([
  [tags.SOPClassUID, "sopClassUid"],
  [tags.SOPInstanceUID, "sopInstanceUid"],
  [tags.StudyInstanceUID, "studyInstanceUid"],
]);

/** Walks the elements up to the last that is wanted, without recursion; what is no data set ends the walk. */
function scan(bytes: Buffer, syntax: TransferSyntax, last: Tag): Head {
  const found: { sopClassUid?: string; sopInstanceUid?: string; studyInstanceUid?: string } = {};
  let depth = 0;
  for (let offset = 0; ; ) {
    const header = headerAt(bytes, offset, syntax);
    if (header === undefined) return { ...found, isWhole: false };
    const { group, element, length, valueOffset } = header;
    const tag = tagOf(group * 0x10000 + element);
    if (depth === 0 && tag > last && group !== DELIMITER_GROUP) return { ...found, isWhole: true };
    const isUndefined = length === UNDEFINED_LENGTH;
    if (group === DELIMITER_GROUP && element !== ITEM) depth -= 1;
    else if (isUndefined) depth += 1;
    if (depth < 0 || header.isUnreadable) return { ...found, isWhole: true };
    const name = depth === 0 ? READ.get(tag) : undefined;
    if (name !== undefined) {
      if (valueOffset + length > bytes.length) return { ...found, isWhole: false };
      found[name] = trimUid(bytes.toString("latin1", valueOffset, valueOffset + length));
      if (tag === last) return { ...found, isWhole: true };
    }
    offset = valueOffset + (isUndefined ? 0 : length);
  }
}

interface ElementHeader {
  readonly group: number;
  readonly element: number;
  readonly length: number;
  readonly valueOffset: number;
  readonly isUnreadable: boolean;
}

/** PS3.5 7.1; undefined when it is not there whole. */
function headerAt(
  bytes: Buffer,
  offset: number,
  { explicitVr, littleEndian }: TransferSyntax,
): ElementHeader | undefined {
  if (offset + 8 > bytes.length) return undefined;
  const uint16 = (at: number): number => (littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const uint32 = (at: number): number => (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const group = uint16(offset);
  const element = uint16(offset + 2);
  if (!explicitVr || group === DELIMITER_GROUP) {
    return { group, element, length: uint32(offset + 4), valueOffset: offset + 8, isUnreadable: false };
  }
  const vr = vrOfCode(bytes.readUInt16BE(offset + 4));
  if (vr === undefined || !isLongForm(vr)) {
    const length = uint16(offset + 6);
    return { group, element, length, valueOffset: offset + 8, isUnreadable: vr === undefined };
  }
  if (offset + 12 > bytes.length) return undefined;
  const length = uint32(offset + 8);
  // Within UN of undefined length the rules are others: PS3.5 6.2.2 note 2.
  return { group, element, length, valueOffset: offset + 12, isUnreadable: vr !== "SQ" && length === UNDEFINED_LENGTH };
}
