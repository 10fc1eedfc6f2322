import type { DataSet, Part10File } from "../dicom/data-set.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { piecesSource } from "../dicom/pieces-source.ts";
import { readPart10, readPart10File } from "../dicom/reader.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import { textOf, uidOf } from "../dicom/values.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { inflateInTurn, readInTurn, type TurnOptions } from "../network/instance-files/read-in-turn.ts";
import type { StagedInstance } from "./staging-area.ts";

/** Longer values are skipped, not read: only the header matters here. */
const HELD_BYTES = 4_096;

/**
 * Reads the UIDs of a file and walks its elements to the end, so that what is cut short is not taken for whole.
 * @throws GatewayError INSTANCE_UNREADABLE, INSTANCE_MISMATCH when a UID is missing or no UID
 */
export async function readStagedInstance(path: string): Promise<StagedInstance> {
  return (await readStagedHeader(path)).instance;
}

/** A whole instance and what its header says; longer values are not in it. */
export interface StagedHeader {
  readonly instance: StagedInstance;
  readonly dataSet: DataSet;
}

/** The same of a file, and what else its header says. */
export async function readStagedHeader(path: string): Promise<StagedHeader> {
  const read = async (options: TurnOptions): Promise<StagedHeader> => {
    await using file = await readPart10File(path, { ...options, bulkThresholdBytes: HELD_BYTES }).catch(unreadable);
    return headerOf(file, path);
  };
  return await readInTurn(read, undefined);
}

/** The same of an instance whose bytes are in memory. @param path that its file would have */
export async function readHeldHeader(pieces: readonly Uint8Array[], path: string): Promise<StagedHeader> {
  const source = piecesSource(pieces);
  const read = async (options: TurnOptions): Promise<StagedHeader> =>
    headerOf(await readPart10(source, { ...options, bulkThresholdBytes: HELD_BYTES }).catch(unreadable), path);
  return await inflateInTurn(read, undefined);
}

function unreadable(thrown: unknown): never {
  throw thrown instanceof GatewayError
    ? new GatewayError("INSTANCE_UNREADABLE", { ...thrown.details, because: thrown.code }, thrown)
    : thrown;
}

function headerOf({ dataSet, transferSyntaxUid, file }: Part10File, path: string): StagedHeader {
  try {
    const instance = {
      studyInstanceUid: parseStudyInstanceUid(uidOf(dataSet, tags.StudyInstanceUID) ?? ""),
      seriesInstanceUid: parseSeriesInstanceUid(uidOf(dataSet, tags.SeriesInstanceUID) ?? ""),
      sopInstanceUid: parseSopInstanceUid(uidOf(dataSet, tags.SOPInstanceUID) ?? ""),
      sopClassUid: uidOf(dataSet, tags.SOPClassUID) ?? "",
      transferSyntaxUid,
      modality: textOf(dataSet, tags.Modality) ?? "",
      sizeBytes: file.sizeBytes,
      path,
    };
    return { instance, dataSet };
  } catch (thrown) {
    throw new GatewayError("INSTANCE_MISMATCH", { what: "UIDs of the data set" }, thrown);
  }
}
