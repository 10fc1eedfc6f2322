import type { ByteSource, DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { readPart10 } from "../../dicom/reader.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { uidOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { readInTurn } from "./read-in-turn.ts";

/** What an instance says of itself. */
export interface InstanceFacts {
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly sizeBytes: number;
}

/** What was asked for; what is absent is not compared. */
export interface ExpectedInstance {
  readonly sopInstanceUid?: string | undefined;
  readonly studyInstanceUid?: string | undefined;
  readonly seriesInstanceUid?: string | undefined;
  /** Absent: any. */
  readonly transferSyntaxUids?: ReadonlySet<string> | undefined;
}

/**
 * Walks an arrived Part 10 file to its end, so that one that was cut short is seen, and reads who it is. Pixel data is passed over.
 * @throws GatewayError INSTANCE_UNREADABLE, INSTANCE_INCOMPLETE, INSTANCE_MISMATCH when its UIDs contradict each other or are none
 */
export async function inspectInstance(source: ByteSource, signal?: AbortSignal): Promise<InstanceFacts> {
  return (await inspectWhole(source, signal)).facts;
}

/** An arrived instance, with its header. */
export interface InspectedInstance {
  readonly facts: InstanceFacts;
  readonly dataSet: DataSet;
}

/** The same, with the header that was read for it. */
export async function inspectWhole(source: ByteSource, signal?: AbortSignal): Promise<InspectedInstance> {
  const abortable = signal === undefined ? {} : { signal };
  const { preamble, meta, dataSet, transferSyntaxUid } = await readInTurn(
    (options) => readPart10(source, { ...options, ...abortable }),
    signal,
  ).catch(unreadable);
  if (preamble === undefined || meta.size === 0)
    throw new GatewayError("INSTANCE_UNREADABLE", { what: "no Part 10 file" });
  const facts = factsOf(dataSet, transferSyntaxUid, source.sizeBytes);
  if ((uidOf(meta, tags.MediaStorageSOPInstanceUID) ?? facts.sopInstanceUid) !== facts.sopInstanceUid) {
    throw new GatewayError("INSTANCE_MISMATCH", { what: "UID of the file meta information" });
  }
  return { facts, dataSet };
}

function unreadable(thrown: unknown): never {
  if (!(thrown instanceof GatewayError) || !/^(?:NOT_DICOM|DICOM_)/.test(thrown.code)) throw thrown;
  const code = thrown.code === "DICOM_TRUNCATED" ? "INSTANCE_INCOMPLETE" : "INSTANCE_UNREADABLE";
  throw new GatewayError(code, thrown.details, thrown);
}

function factsOf(dataSet: DataSet, transferSyntaxUid: string, sizeBytes: number): InstanceFacts {
  try {
    return {
      sopInstanceUid: parseSopInstanceUid(uidOf(dataSet, tags.SOPInstanceUID) ?? ""),
      studyInstanceUid: parseStudyInstanceUid(uidOf(dataSet, tags.StudyInstanceUID) ?? ""),
      seriesInstanceUid: parseSeriesInstanceUid(uidOf(dataSet, tags.SeriesInstanceUID) ?? ""),
      sopClassUid: uidOf(dataSet, tags.SOPClassUID) ?? "",
      transferSyntaxUid,
      sizeBytes,
    };
  } catch (thrown) {
    throw new GatewayError("INSTANCE_MISMATCH", { what: "UIDs of the data set" }, thrown);
  }
}

/** In what an instance is not what was asked for; undefined when it is. */
export function mismatchOf(facts: InstanceFacts, expected: ExpectedInstance): GatewayError | undefined {
  const differs = (["sopInstanceUid", "studyInstanceUid", "seriesInstanceUid"] as const).find(
    (name) => (expected[name] ?? facts[name]) !== facts[name],
  );
  if (differs !== undefined) return new GatewayError("INSTANCE_MISMATCH", { what: differs });
  if (expected.transferSyntaxUids?.has(facts.transferSyntaxUid) === false) {
    return new GatewayError("INSTANCE_TRANSFER_SYNTAX_UNEXPECTED", { transferSyntaxUid: facts.transferSyntaxUid });
  }
  return undefined;
}
