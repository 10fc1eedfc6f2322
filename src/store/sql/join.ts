import { isSameIdentifier } from "../../dicom/same-identifier.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { JobState } from "../job-states.ts";
import type { JobEvent, StudyKey } from "../records.ts";
import { parseList } from "./row-records.ts";
import type { Row, Session } from "./session.ts";

/** What a further row asks of a job that is there already. */
export interface Wish extends Pick<StudyKey, "patientId" | "accessionNumber"> {
  readonly seriesInstanceUids: readonly string[] | undefined;
  readonly participantId: string | undefined;
  readonly priority: number;
  /** Absent: at once. */
  readonly startAtMs?: number | undefined;
}

/** What a row does to a done job that it joins. What is not here waits for a person. */
const STARTED_OVER: Readonly<Partial<Record<JobState, "always" | "for more series">>> = {
  "not-found": "always",
  failed: "always",
  cancelled: "always",
  delivered: "for more series",
  excluded: "for more series",
};

const DISAGREEMENT: ErrorCode = "STUDY_KEYS_DISAGREE";

/**
 * Another request for a study that is a job already: the higher priority, all series asked for, the first participant ID, the earlier start.
 * True when the job was done and begins again.
 */
export async function joinJob(session: Session, jobNo: number, wish: Wish, nowMs: number): Promise<boolean> {
  await giveWay(session, jobNo, wish);
  const job = await session.get("jobByNumber", { jobNo });
  if (job === undefined) return false;
  const participantId = acceptedParticipant(job, wish);
  if (wish.participantId !== undefined && wish.participantId !== (job.participantId ?? participantId)) {
    await addEvent(session, jobNo, { event: "participant-id-conflict", detail: { kept: "first" } }, nowMs);
  }
  if (isContradiction(job, wish)) await addEvent(session, jobNo, { event: "row-disagrees", detail: {} }, nowMs);
  await session.run("joinJob", { jobNo, priority: wish.priority, participantId, ...acceptedKey(job, wish) });
  await session.run("startEarlier", { jobNo, startAtMs: wish.startAtMs ?? nowMs });
  const isWider = await widen(session, jobNo, job, wish.seriesInstanceUids);
  const rule = STARTED_OVER[job.state as JobState];
  const begins = rule === "always" || (rule !== undefined && isWider);
  if (begins) await startOver(session, jobNo, rule === "for more series" ? rule : "asked for again", nowMs);
  return begins;
}

/** What was wrong of a study's rows is not kept beside what puts it right: the study would go out under another's participant ID. */
async function giveWay(session: Session, jobNo: number, wish: Wish): Promise<void> {
  const job = await session.get("jobByNumber", { jobNo });
  if (job?.state !== "failed" || job.code !== DISAGREEMENT || job.pseudonym !== null) return;
  const { patientId, accessionNumber, participantId } = wish;
  await session.run("replaceClaim", { jobNo, patientId, accessionNumber, participantId });
}

/** Once a pseudonym was made, or may be about to be made, from the participant ID or its absence, it holds. */
function acceptedParticipant(job: Row, { participantId }: Wish): string | undefined {
  const isOpen = job.participantId === null && job.pseudonym === null && job.state !== "running";
  return isOpen ? participantId : undefined;
}

/** The study is located, so that the job says of it what the archive does; looked at again it would not be taken. */
function isContradiction({ archive, ...job }: Row, wish: Wish): boolean {
  if (archive === null) return false;
  return (["patientId", "accessionNumber"] as const).some((claimed) => {
    const said = wish[claimed];
    return said !== undefined && job[claimed] !== null && !isSameIdentifier(said, String(job[claimed]));
  });
}

/** A job known by its UID only can also be looked for as the row says, unless the two speak of different patients. */
function acceptedKey(job: Row, { patientId, accessionNumber }: Wish): Partial<StudyKey> {
  const isSamePatient = job.patientId === null || patientId === undefined || job.patientId === patientId;
  return job.accessionNumber === null && accessionNumber !== undefined && isSamePatient
    ? { patientId, accessionNumber }
    : { patientId: undefined, accessionNumber: undefined };
}

/** The union of what was asked for; undefined is the whole study. */
async function widen(
  session: Session,
  jobNo: number,
  job: Row,
  asked: readonly string[] | undefined,
): Promise<boolean> {
  const held = parseList(job.seriesInstanceUids);
  if (held === undefined) return false;
  const union = asked === undefined ? undefined : [...new Set([...held, ...asked])];
  if (union?.length === held.length) return false;
  await session.run("widenSeries", { jobNo, seriesInstanceUids: listText(union) });
  return true;
}

/** Back to the beginning; the ledger stays, so that only what is missing is fetched. */
export async function startOver(
  session: Session,
  jobNo: number,
  reason: string,
  nowMs: number,
  detail: JobEvent["detail"] = {},
): Promise<void> {
  await session.run("startOver", { jobNo });
  await addEvent(session, jobNo, { event: "queued again", detail: { reason, ...detail } }, nowMs);
}

export async function addEvent(
  session: Session,
  jobNo: number,
  { event, detail }: Omit<JobEvent, "atMs">,
  nowMs: number,
) {
  await session.run("insertEvent", { jobNo, nowMs, event, detail: JSON.stringify(detail) });
}

export function listText(list: readonly string[] | undefined): string | undefined {
  return list === undefined ? undefined : JSON.stringify(list);
}
