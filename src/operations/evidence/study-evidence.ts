import type { ErrorCode } from "../../errors/registry.ts";
import type { JobState, Verdict } from "../../store/job-states.ts";
import type { JobRecord } from "../../store/records.ts";
import type { Store } from "../../store/store.ts";
import { describeExclusions, isoTime } from "../describe.ts";
import { type KeptReport, keptReportOf } from "../study-reports.ts";

/** What happened to one study, without anything of the original's. */
export interface StudyEvidence {
  /** Of its job: says nothing of the study. */
  readonly study: string;
  /** Of the cohort, that asked for it. */
  readonly rows: readonly number[];
  /** Null: the whole study. */
  readonly askedSeries: number | null;
  readonly state: JobState;
  readonly code: ErrorCode | null;
  readonly archive: string | null;
  readonly verdict: Verdict | null;
  readonly instances: {
    /** Null: the archive did not say. */
    readonly expected: number | null;
    readonly received: number;
    readonly excluded: number;
    readonly delivered: number;
  };
  /** Why instances were left out, with their number. */
  readonly exclusions: Readonly<Record<string, number>>;
  readonly pseudonym: string | null;
  readonly studyInstanceUid: string | null;
  readonly profile: KeptReport["profile"] | null;
  /** Of de-identification and its verification. */
  readonly report: Omit<KeptReport, "files"> | null;
  /** Delivered, with their contents' SHA-256. */
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly sizeBytes: number }[];
  readonly receipts: readonly {
    readonly destination: string;
    readonly state: string;
    readonly instances: number;
    /** What confirmed it: contents, sums or sizes, or UIDs that the destination lists. */
    readonly proof: string | null;
    readonly at: string;
  }[];
}

/** What the store keeps of a study, as it can be filed away. */
export async function studyEvidence(
  store: Pick<Store, "ledger" | "deliveries" | "studyReport">,
  job: JobRecord,
  rows: readonly number[],
): Promise<StudyEvidence> {
  const delivered = await keptReportOf(store, job.id, "delivered");
  const kept = delivered ?? (await keptReportOf(store, job.id, "last"));
  const ledger = await store.ledger(job.id);
  const receipts = await store.deliveries(job.id);
  return {
    study: job.id,
    rows,
    askedSeries: job.seriesInstanceUids?.length ?? null,
    state: job.state,
    code: job.code ?? null,
    archive: job.archive ?? null,
    verdict: job.verdict ?? null,
    instances: {
      expected: job.expected ?? null,
      received: job.received,
      excluded: job.excluded,
      delivered: job.delivered,
    },
    exclusions: describeExclusions(ledger),
    pseudonym: job.pseudonym ?? null,
    studyInstanceUid: job.pseudoStudyInstanceUid ?? null,
    profile: kept?.profile ?? null,
    report: kept === undefined ? null : withoutFiles(kept),
    files: delivered?.files ?? [],
    receipts: receipts.map(({ destination, state, instances, proof, changedAtMs }) => ({
      destination,
      state,
      instances,
      proof: proof ?? null,
      at: isoTime(changedAtMs),
    })),
  };
}

/** The time that verification took is not the same in every run. */
function withoutFiles({
  files: _files,
  verify: { ms: _ms, ...verify },
  ...report
}: KeptReport): StudyEvidence["report"] {
  return { ...report, verify };
}
