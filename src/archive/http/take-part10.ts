import { tags } from "../../dicom/dictionary/tags.ts";
import { bytesSource, readPart10 } from "../../dicom/reader.ts";
import type { StudyInstanceUid } from "../../dicom/uid.ts";
import { uidOf } from "../../dicom/values.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { IncomingFileOptions, StagedInstance, StagingArea } from "../../staging/staging-area.ts";
import type { Pace } from "../availability/pace.ts";
import type { Expectations, Refusals } from "../expectations.ts";

/** Preamble, "DICM" and (0002,0000) UL with its value. PS3.10 7.1. */
const BEFORE_META_BYTES = 128 + 4 + 12;
const GROUP_LENGTH_VALUE_OFFSET = 128 + 4 + 8;
/** Its elements are UIDs, AE titles and short texts; private information may lie beside them. */
const MAXIMUM_META_BYTES = 1024 * 1024;

export interface Part10Taker {
  readonly staging: Pick<StagingArea, "begin">;
  readonly expectations: Expectations;
  readonly refusals: Refusals;
  readonly pace: Pace;
  /** What staged files are marked with as their source. */
  readonly sourceAeTitle: string;
}

/**
 * Takes a Part 10 stream into staging: its data set byte by byte as it came, behind file meta of our own.
 * @param study the instance must be of it
 * @throws GatewayError INSTANCE_UNREADABLE, INSTANCE_MISMATCH, INSTANCE_UNSOLICITED, STAGING_FULL, STAGING_UNAVAILABLE; what the stream throws
 */
export async function takePart10(
  stream: AsyncIterable<Uint8Array>,
  study: StudyInstanceUid,
  { staging, expectations, refusals, pace, sourceAeTitle }: Part10Taker,
  signal: AbortSignal,
): Promise<StagedInstance> {
  const pieces = stream[Symbol.asyncIterator]();
  try {
    const { head, metaEnd } = await readHead(pieces);
    const announced = await announcedBy(head.subarray(0, metaEnd));
    const file = await staging.begin({ ...announced, sourceAeTitle });
    try {
      await file.write(head.subarray(metaEnd));
      for (let piece = await pieces.next(); piece.done !== true; piece = await pieces.next()) {
        signal.throwIfAborted();
        expectations.noteActivity();
        await file.write(piece.value);
        await pace.take(piece.value.length, signal);
      }
      const staged = await file.commit((instance) => instance.studyInstanceUid === study);
      expectations.noteArrival(staged.studyInstanceUid, staged.sopInstanceUid);
      return staged;
    } catch (thrown) {
      await file.abort();
      refusals.noteRefusal(announced.sopInstanceUid, toGatewayError(thrown).code);
      throw thrown;
    }
  } finally {
    await pieces.return?.();
  }
}

interface Head {
  readonly head: Buffer;
  readonly metaEnd: number;
}

/** Reads on until the whole of the file meta is there. */
async function readHead(pieces: AsyncIterator<Uint8Array>): Promise<Head> {
  let head = Buffer.alloc(0);
  let wanted = BEFORE_META_BYTES;
  let isMetaKnown = false;
  for (;;) {
    while (head.length < wanted) {
      const piece = await pieces.next();
      if (piece.done === true) throw new GatewayError("INSTANCE_UNREADABLE", { because: "cut short in its file meta" });
      head = Buffer.concat([head, piece.value]);
    }
    if (isMetaKnown) return { head, metaEnd: wanted };
    wanted = BEFORE_META_BYTES + metaBytes(head);
    isMetaKnown = true;
  }
}

function metaBytes(head: Buffer): number {
  const isDicom = head.toString("latin1", 128, 132) === "DICM" && head.readUInt32LE(132) === 0x0000_0002;
  const length = isDicom ? head.readUInt32LE(GROUP_LENGTH_VALUE_OFFSET) : 0;
  if (length === 0 || length > MAXIMUM_META_BYTES) {
    throw new GatewayError("INSTANCE_UNREADABLE", { because: "no Part 10 file" });
  }
  return length;
}

async function announcedBy(meta: Buffer): Promise<Omit<IncomingFileOptions, "sourceAeTitle">> {
  const file = await readPart10(bytesSource(meta)).catch((thrown: unknown) => {
    throw new GatewayError("INSTANCE_UNREADABLE", { because: toGatewayError(thrown).code }, thrown);
  });
  const sopClassUid = uidOf(file.meta, tags.MediaStorageSOPClassUID);
  const sopInstanceUid = uidOf(file.meta, tags.MediaStorageSOPInstanceUID);
  const transferSyntaxUid = uidOf(file.meta, tags.TransferSyntaxUID);
  if (sopClassUid === undefined || sopInstanceUid === undefined || transferSyntaxUid === undefined) {
    throw new GatewayError("INSTANCE_UNREADABLE", { because: "file meta without what it must hold" });
  }
  return { sopClassUid, sopInstanceUid, transferSyntaxUid };
}
