import { type ErrorCode, errorRegistry } from "../errors/registry.ts";
import type { JobState } from "../store/job-states.ts";
import type { DeliveryRecord, JobEvent, JobRecord, LedgerEntry, Release } from "../store/records.ts";
import type {
  DeliveryDocument,
  EventDocument,
  ReleaseDocument,
  SeriesLedgerDocument,
  StudyDocument,
} from "./documents.ts";

export function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}

const ENDED_UNWANTED: ReadonlySet<JobState> = new Set<JobState>(["failed", "held"]);

/** What is tried again by itself is so while there are tries left: of a study that ended, the code's own remedy alone would have people wait for nothing. */
export function remedyOf(code: ErrorCode, state: JobState): string {
  const { class: errorClass, remedy } = errorRegistry[code];
  if (errorClass === "permanent" || !ENDED_UNWANTED.has(state)) return remedy;
  return `${remedy} What ended so has used up its tries: \`radferry study retry --code ${code}\` once the cause is gone.`;
}

/** The part of a study's document that needs nothing but its record. */
export function describeJob(job: JobRecord, cohorts: readonly string[], events: readonly JobEvent[]): StudyDocument {
  const entry = job.code === undefined ? undefined : errorRegistry[job.code];
  return {
    id: job.id,
    project: job.project,
    cohort: cohorts[0] ?? "",
    cohorts,
    state: job.state,
    stage: job.stage,
    ...(job.code === undefined || entry === undefined
      ? {}
      : { code: job.code, class: entry.class, message: entry.summary, remedy: remedyOf(job.code, job.state) }),
    priority: job.priority,
    verdict: job.verdict ?? null,
    expected: job.expected ?? null,
    received: job.received,
    excluded: job.excluded,
    delivered: job.delivered,
    attempts: job.attempts,
    ...(job.waitingUntilMs === undefined ? {} : { waitingUntil: isoTime(job.waitingUntilMs) }),
    ...(job.archive === undefined ? {} : { archive: job.archive }),
    pseudonym: job.pseudonym ?? null,
    pseudoStudyInstanceUid: job.pseudoStudyInstanceUid ?? null,
    ...(job.finishedAtMs === undefined ? {} : { finishedAt: isoTime(job.finishedAtMs) }),
    events: events.map(describeEvent),
  };
}

function describeEvent({ atMs, event, detail }: JobEvent): EventDocument {
  return { at: isoTime(atMs), event, detail };
}

export function describeDelivery({
  destination,
  state,
  instances,
  code,
  proof,
  changedAtMs,
}: DeliveryRecord): DeliveryDocument {
  const known = { ...(code === undefined ? {} : { code }), ...(proof === undefined ? {} : { proof }) };
  return { destination, state, instances, ...known, at: isoTime(changedAtMs) };
}

/** Why instances were left out, with their number. */
export function describeExclusions(ledger: readonly LedgerEntry[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { reason } of ledger) if (reason !== undefined) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** The account of each series, numbered as `describeInstances` numbers them. */
export function describeLedger(ledger: readonly LedgerEntry[]): readonly SeriesLedgerDocument[] {
  const bySeries = Map.groupBy(ledger, ({ seriesInstanceUid }) => seriesInstanceUid);
  return [...bySeries.keys()].sort().map((uid, index) => {
    const entries = bySeries.get(uid) ?? [];
    const count = (name: keyof LedgerEntry): number => entries.filter((entry) => entry[name] !== undefined).length;
    return {
      series: index + 1,
      expected: count("expectedAtMs"),
      received: count("receivedAtMs"),
      excluded: count("excludedAtMs"),
      deidentified: count("deidentifiedAtMs"),
      delivered: count("deliveredAtMs"),
      exclusions: describeExclusions(entries),
    };
  });
}

export function describeRelease({ atMs, actor, reason, leaveOut, allowTags }: Release): ReleaseDocument {
  return { at: isoTime(atMs), by: actor, reason, leftOut: leaveOut.length, allowedTags: allowTags };
}
