import { open } from "node:fs/promises";
import type { Part10File } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { uidOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { OutgoingInstance } from "./service-types.ts";

const CHUNK_BYTES = 512 * 1024;

/** Behind the UIDs nothing is needed to send a file. */
export const BEHIND_SOP_UIDS = tagOf(0x0008_0020);

/**
 * A Part 10 file as it is to be sent: its data set, as stored, read in chunks.
 * @throws GatewayError as the reader does; DICOM_MALFORMED when the file does not say what it is.
 */
export async function outgoingFromFile(path: string): Promise<OutgoingInstance> {
  await using file = await readPart10File(path, { stopBefore: BEHIND_SOP_UIDS });
  return outgoingOf(file, () => readFrom(path, file.dataSetOffset));
}

/**
 * What the head of a Part 10 file says of it. @param open reads the data set, as stored
 * @throws GatewayError DICOM_MALFORMED when it does not say what it is.
 */
export function outgoingOf(file: Part10File, open: OutgoingInstance["open"]): OutgoingInstance {
  const sopClassUid = uidOf(file.dataSet, tags.SOPClassUID) ?? uidOf(file.meta, tags.MediaStorageSOPClassUID);
  const sopInstanceUid = uidOf(file.dataSet, tags.SOPInstanceUID) ?? uidOf(file.meta, tags.MediaStorageSOPInstanceUID);
  if (sopClassUid === undefined || sopInstanceUid === undefined) {
    throw new GatewayError("DICOM_MALFORMED", { problem: "no SOP class or instance UID" });
  }
  return { sopClassUid, sopInstanceUid, transferSyntaxUid: file.transferSyntaxUid, open };
}

async function* readFrom(path: string, offset: number): AsyncGenerator<Uint8Array, undefined> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  for (let position = offset; position < size; ) {
    // A chunk of its own each time: the one before may still be on its way to the socket.
    const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, size - position));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0)
      throw new GatewayError("DICOM_TRUNCATED", { problem: "file became shorter while it was read" });
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}
