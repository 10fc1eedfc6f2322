import { createReadStream } from "node:fs";
import { tags } from "../../../dicom/dictionary/tags.ts";
import { readPart10File } from "../../../dicom/reader.ts";
import { tagOf } from "../../../dicom/tag.ts";
import { uidOf } from "../../../dicom/values.ts";
import type { InstanceSource, SourceInstance } from "./plan.ts";

/** Study and series instance UID stand before it. PS3.6 6. */
const BEHIND_UIDS = tagOf(0x0020000f);
const READ_BYTES = 256 * 1024;

/** Part 10 files as instances to give away, found by their SOP Instance UID. @throws GatewayError NOT_DICOM, DICOM_… */
export async function fileSource(paths: Iterable<string>): Promise<InstanceSource> {
  const byUid = new Map<string, SourceInstance>();
  for (const path of paths) {
    const instance = await sourceInstance(path);
    byUid.set(instance.sopInstanceUid, instance);
  }
  return { find: ({ documentUniqueId }) => Promise.resolve(byUid.get(documentUniqueId)) };
}

async function sourceInstance(path: string): Promise<SourceInstance> {
  await using file = await readPart10File(path, { stopBefore: BEHIND_UIDS });
  const uid = (tag: Parameters<typeof uidOf>[1]): string => uidOf(file.dataSet, tag) ?? "";
  return {
    studyInstanceUid: uid(tags.StudyInstanceUID),
    seriesInstanceUid: uid(tags.SeriesInstanceUID),
    sopInstanceUid: uid(tags.SOPInstanceUID),
    transferSyntaxUid: file.transferSyntaxUid,
    sizeBytes: file.file.sizeBytes,
    open: () => createReadStream(path, { highWaterMark: READ_BYTES }),
  };
}
