import type { GovernedArchive } from "../../archive/availability/govern-archive.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { findWanted, type LocatingRules } from "../../pipeline/locate.ts";
import { JOB_STATES } from "../../store/job-states.ts";
import type { JobRecord, NewRequest } from "../../store/records.ts";
import type { Store } from "../../store/store.ts";
import { abortAfter } from "../../units/abort.ts";
import type { PlannedRow, PlanOutcome } from "./documents.ts";
import type { Weights } from "./weight.ts";

export interface RowPlanning {
  readonly project: string;
  readonly store: Pick<Store, "jobsOfKey">;
  readonly rules: LocatingRules<GovernedArchive>;
  readonly weights: Weights;
  /** Studies that earlier rows would have retrieved, with their series; undefined: whole. */
  readonly planned: Map<string, readonly string[] | undefined>;
}

/** What archives are given to answer all that is asked of them about one row. */
const ROW_TIMEOUT_MS = 300_000;

const OUTCOMES: Readonly<Partial<Record<ErrorCode, PlanOutcome>>> = {
  AMBIGUOUS_PATIENT: "ambiguous",
  TOO_MANY_STUDIES: "ambiguous",
};
/** What is our own trouble ends the plan. */
const OURS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "INTERNAL",
  "STORE_DAMAGED",
  "STORE_FULL",
  "STORE_UNAVAILABLE",
]);

const NOTHING = { code: null, archive: null, studies: 0, series: 0, instances: 0, sizeBytes: 0 };

/** A row that the file's rules turn away. */
export function refusedRow(number: number, code: ErrorCode): PlannedRow {
  return { number, ...NOTHING, outcome: code === "PATIENT_OPTED_OUT" ? "opted-out" : "refused", code };
}

/** Asks what would be asked for the row, and nothing else. @throws GatewayError of the store; the signal's reason */
export async function planRow(planning: RowPlanning, request: NewRequest, signal: AbortSignal): Promise<PlannedRow> {
  const { rowNumber: number } = request;
  const known = joinedOutcome(await planning.store.jobsOfKey(planning.project, request), request);
  if (known !== undefined) return { number, ...NOTHING, outcome: known };
  using limited = abortAfter(ROW_TIMEOUT_MS, signal);
  try {
    return { number, ...(await askArchives(planning, request, limited)) };
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, details } = toGatewayError(thrown);
    if (OURS.has(code)) throw thrown;
    const archive = typeof details.archive === "string" ? details.archive : null;
    return { number, ...NOTHING, outcome: OUTCOMES[code] ?? "not-asked", code, archive };
  }
}

async function askArchives(
  planning: RowPlanning,
  request: NewRequest,
  signal: AbortSignal,
): Promise<Omit<PlannedRow, "number">> {
  const { rules, weights, planned, store, project } = planning;
  const located = await findWanted(rules, request, signal);
  if (located.kind === "absent") return { ...NOTHING, outcome: "absent", code: "STUDY_NOT_FOUND" };
  if (located.kind === "opted-out") return { ...NOTHING, outcome: "opted-out", code: "PATIENT_OPTED_OUT" };
  const { archive } = located;
  const sum = { studies: 0, series: 0, instances: 0, sizeBytes: 0 };
  const known = new Set<PlanOutcome>();
  let isCounted = true;
  for (const { studyInstanceUid } of located.studies) {
    const key = { studyInstanceUid, patientId: undefined, accessionNumber: undefined };
    const outcome = joinedOutcome(await store.jobsOfKey(project, key), request);
    const more = seriesBeyond(planned, studyInstanceUid, request.seriesInstanceUids);
    if (outcome !== undefined || more === "none") {
      known.add(outcome ?? "joined");
      continue;
    }
    const contents = await archive.contents(studyInstanceUid, more, signal);
    if (contents.instances === 0) continue;
    planned.set(studyInstanceUid, more && [...(planned.get(studyInstanceUid) ?? []), ...more]);
    sum.studies += 1;
    sum.series += contents.series ?? 0;
    sum.instances += contents.instances ?? 0;
    sum.sizeBytes += weights.of(archive.name, contents);
    isCounted &&= contents.instances !== undefined;
  }
  if (sum.studies === 0) {
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

/** interfaces.md section 3: which done jobs a row starts over. */
function outcomeOf({ state, seriesInstanceUids }: JobRecord, request: NewRequest): PlanOutcome | undefined {
  if (!JOB_STATES[state].done) return "joined";
  if (state === "held" || state === "quarantined") return "waits-for-a-person";
  if (state !== "delivered" && state !== "excluded") return undefined;
  const wanted = request.seriesInstanceUids;
  const isWider =
    seriesInstanceUids !== undefined && (wanted?.every((uid) => seriesInstanceUids.includes(uid)) ?? false) === false;
  return isWider ? undefined : state;
}
