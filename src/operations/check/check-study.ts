import type { StudyListing } from "../../archive/archive.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { DeliveryRecord, JobRecord, LedgerEntry } from "../../store/records.ts";
import { abortAfter } from "../../units/abort.ts";
import type { OperationsContext } from "../context.ts";
import { keptReportOf } from "../study-reports.ts";
import { deliveredStudyOf } from "./delivered-study.ts";
import type { CheckedArchive, CheckedDestination, CheckedStudy, CheckVerdict } from "./documents.ts";

export type CheckContext = Pick<OperationsContext, "store" | "archives" | "inspectors">;

const ARCHIVE_TIMEOUT_MS = 300_000;
/** A large study is read back whole. */
const DESTINATION_TIMEOUT_MS = 3_600_000;

type Checked = Omit<CheckedStudy, "number" | "queued">;

/** Compares what archive, ledger and destinations say of a study. @throws GatewayError of the store; the signal's reason */
export async function checkStudy(context: CheckContext, job: JobRecord, signal: AbortSignal): Promise<Checked> {
  const { id, state } = job;
  const unasked: CheckedArchive = { name: job.archive ?? null, later: null, vanished: null, code: null };
  if (state !== "delivered") return { job: id, state, verdict: "not-delivered", archive: unasked, destinations: [] };
  const archive = await checkArchive(context, job, unasked, signal);
  const deliveries = (await context.store.deliveries(id)).filter((each) => each.state === "confirmed");
  const destinations: CheckedDestination[] = [];
  for (const delivery of deliveries) destinations.push(await checkDestination(context, job, delivery, signal));
  return { job: id, state, verdict: verdictOf(archive, destinations), archive, destinations };
}

async function checkArchive(
  { store, archives }: CheckContext,
  job: JobRecord,
  unasked: CheckedArchive,
  signal: AbortSignal,
): Promise<CheckedArchive> {
  const ledger = await store.ledger(job.id);
  const governed = archives.get(job.archive ?? "")?.governed;
  const study = job.studyInstanceUid;
  if (governed === undefined || study === undefined) return { ...unasked, code: "ARCHIVE_UNKNOWN" };
  using limited = abortAfter(ARCHIVE_TIMEOUT_MS, signal);
  try {
    const listing = await governed.listStudy(parseStudyInstanceUid(study), limited);
    return { ...unasked, ...difference(listing, ledger, job) };
  } catch (thrown) {
    return { ...unasked, code: whyNot(thrown, signal) };
  }
}

/** @throws the signal's reason */
function whyNot(thrown: unknown, signal: AbortSignal): ErrorCode {
  signal.throwIfAborted();
  return toGatewayError(thrown).code;
}

/** What the archive has of the wanted series that the ledger does not know, and the other way round. */
function difference(
  listing: StudyListing,
  ledger: readonly LedgerEntry[],
  { seriesInstanceUids, expected }: JobRecord,
): Pick<CheckedArchive, "later" | "vanished"> {
  if (listing.kind === "count" && seriesInstanceUids === undefined && expected !== undefined)
    return { later: Math.max(0, listing.count - expected), vanished: Math.max(0, expected - listing.count) };
  if (listing.kind !== "instances") return { later: null, vanished: null };
  const listed = new Set<string>();
  for (const { sopInstanceUid, seriesInstanceUid } of listing.instances)
    if (seriesInstanceUids?.includes(seriesInstanceUid) ?? true) listed.add(sopInstanceUid);
  const known = new Set(ledger.map(({ sopInstanceUid }) => sopInstanceUid));
  const received = ledger.filter(({ receivedAtMs }) => receivedAtMs !== undefined);
  return {
    later: [...listed].filter((uid) => !known.has(uid)).length,
    vanished: received.filter(({ sopInstanceUid }) => !listed.has(sopInstanceUid)).length,
  };
}

async function checkDestination(
  { store, inspectors }: CheckContext,
  job: JobRecord,
  { destination: name, instances: expected }: DeliveryRecord,
  signal: AbortSignal,
): Promise<CheckedDestination> {
  const unknown = { name, proof: null, expected, present: 0, vanished: 0, differing: 0 };
  const inspect = inspectors.get(name);
  if (inspect === undefined) return { ...unknown, code: "DESTINATION_NOT_CHECKABLE" };
  const report = await keptReportOf(store, job.id, "delivered");
  const study = report && deliveredStudyOf(report);
  if (study === undefined) return { ...unknown, code: "STUDY_REPORT_NOT_KEPT" };
  using limited = abortAfter(DESTINATION_TIMEOUT_MS, signal);
  try {
    const { proof, standing } = await inspect(study, limited);
    const standings = study.files.map(standing);
    const count = (...wanted: readonly string[]): number => standings.filter((each) => wanted.includes(each)).length;
    const counts = { present: count("same", "listed"), vanished: count("absent"), differing: count("differs") };
    return { name, proof, expected: study.files.length, ...counts, code: null };
  } catch (thrown) {
    return { ...unknown, code: whyNot(thrown, signal) };
  }
}

function verdictOf(archive: CheckedArchive, destinations: readonly CheckedDestination[]): CheckVerdict {
  if (destinations.some(({ vanished, differing }) => vanished + differing > 0)) return "delivery-differs";
  if ((archive.later ?? 0) > 0) return "archive-has-more";
  if ((archive.vanished ?? 0) > 0) return "archive-has-less";
  const isUnknown =
    archive.later === null || destinations.length === 0 || destinations.some(({ code }) => code !== null);
  return isUnknown ? "unknown" : "same";
}

/** Whether having the study retrieved and delivered again brings what is missing; of what the archive lost, nothing can be brought. */
export function canBeMended({ verdict, archive }: Pick<CheckedStudy, "verdict" | "archive">): boolean {
  const differs = verdict === "delivery-differs" || verdict === "archive-has-more";
  return differs && (archive.vanished ?? 0) === 0 && archive.code !== "ARCHIVE_UNKNOWN";
}

/** @throws GatewayError INTERNAL for a study that needs nothing */
export function mendingOf({ verdict, archive, destinations }: Checked): Readonly<Record<string, string | number>> {
  if (!canBeMended({ verdict, archive })) throw new GatewayError("INTERNAL", { verdict });
  const sum = (of: (each: CheckedDestination) => number): number =>
    destinations.reduce((total, each) => total + of(each), 0);
  return {
    reason: verdict,
    later: archive.later ?? 0,
    vanished: sum(({ vanished }) => vanished),
    differing: sum(({ differing }) => differing),
  };
}
