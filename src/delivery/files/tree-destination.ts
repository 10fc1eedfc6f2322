import type { SopInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { FileSession } from "../../network/file-transfer/file-session.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import {
  type DeliveredStudyReport,
  parseStudyReports,
  reportedPaths,
  STUDY_REPORT,
  studyReportText,
} from "../../staging/study-folder-report.ts";
import { concurrently } from "../../units/concurrently.ts";
import { createKeyedLocks, type KeyedLocks } from "../../units/keyed-locks.ts";
import type { Destination, Receipt, StudyDelivery } from "../destination.ts";
import { readCopy } from "../reading/study-reading.ts";
import { deliveryReport } from "./delivery-report.ts";
import { type FileServer, interrupted, replaceFile } from "./file-server.ts";
import { fileNameOf, REPORT_ASIDE, studyFolderOf } from "./layout.ts";
import { bytesRead, sha256Read } from "./read-back.ts";
import { treeAttachments } from "./tree-attachments.ts";
import { treeRemoval } from "./tree-removal.ts";

export interface TreeDestinationOptions {
  readonly name: string;
  readonly kind: Destination["kind"];
  readonly server: FileServer;
  /** On the server; empty: the folder one is in after logging in. */
  readonly path: string;
  /** `uids`: each instance's file is there in its size; `sha256`: each is fetched back and compared. */
  readonly proof: "uids" | "sha256";
  /** Files under way at once, over one connection. */
  readonly parallel: number;
}

interface Tree {
  readonly options: TreeDestinationOptions;
  /** Of two studies that become one, the later must find the report of the earlier. */
  readonly reporting: KeyedLocks<string>;
}

/** Reports of more are not read: nobody wrote them here. */
const LARGEST_REPORT_BYTES = 64 * 2 ** 20;

/** Files laid out as the folder destination has them, each renamed when it is whole, on a server. */
export function createTreeDestination(options: TreeDestinationOptions): Destination {
  const tree: Tree = { options, reporting: createKeyedLocks() };
  return {
    name: options.name,
    kind: options.kind,
    proof: options.proof,
    held: (delivery, signal) => held(tree, delivery, signal),
    send: (delivery, files, signal) => send(tree, delivery, files, signal),
    conclude: (delivery, receipt, signal) => conclude(tree, delivery, receipt, signal),
    attachments: treeAttachments({ ...options, readsBack: options.proof === "sha256", reported: reportedIn }),
    removal: treeRemoval({ ...options, reported: reportedIn }),
    async [Symbol.asyncDispose]() {},
  };
}

async function held(
  { options }: Tree,
  delivery: StudyDelivery,
  signal: AbortSignal,
): Promise<ReadonlySet<SopInstanceUid>> {
  await using session = await options.server.open(signal);
  const study = studyFolderOf(options.path, delivery);
  const found = new Set<SopInstanceUid>();
  await concurrently(delivery.files, options.parallel, async (file) => {
    const path = `${study}/${fileNameOf(file)}`;
    if ((await session.sizeOf(path)) !== file.sizeBytes) return;
    if (options.proof === "sha256" && (await sumOf(session, path, file)) !== file.sha256) return;
    found.add(file.sopInstanceUid);
  });
  return found;
}

/** @throws GatewayError when it is longer than it should be */
function sumOf(session: FileSession, path: string, { sizeBytes }: DeidentifiedFile): Promise<string> {
  return sha256Read((sink) => session.read(path, { start: 0, mostBytes: sizeBytes }, sink));
}

async function send(
  { options }: Tree,
  delivery: StudyDelivery,
  files: readonly DeidentifiedFile[],
  signal: AbortSignal,
): Promise<void> {
  const { server, name: destination } = options;
  await using session = await server.open(signal);
  const study = studyFolderOf(options.path, delivery);
  const ours = await reportedIn(session, study);
  for (const series of new Set(files.map(({ seriesInstanceUid }) => seriesInstanceUid)))
    await session.makeFolder(`${study}/${series}`);
  await concurrently(files, options.parallel, async (file) => {
    signal.throwIfAborted();
    const { seriesInstanceUid: series, sopInstanceUid: instance } = file;
    const place = {
      path: `${study}/${fileNameOf(file)}`,
      arriving: `${study}/${series}/.${instance}.part`,
      aside: `${study}/${series}/.${instance}.old`,
    };
    await refuseForeign(session, { place: place.path, isOurs: ours.has(fileNameOf(file)), file, destination });
    await session.write(place.arriving, readCopy(delivery, file)).catch(interrupted(server, destination));
    await replaceFile(session, server, place);
  });
}

/** What an earlier delivery left is ours to replace, whole or cut short before there was a report; nobody else's file is. */
async function refuseForeign(
  session: FileSession,
  {
    place,
    isOurs,
    file,
    destination,
  }: {
    readonly place: string;
    readonly isOurs: boolean;
    readonly file: DeidentifiedFile;
    readonly destination: string;
  },
): Promise<void> {
  const sizeBytes = isOurs ? undefined : await session.sizeOf(place);
  if (sizeBytes === undefined) return;
  if (sizeBytes === file.sizeBytes && (await sumOf(session, place, file)) === file.sha256) return;
  throw new GatewayError("DELIVERY_CONFLICT", { destination, path: fileNameOf(file) });
}

async function conclude(
  { options, reporting }: Tree,
  delivery: StudyDelivery,
  receipt: Receipt,
  signal: AbortSignal,
): Promise<void> {
  const study = studyFolderOf(options.path, delivery);
  using _ = await reporting.acquire(study, signal);
  await using session = await options.server.open(signal);
  const text = studyReportText(await reportsIn(session, study), deliveryReport(delivery, receipt));
  const place = {
    path: `${study}/${STUDY_REPORT}`,
    arriving: `${study}/.report.part`,
    aside: `${study}/${REPORT_ASIDE}`,
  };
  await session.write(place.arriving, onePiece(text)).catch(interrupted(options.server, options.name));
  await replaceFile(session, options.server, place);
}

async function* onePiece(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text, "utf8");
}

/** What the report beside the series says was delivered. */
export async function reportedIn(session: FileSession, study: string): Promise<ReadonlySet<string>> {
  return reportedPaths(await reportsIn(session, study));
}

async function reportsIn(session: FileSession, study: string): Promise<readonly DeliveredStudyReport[]> {
  for (const name of [STUDY_REPORT, REPORT_ASIDE]) {
    const path = `${study}/${name}`;
    const sizeBytes = await session.sizeOf(path);
    if (sizeBytes === undefined) continue;
    if (sizeBytes > LARGEST_REPORT_BYTES) return [];
    const bytes = await bytesRead((sink) => session.read(path, { start: 0, mostBytes: sizeBytes }, sink));
    return parseStudyReports(bytes.toString("utf8"));
  }
  return [];
}
