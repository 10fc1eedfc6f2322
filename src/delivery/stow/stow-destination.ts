import { createReadStream } from "node:fs";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { SopInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";
import { uidOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { searchDicomWeb } from "../../network/dicomweb/search.ts";
import { storeDicomWeb } from "../../network/dicomweb/store.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import type { Random } from "../../units/random.ts";
import type { Destination } from "../destination.ts";

export interface StowDestinationOptions {
  readonly name: string;
  /** Closed with the destination. */
  readonly client: HttpClient;
  readonly random: Random;
}

/** Servers limit the size of a request; a study may be of any size. */
const REQUEST_INSTANCES = 100;
const REQUEST_BYTES = 64 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;
const MAXIMUM_INSTANCES = 1_000_000;

/** STOW-RS, confirmed by QIDO-RS at instance level. PS3.18 10.5, 10.6. */
export function createStowDestination({ name, client, random }: StowDestinationOptions): Destination {
  return {
    name,
    kind: "dicomweb",
    proof: "uids",
    async held({ studyInstanceUid, files }, signal) {
      const listed = await listedInstances(client, studyInstanceUid, signal);
      return new Set(files.map(({ sopInstanceUid }) => sopInstanceUid).filter((uid) => listed.has(uid)));
    },
    async send({ studyInstanceUid }, files, signal) {
      for (const batch of batchesOf(files)) {
        const instances = batch.map(({ path, sopInstanceUid }) => ({
          sopInstanceUid,
          read: () => createReadStream(path, { highWaterMark: READ_BYTES }),
        }));
        const { failed } = await storeDicomWeb(client, instances, { studyInstanceUid, random }, signal);
        const [failure] = failed;
        if (failure === undefined) continue;
        throw new GatewayError("DELIVERY_REFUSED", {
          destination: name,
          failed: failed.length,
          // PS3.18 annex I.2: a code, no text of the object.
          reason: failure.failureReason ?? "none",
        });
      }
    },
    // A DICOMweb server has no place for a report: that stays with the gateway's own account.
    async conclude() {},
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function listedInstances(
  client: HttpClient,
  studyInstanceUid: StudyInstanceUid,
  signal: AbortSignal,
): Promise<ReadonlySet<SopInstanceUid>> {
  const search = { level: "IMAGE", studyInstanceUid, matching: [], including: [] } as const;
  const uids = new Set<SopInstanceUid>();
  for await (const match of searchDicomWeb(client, { ...search, maximumAnswers: MAXIMUM_INSTANCES }, signal)) {
    uids.add((uidOf(match, tags.SOPInstanceUID) ?? "") as SopInstanceUid);
  }
  return uids;
}

function* batchesOf(files: readonly DeidentifiedFile[]): Generator<readonly DeidentifiedFile[]> {
  let batch: DeidentifiedFile[] = [];
  let sizeBytes = 0;
  for (const file of files) {
    const isFull = batch.length >= REQUEST_INSTANCES || sizeBytes + file.sizeBytes > REQUEST_BYTES;
    if (batch.length > 0 && isFull) {
      yield batch;
      batch = [];
      sizeBytes = 0;
    }
    batch.push(file);
    sizeBytes += file.sizeBytes;
  }
  if (batch.length > 0) yield batch;
}
