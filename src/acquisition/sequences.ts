import { createHash } from "node:crypto";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ExamStore, ScanSequenceFacts } from "../store/acquisitions.ts";
import type { Clock } from "../units/clock.ts";
import type { Random } from "../units/random.ts";

/** Sequences of a minute's waveforms are some megabytes. */
export const MAXIMUM_SEQUENCE_BYTES = 32 * 1024 * 1024;
const ID_BYTES = 12;
/** Pulseq file specification: comments, then sections, the version first. */
const PULSEQ_SECTION = /^\[[A-Z]+\]/;
const PULSEQ_LOOKED_AT = 64 * 1024;

export interface SequenceUpload {
  readonly name: string;
  readonly description: string;
  readonly sequenceType: string;
  readonly tags: readonly string[];
  /** Kept byte for byte. */
  readonly file: Uint8Array;
  /** With its dot; `.seq`: it must begin as a Pulseq file. */
  readonly fileExtension: string | undefined;
  readonly header?: Uint8Array | undefined;
  readonly headerExtension?: string | undefined;
}

/** @throws GatewayError SCAN_SEQUENCE_INVALID */
export async function keepSequence(
  {
    store,
    clock,
    random,
  }: { readonly store: ExamStore; readonly clock: Pick<Clock, "nowMs">; readonly random: Random },
  { header, headerExtension, ...upload }: SequenceUpload,
): Promise<ScanSequenceFacts> {
  const { file, fileExtension } = upload;
  const sizeBytes = file.byteLength + (header?.byteLength ?? 0);
  const isPulseq = fileExtension?.toLowerCase() === ".seq";
  if (file.byteLength === 0 || sizeBytes > MAXIMUM_SEQUENCE_BYTES || (isPulseq && !isPulseqText(file)))
    throw new GatewayError("SCAN_SEQUENCE_INVALID", { sizeBytes });
  const id = Buffer.from(random.bytes(ID_BYTES)).toString("hex");
  const sha256 = createHash("sha256").update(file).digest("hex");
  return await store.addScanSequence({ ...upload, id, sha256, header, headerExtension }, clock.nowMs());
}

/** By its first bytes alone: what follows is the scanner's business. */
function isPulseqText(file: Uint8Array): boolean {
  const lines = Buffer.from(file.subarray(0, PULSEQ_LOOKED_AT)).toString("latin1").split("\n");
  // Line by line: one expression over all of them takes twice as long for each blank line more.
  const first = lines.map((line) => line.trim()).find((line) => line !== "" && !line.startsWith("#"));
  return first !== undefined && PULSEQ_SECTION.test(first);
}
