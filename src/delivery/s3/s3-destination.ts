import { createHash } from "node:crypto";
import type { SopInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type ObjectFacts, type ObjectStore, openObjectStore, type S3Server } from "../../network/s3/s3-client.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import {
  type DeliveredStudyReport,
  parseStudyReports,
  STUDY_REPORT,
  studyReportText,
} from "../../staging/study-folder-report.ts";
import { concurrently } from "../../units/concurrently.ts";
import { createKeyedLocks, type KeyedLocks } from "../../units/keyed-locks.ts";
import type { Destination, Receipt, StudyDelivery } from "../destination.ts";
import { deliveryReport } from "../files/delivery-report.ts";
import { fileNameOf, studyFolderOf } from "../files/layout.ts";
import { bytesRead, sha256Read } from "../files/read-back.ts";
import { readAlone } from "../reading/staged-copy.ts";
import { readCopy } from "../reading/study-reading.ts";
import { isCutShort } from "./cut-short.ts";
import { s3Attachments } from "./s3-attachments.ts";
import { s3Removal } from "./s3-removal.ts";

export interface S3DestinationOptions {
  readonly name: string;
  /** Asked for every study: changed keys hold from then on. */
  readonly server: () => Promise<S3Server>;
  /** What all keys begin with; empty: nothing. */
  readonly prefix: string;
  /** `digest`: the sum that the store names of each object; `sha256`: each is fetched back and compared. */
  readonly proof: "digest" | "sha256";
}

interface Bucket {
  readonly options: S3DestinationOptions;
  /** Of two studies that become one, the later must find the report of the earlier. */
  readonly reporting: KeyedLocks<string>;
}

const PARALLEL_OBJECTS = 4;
/** PS3.18 8.7.3.1; PS3.10 is told by it too. */
const DICOM = "application/dicom";
const LARGEST_REPORT_BYTES = 64 * 2 ** 20;
/** Marks what was put here: what has no such mark is somebody else's. */
const OURS = "radferry-sha256";

/**
 * An object for each instance, keyed as the folder destination lays files out. Objects come whole or not at all.
 * @throws GatewayError S3_…, as every method does; DELIVERY_CONFLICT for an object that was not put here
 */
export function createS3Destination(options: S3DestinationOptions): Destination {
  const bucket: Bucket = { options, reporting: createKeyedLocks() };
  return {
    name: options.name,
    kind: "s3",
    proof: options.proof,
    held: (delivery, signal) => held(bucket, delivery, signal),
    send: (delivery, files, signal) => send(bucket, delivery, files, signal),
    conclude: (delivery, receipt, signal) => conclude(bucket, delivery, receipt, signal),
    attachments: s3Attachments({ ...options, mark: OURS, interrupted }),
    removal: s3Removal({ ...options, parallel: PARALLEL_OBJECTS, isMarked }),
    async [Symbol.asyncDispose]() {},
  };
}

/** Whether an object was put here. */
export async function isMarked(store: ObjectStore, key: string, signal: AbortSignal): Promise<boolean> {
  return (await store.facts(key, signal))?.metadata[OURS] !== undefined;
}

async function held(
  { options }: Bucket,
  delivery: StudyDelivery,
  signal: AbortSignal,
): Promise<ReadonlySet<SopInstanceUid>> {
  using store = openObjectStore(await options.server());
  const study = studyFolderOf(options.prefix, delivery);
  const found = new Set<SopInstanceUid>();
  await concurrently(delivery.files, PARALLEL_OBJECTS, async (file) => {
    const key = `${study}/${fileNameOf(file)}`;
    const facts = await store.facts(key, signal);
    if (facts === undefined || facts.sizeBytes !== file.sizeBytes) return;
    const isSame =
      options.proof === "sha256"
        ? (await sha256Read((sink) => store.get({ key, mostBytes: file.sizeBytes }, sink, signal))) === file.sha256
        : await isSameBySum(facts, file);
    if (isSame) found.add(file.sopInstanceUid);
  });
  return found;
}

async function isSameBySum({ sha256, md5 }: ObjectFacts, file: DeidentifiedFile): Promise<boolean> {
  if (sha256 !== undefined) return sha256 === file.sha256;
  if (md5 === undefined) throw new GatewayError("S3_CHECKSUM_MISSING");
  const hash = createHash("md5");
  for await (const piece of readAlone(file)) hash.update(piece);
  return hash.digest("hex") === md5;
}

async function send(
  { options }: Bucket,
  delivery: StudyDelivery,
  files: readonly DeidentifiedFile[],
  signal: AbortSignal,
): Promise<void> {
  using store = openObjectStore(await options.server());
  const study = studyFolderOf(options.prefix, delivery);
  await concurrently(files, PARALLEL_OBJECTS, async (file) => {
    const key = `${study}/${fileNameOf(file)}`;
    const there = await store.facts(key, signal);
    const isForeign = there !== undefined && there.metadata[OURS] === undefined;
    if (isForeign && !(await isCutShort(store, key, there, file, signal)))
      throw new GatewayError("DELIVERY_CONFLICT", { destination: options.name, path: fileNameOf(file) });
    const { sizeBytes, sha256 } = file;
    const content = { read: () => readCopy(delivery, file) };
    const object = { key, content, sizeBytes, sha256, contentType: DICOM, metadata: { [OURS]: sha256 } };
    await store.put(object, signal).catch(interrupted(options.name));
  });
}

/** Whether an object that was cut off in the middle came into being is asked before it is sent again. */
function interrupted(destination: string): (thrown: unknown) => never {
  return (thrown) => {
    const isCut = thrown instanceof GatewayError && thrown.code === "S3_UNAVAILABLE";
    throw isCut ? new GatewayError("DELIVERY_INTERRUPTED", { destination }, thrown) : thrown;
  };
}

async function conclude(
  { options, reporting }: Bucket,
  delivery: StudyDelivery,
  receipt: Receipt,
  signal: AbortSignal,
): Promise<void> {
  const key = `${studyFolderOf(options.prefix, delivery)}/${STUDY_REPORT}`;
  using _ = await reporting.acquire(key, signal);
  using store = openObjectStore(await options.server());
  const text = studyReportText(await reportsAt(store, key, signal), deliveryReport(delivery, receipt));
  const bytes = Buffer.from(text, "utf8");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const facts = { sizeBytes: bytes.length, sha256, contentType: "application/json", metadata: { [OURS]: sha256 } };
  await store.put({ key, content: { bytes }, ...facts }, signal).catch(interrupted(options.name));
}

async function reportsAt(
  store: ObjectStore,
  key: string,
  signal: AbortSignal,
): Promise<readonly DeliveredStudyReport[]> {
  const facts = await store.facts(key, signal);
  if (facts === undefined || facts.sizeBytes > LARGEST_REPORT_BYTES) return [];
  const bytes = await bytesRead((sink) => store.get({ key, mostBytes: LARGEST_REPORT_BYTES }, sink, signal));
  return parseStudyReports(bytes.toString("utf8"));
}
