import { tags } from "../../dicom/dictionary/tags.ts";
import type { SopInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";
import { uidOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { searchDicomWeb } from "../../network/dicomweb/search.ts";
import { type FailedInstance, type StoreOptions, storeDicomWeb } from "../../network/dicomweb/store.ts";
import { formatStatus } from "../../network/dimse/status.ts";
import { HttpError } from "../../network/http-client/http-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { InstanceError } from "../../network/instance-files/instance-error.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import type { Random } from "../../units/random.ts";
import { batchesOf } from "../batches.ts";
import type { Destination, StudyDelivery } from "../destination.ts";
import { readCopy } from "../reading/study-reading.ts";
import { storeFailureOf } from "../store-status.ts";

export interface StowDestinationOptions {
  readonly name: string;
  /** Closed with the destination. */
  readonly client: HttpClient;
  readonly random: Random;
}

/** Servers limit the size of a request; a study may be of any size. */
const REQUEST_LIMITS = { files: 100, sizeBytes: 64 * 1024 * 1024 };
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
    async send(delivery, files, signal) {
      const store = { name, client, delivery, options: { studyInstanceUid: delivery.studyInstanceUid, random } };
      for (const batch of batchesOf(files, REQUEST_LIMITS)) await sendBatch(store, batch, signal);
    },
    // A DICOMweb server has no place for a report: that stays with the gateway's own account.
    async conclude() {},
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

interface Store extends Pick<StowDestinationOptions, "name" | "client"> {
  readonly delivery: StudyDelivery;
  readonly options: StoreOptions;
}

/** Halves what the server calls too large. RFC 9110 15.5.14. */
async function sendBatch(store: Store, batch: readonly DeidentifiedFile[], signal: AbortSignal): Promise<void> {
  const { name, client, delivery, options } = store;
  const instances = batch.map((file) => ({
    sopInstanceUid: file.sopInstanceUid,
    sizeBytes: file.sizeBytes,
    read: () => readCopy(delivery, file),
  }));
  try {
    const { failed } = await storeDicomWeb(client, instances, options, signal);
    const refusal = refusalOf(failed, name);
    if (refusal !== undefined) throw refusal;
  } catch (thrown) {
    const isTooLarge = thrown instanceof HttpError && thrown.status === 413;
    if (!isTooLarge || batch.length === 1) throw thrown;
    const middle = Math.ceil(batch.length / 2);
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) await sendBatch(store, half, signal);
  }
}

/** Failure reasons are status codes of C-STORE. PS3.18 annex I.2.2. */
function refusalOf(failed: readonly FailedInstance[], destination: string): InstanceError | undefined {
  const refused = failed.flatMap(({ sopInstanceUid, failureReason }) => {
    const code = storeFailureOf(failureReason ?? PROCESSING_FAILURE);
    return code === undefined ? [] : [{ sopInstanceUid, code, failureReason }];
  });
  // One refusal for good decides: trying again would not help.
  const worst = refused.find(({ code }) => code === "DELIVERY_REFUSED") ?? refused[0];
  if (worst === undefined) return undefined;
  const { code, failureReason } = worst;
  const reason = failureReason === undefined ? "none" : formatStatus(failureReason);
  return new InstanceError(
    new GatewayError(code, { destination, failed: refused.length, reason }),
    refused.map(({ sopInstanceUid }) => sopInstanceUid),
  );
}

/** PS3.7 C.5.20. */
const PROCESSING_FAILURE = 0x0110;

/** SOP Instance UIDs of a study. */
export async function listedInstances(
  client: HttpClient,
  studyInstanceUid: StudyInstanceUid,
  signal: AbortSignal,
): Promise<ReadonlySet<SopInstanceUid>> {
  const search = { level: "IMAGE", studyInstanceUid, matching: [], including: [] } as const;
  const uids = new Set<SopInstanceUid>();
  for await (const match of searchDicomWeb(client, { ...search, maximumAnswers: MAXIMUM_INSTANCES }, signal)) {
    // Servers do answer loosely: what belongs to another study proves nothing.
    if ((uidOf(match, tags.StudyInstanceUID) ?? studyInstanceUid) !== studyInstanceUid) continue;
    uids.add((uidOf(match, tags.SOPInstanceUID) ?? "") as SopInstanceUid);
  }
  return uids;
}
