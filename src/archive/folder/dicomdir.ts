import type { DataSet, Part10File } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { parseDataSet } from "../../dicom/reader.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import { numberOf, textOf, textsOf, uidOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { canonicalName, indexedInstance, type ListedOnMedia } from "./indexed-instance.ts";
import { endOfItem, ITEM_HEADER_BYTES, itemAt } from "./item-bounds.ts";

/** Media Storage Directory Storage. PS3.4 annex I, PS3.10 8.6. */
export const MEDIA_DIRECTORY = "1.2.840.10008.1.3.10";

/** PS3.3 table F.3-3. */
const DirectoryRecordSequence = tagOf(0x00041220);
const FirstRecord = tagOf(0x00041200);
const NextRecord = tagOf(0x00041400);
const RecordInUse = tagOf(0x00041410);
const LowerRecords = tagOf(0x00041420);
const DirectoryRecordType = tagOf(0x00041430);
const ReferencedFileID = tagOf(0x00041500);
const ReferencedSOPClass = tagOf(0x00041510);
const ReferencedSOPInstance = tagOf(0x00041511);

/** A medium of a terabyte of single slices has fewer. */
const MAXIMUM_RECORDS = 2_000_000;
const MAXIMUM_BYTES = 512 * 1024 * 1024;
/** Records below records: patient, study, series, instance, and what a site puts between. PS3.3 table F.4-1. */
const MAXIMUM_DEPTH = 32;

interface DirectoryRecord {
  readonly type: string;
  readonly next: number;
  readonly lower: number;
  readonly isInUse: boolean;
  readonly dataSet: DataSet;
}

/**
 * The instances that a DICOMDIR lists, whichever kind of record names them. PS3.3 annex F.
 * @param file read before its records, up to (0004,1220)
 * @throws GatewayError MEDIA_DIRECTORY_UNREADABLE
 */
export async function listedInMedia(file: Part10File): Promise<readonly ListedOnMedia[]> {
  try {
    const records = await recordsOf(file);
    const found = new Map<number, ListedOnMedia>();
    walk(records, numberOf(file.dataSet, FirstRecord) ?? 0, found);
    return [...found.values()];
  } catch (thrown) {
    if (thrown instanceof GatewayError || thrown instanceof RangeError)
      throw new GatewayError("MEDIA_DIRECTORY_UNREADABLE", {}, thrown);
    throw thrown;
  }
}

/** Records point at each other by their places in the file, so that these have to be known. PS3.3 F.2.2. */
async function recordsOf({ source, stoppedBefore, layout, transferSyntaxUid }: Part10File) {
  const records = new Map<number, DirectoryRecord>();
  if (stoppedBefore !== DirectoryRecordSequence || layout === undefined) return records;
  const { endOffset } = layout;
  if (source.sizeBytes > MAXIMUM_BYTES) throw new GatewayError("DICOM_LIMIT_EXCEEDED", { what: "DICOMDIR" });
  const bytes = Buffer.from(await source.read(0, source.sizeBytes));
  const isExplicit = bytes.toString("latin1", endOffset + 4, endOffset + 6) === "SQ";
  const lengthAt = endOffset + (isExplicit ? 8 : 4);
  const length = bytes.readUInt32LE(lengthAt);
  const end = length === UNDEFINED_LENGTH ? bytes.length : lengthAt + 4 + length;
  if (end > bytes.length) throw new GatewayError("DICOM_TRUNCATED", { what: "directory records" });
  for (let at = lengthAt + 4; at < end && itemAt(bytes, at); ) {
    const itemEnd = endOfItem(bytes, at, isExplicit);
    records.set(at, recordOf(parseDataSet(bytes.subarray(at + ITEM_HEADER_BYTES, itemEnd.content), transferSyntaxUid)));
    if (records.size > MAXIMUM_RECORDS) throw new GatewayError("DICOM_LIMIT_EXCEEDED", { what: "directory records" });
    at = itemEnd.next;
  }
  return records;
}

const UNDEFINED_LENGTH = 0xffffffff;

function recordOf(dataSet: DataSet): DirectoryRecord {
  return {
    type: textOf(dataSet, DirectoryRecordType)?.trim() ?? "",
    next: numberOf(dataSet, NextRecord) ?? 0,
    lower: numberOf(dataSet, LowerRecords) ?? 0,
    // 0: not in use; everything else is. PS3.3 table F.3-3.
    isInUse: numberOf(dataSet, RecordInUse) !== 0,
    dataSet,
  };
}

/** The records above one, the nearest last. */
type Above = readonly DataSet[];

/** From above downwards, each record once, so that a ring of pointers ends. @throws GatewayError when one points nowhere */
function walk(records: ReadonlyMap<number, DirectoryRecord>, first: number, found: Map<number, ListedOnMedia>): void {
  const seen = new Set<number>();
  const open: { readonly at: number; readonly above: Above }[] = [{ at: first, above: [] }];
  for (let here = open.pop(); here !== undefined; here = open.pop()) {
    const { at, above } = here;
    if (at === 0 || seen.has(at)) continue;
    seen.add(at);
    const record = records.get(at);
    if (record === undefined) throw new GatewayError("DICOM_MALFORMED", { what: "a record that is not there" });
    open.push({ at: record.next, above });
    if (!record.isInUse) continue;
    if (above.length >= MAXIMUM_DEPTH) throw new GatewayError("DICOM_LIMIT_EXCEEDED", { what: "depth of records" });
    const within = [...above, record.dataSet];
    open.push({ at: record.lower, above: within });
    const listed = listedBy(within);
    if (listed !== undefined) found.set(at, listed);
  }
}

/** Undefined for a record that names no instance, and for one whose series and study nobody tells. */
function listedBy(within: Above): ListedOnMedia | undefined {
  const record = within.at(-1);
  const sop = record && uidOf(record, ReferencedSOPInstance);
  if (record === undefined || sop === undefined) return undefined;
  const read = (tag: Tag): string => {
    if (tag === tags.SOPInstanceUID) return sop;
    if (tag === tags.SOPClassUID) return uidOf(record, ReferencedSOPClass) ?? "";
    const holder = within.findLast((dataSet) => textOf(dataSet, tag) !== undefined);
    return holder === undefined ? "" : (textOf(holder, tag)?.trim() ?? "");
  };
  const instance = indexedInstance({ file: undefined }, 0, read);
  if (instance === undefined) return undefined;
  return { instance, fileName: canonicalName(textsOf(record, ReferencedFileID).join("/")) };
}
