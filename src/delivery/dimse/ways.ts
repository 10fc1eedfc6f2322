import { createHash } from "node:crypto";
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  transferSyntaxOf,
} from "../../dicom/dictionary/transfer-syntaxes.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { transcodedDataSet, transcodingOf } from "../../dicom/transcoding/transcode.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { AcceptedContext, OutgoingInstance, ProposedContext } from "../../network/dimse/service-types.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import type { StudyDelivery, TranscodedInstance } from "../destination.ts";
import { readCopy } from "../reading/study-reading.ts";

/** Uncompressed, the preferred first: the second every application takes. PS3.5 10.1. */
const UNCOMPRESSED = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];

/** How a file goes: in the transfer syntax it is in, or in another one that the destination takes. */
export interface Way {
  readonly file: DeidentifiedFile;
  readonly transferSyntaxUid: string;
}

export function isTranscoded({ file, transferSyntaxUid }: Way): boolean {
  return file.transferSyntaxUid !== transferSyntaxUid;
}

/** Each SOP class in each transfer syntax that files are in; and, where that is not a plain one, uncompressed. Two for each pair at most. */
export function contextsFor(files: readonly DeidentifiedFile[]): readonly ProposedContext[] {
  const contexts = new Map<string, ProposedContext>();
  for (const { sopClassUid: abstractSyntaxUid, transferSyntaxUid } of files) {
    const own = { abstractSyntaxUid, transferSyntaxUids: [transferSyntaxUid] };
    contexts.set(`${abstractSyntaxUid} ${transferSyntaxUid}`, own);
    const plain = { abstractSyntaxUid, transferSyntaxUids: UNCOMPRESSED };
    if (transferSyntaxUid !== IMPLICIT_VR_LITTLE_ENDIAN) contexts.set(`${abstractSyntaxUid} uncompressed`, plain);
  }
  return [...contexts.values()];
}

/**
 * How each file can go over what was agreed. Asked before anything is sent: a study that cannot arrive whole does not arrive in part.
 * @throws GatewayError NO_PRESENTATION_CONTEXT, TRANSCODING_LOSSY, TRANSCODING_UNSUPPORTED
 */
export function waysFor(
  files: readonly DeidentifiedFile[],
  accepted: readonly AcceptedContext[],
  destination: string,
): readonly Way[] {
  const agreed = new Set(accepted.map((one) => `${one.abstractSyntaxUid} ${one.transferSyntaxUid}`));
  return files.map((file) => {
    const { sopClassUid, transferSyntaxUid } = file;
    const taken = [transferSyntaxUid, ...UNCOMPRESSED].find((uid) => agreed.has(`${sopClassUid} ${uid}`));
    if (taken === undefined) throw new GatewayError("NO_PRESENTATION_CONTEXT", { destination });
    const transcoding = taken === transferSyntaxUid ? "possible" : transcodingOf(transferSyntaxUid);
    if (transcoding === "possible") return { file, transferSyntaxUid: taken };
    const { keyword } = transferSyntaxOf(transferSyntaxUid);
    throw new GatewayError(transcoding, { destination, transferSyntaxUid, transferSyntax: keyword });
  });
}

export function outgoingOfWay(way: Way, delivery: StudyDelivery, signal: AbortSignal): OutgoingInstance {
  const { file, transferSyntaxUid } = way;
  const { sopClassUid, sopInstanceUid } = file;
  const open = () => (isTranscoded(way) ? transcodedBytes(way, signal) : dataSetBytes(readCopy(delivery, file)));
  return { sopClassUid, sopInstanceUid, transferSyntaxUid, open };
}

/** Where the length of the file meta information stands, and where it counts from; ours begin with it. PS3.10 7.1. */
const [META_LENGTH_AT, META_AT] = [140, 144];

/** What follows the file meta information: that stays on this side. @throws GatewayError DICOM_TRUNCATED */
async function* dataSetBytes(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let leftOut: number | undefined;
  for await (const chunk of file) {
    leftOut ??= metaBytesOf(chunk);
    if (leftOut < chunk.length) yield chunk.subarray(leftOut);
    leftOut = Math.max(0, leftOut - chunk.length);
  }
}

/** @param beginning of a file of ours: of a mebibyte, or all of it */
function metaBytesOf(beginning: Uint8Array): number {
  if (beginning.length < META_AT) throw new GatewayError("DICOM_TRUNCATED", { problem: "no file meta information" });
  return META_AT + Buffer.from(beginning.buffer, beginning.byteOffset, beginning.length).readUInt32LE(META_LENGTH_AT);
}

async function* transcodedBytes(
  { file: { path }, transferSyntaxUid }: Way,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  await using file = await readPart10File(path, { signal });
  for await (const chunk of transcodedDataSet(file, transferSyntaxUid)) {
    signal.throwIfAborted();
    yield chunk;
  }
}

/** What they will be, each decoded once for it: one that cannot be is known before any is sent. @throws GatewayError TRANSCODING_DAMAGED */
export async function digestsOf(ways: readonly Way[], signal: AbortSignal): Promise<readonly TranscodedInstance[]> {
  const instances: TranscodedInstance[] = [];
  for (const way of ways) {
    const hash = createHash("sha256");
    let sizeBytes = 0;
    for await (const chunk of transcodedBytes(way, signal)) {
      hash.update(chunk);
      sizeBytes += chunk.length;
    }
    const { transferSyntaxUid, file } = way;
    const { sopInstanceUid } = file;
    instances.push({ sopInstanceUid, transferSyntaxUid, sizeBytes, sha256: hash.digest("hex") });
  }
  return instances;
}
