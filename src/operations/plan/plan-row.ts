import type { GovernedArchive } from "../../archive/availability/govern-archive.ts";
import type { StudyContents } from "../../archive/contents.ts";
import type { StudyInstanceUid } from "../../dicom/uid.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { findWanted, type LocatingRules } from "../../pipeline/locate.ts";
import { JOB_STATES } from "../../store/job-states.ts";
import type { JobRecord, NewRequest, StudyClaim } from "../../store/records.ts";
import type { Store } from "../../store/store.ts";
import { abortAfter } from "../../units/abort.ts";
import type { PlannedRow, PlanOutcome } from "./documents.ts";
import type { Weights } from "./weight.ts";

export interface RowPlanning {
  readonly project: string;
  readonly store: Pick<Store, "jobsOfKey">;
  readonly rules: LocatingRules<GovernedArchive>;
  readonly isWithdrawn: (patientId: string) => boolean;
  readonly weights: Weights;
  /** Studies that earlier rows would have retrieved, with their series; undefined: whole. */
  readonly planned: Map<string, readonly string[] | undefined>;
}

/** What archives are given to answer all that is asked of them about one row. */
const ROW_TIMEOUT_MS = 300_000;

const OUTCOMES: Readonly<Partial<Record<ErrorCode, PlanOutcome>>> = {
  AMBIGUOUS_PATIENT: "ambiguous",
  STUDY_KEYS_DISAGREE: "ambiguous",
  TOO_MANY_STUDIES: "ambiguous",
};
/** What is our own trouble ends the plan. */
const OURS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "INTERNAL",
  "STORE_DAMAGED",
  "STORE_FULL",
  "STORE_UNAVAILABLE",
]);

const LEFT_OUT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["PATIENT_OPTED_OUT", "PATIENT_WITHDRAWN"]);

const NOTHING = { code: null, archive: null, studies: 0, series: 0, instances: 0, sizeBytes: 0 };

/** A row that the file's rules turn away. */
export function refusedRow(number: number, code: ErrorCode): PlannedRow {
  return { number, ...NOTHING, outcome: LEFT_OUT.has(code) ? "opted-out" : "refused", code };
}

/** What archives told of one row. */
type Looked =
  | { readonly row: Omit<PlannedRow, "number"> }
  | { readonly archive: GovernedArchive; readonly studies: readonly LookedStudy[] };

interface LookedStudy {
  readonly studyInstanceUid: StudyInstanceUid;
  /** Set where jobs have it already. */
  readonly outcome: PlanOutcome | undefined;
  /** Of all that the row wants of it; undefined: nobody asked. */
  readonly contents: StudyContents | undefined;
}

/**
 * Asks what would be asked for the row, and nothing else. What it answers is called when the rows before it have been told: of rows that want the
 * same study, the first counts it.
 * @throws GatewayError of the store; the signal's reason; so does what it answers
 */
export async function planRow(
  planning: RowPlanning,
  request: NewRequest,
  signal: AbortSignal,
): Promise<() => Promise<PlannedRow>> {
  const { rowNumber: number } = request;
  const known = joinedOutcome(await planning.store.jobsOfKey(planning.project, request), request);
  if (known !== undefined) return () => Promise.resolve({ number, ...NOTHING, outcome: known });
  const looked = await inTime(signal, (limited) => lookAtArchives(planning, request, limited));
  if ("row" in looked) return () => Promise.resolve({ number, ...looked.row });
  return async () => {
    const { row } = await inTime(signal, async (limited) => ({
      row: await countStudies(planning, request, looked, limited),
    }));
    return { number, ...row };
  };
}

/** What an archive does not answer is a row of its own. */
async function inTime<T>(
  signal: AbortSignal,
  work: (limited: AbortSignal) => Promise<T>,
): Promise<T | { readonly row: Omit<PlannedRow, "number"> }> {
  using limited = abortAfter(ROW_TIMEOUT_MS, signal);
  try {
    return await work(limited);
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, details } = toGatewayError(thrown);
    if (OURS.has(code)) throw thrown;
    const archive = typeof details.archive === "string" ? details.archive : null;
    return { row: { ...NOTHING, outcome: OUTCOMES[code] ?? "not-asked", code, archive } };
  }
}

async function lookAtArchives(planning: RowPlanning, request: NewRequest, signal: AbortSignal): Promise<Looked> {
  const { rules, planned, store, project } = planning;
  const located = await findWanted(rules, { key: request, claims: claimsOf(request) }, signal);
  if (located.kind === "absent") return { row: { ...NOTHING, outcome: "absent", code: "STUDY_NOT_FOUND" } };
  if (located.kind === "opted-out") return { row: { ...NOTHING, outcome: "opted-out", code: "PATIENT_OPTED_OUT" } };
  if (located.studies.some(({ patientId }) => planning.isWithdrawn(patientId)))
    return { row: { ...NOTHING, outcome: "opted-out", code: "PATIENT_WITHDRAWN" } };
  const { archive } = located;
  const studies: LookedStudy[] = [];
  for (const { studyInstanceUid } of located.studies) {
    const key = { studyInstanceUid, patientId: undefined, accessionNumber: undefined };
    const outcome = joinedOutcome(await store.jobsOfKey(project, key), request);
    const { seriesInstanceUids } = request;
    const isCountedAlready = seriesBeyond(planned, studyInstanceUid, seriesInstanceUids) === "none";
    const contents =
      outcome !== undefined || isCountedAlready
        ? undefined
        : await archive.contents(studyInstanceUid, seriesInstanceUids, signal);
    studies.push({ studyInstanceUid, outcome, contents });
  }
  return { archive, studies };
}

function claimsOf(request: NewRequest): readonly StudyClaim[] {
  return request.studyInstanceUid === undefined ? [] : [request];
}

async function countStudies(
  { weights, planned }: RowPlanning,
  { seriesInstanceUids }: NewRequest,
  { archive, studies }: Exclude<Looked, { readonly row: unknown }>,
  signal: AbortSignal,
): Promise<Omit<PlannedRow, "number">> {
  const sum = { studies: 0, series: 0, instances: 0, sizeBytes: 0 };
  const known = new Set<PlanOutcome>();
  let isCounted = true;
  let isMatched = false;
  for (const { studyInstanceUid, outcome, contents: looked } of studies) {
    const more = seriesBeyond(planned, studyInstanceUid, seriesInstanceUids);
    if (outcome !== undefined || more === "none") {
      known.add(outcome ?? "joined");
      continue;
    }
    const isAll = more === seriesInstanceUids;
    const earlier = planned.get(studyInstanceUid);
    const all = (isAll ? looked : undefined) ?? (await archive.contents(studyInstanceUid, more, signal));
    const contents =
      more === undefined && earlier !== undefined
        ? restOf(all, await archive.contents(studyInstanceUid, earlier, signal))
        : all;
    if (contents.instances === 0) {
      // Part of what it wants, or all of it, is wanted by earlier rows.
      if (earlier !== undefined && (more?.length ?? 0) < (seriesInstanceUids?.length ?? 1)) known.add("joined");
      continue;
    }
    planned.set(studyInstanceUid, more && [...(earlier ?? []), ...more]);
    isMatched = true;
    sum.studies += earlier === undefined ? 1 : 0;
    sum.series += contents.series ?? 0;
    sum.instances += contents.instances ?? 0;
    sum.sizeBytes += weights.of(archive.name, contents);
    isCounted &&= contents.instances !== undefined;
  }
  if (!isMatched) {
    const [outcome] = known;
    return outcome === undefined
      ? { ...NOTHING, outcome: "absent", code: "SERIES_NOT_FOUND" }
      : { ...NOTHING, outcome, archive: archive.name };
  }
  const unknown = { series: null, instances: null, sizeBytes: null };
  const counted = { series: sum.series === 0 ? null : sum.series, instances: sum.instances, sizeBytes: sum.sizeBytes };
  return {
    outcome: "matched",
    code: null,
    archive: archive.name,
    studies: sum.studies,
    ...(isCounted ? counted : unknown),
  };
}

/** A study without those of its series that are counted already. */
function restOf(whole: StudyContents, counted: StudyContents): StudyContents {
  return {
    series: less(whole.series, counted.series),
    instances: less(whole.instances, counted.instances),
    byModality: new Map(
      [...whole.byModality].map(([modality, instances]) => [
        modality,
        Math.max(instances - (counted.byModality.get(modality) ?? 0), 0),
      ]),
    ),
  };
}

function less(all: number | undefined, some: number | undefined): number | undefined {
  return all === undefined || some === undefined ? undefined : Math.max(all - some, 0);
}

/** What a row wants of a study that earlier ones do not; undefined: the whole of it. */
function seriesBeyond(
  planned: RowPlanning["planned"],
  study: string,
  wanted: readonly string[] | undefined,
): readonly string[] | undefined | "none" {
  if (!planned.has(study)) return wanted;
  const earlier = planned.get(study);
  if (earlier === undefined) return "none";
  const more = wanted?.filter((uid) => !earlier.includes(uid));
  return more?.length === 0 ? "none" : more;
}

/** What a row that joins jobs comes to; undefined: something of it is to be retrieved, or nobody knows yet. */
function joinedOutcome(jobs: readonly JobRecord[], request: NewRequest): PlanOutcome | undefined {
  const outcomes = jobs.map((job) => outcomeOf(job, request));
  return outcomes.every((outcome) => outcome !== undefined) ? outcomes[0] : undefined;
}

/** What the row would do to a job that is there; undefined: it would start it over. As `joinJob` of the store does it. */
function outcomeOf({ state, seriesInstanceUids }: JobRecord, request: NewRequest): PlanOutcome | undefined {
  if (!JOB_STATES[state].done) return "joined";
  if (state === "held" || state === "quarantined") return "waits-for-a-person";
  if (state !== "delivered" && state !== "excluded") return undefined;
  const wanted = request.seriesInstanceUids;
  const isWider =
    seriesInstanceUids !== undefined && (wanted?.every((uid) => seriesInstanceUids.includes(uid)) ?? false) === false;
  return isWider ? undefined : state;
}
