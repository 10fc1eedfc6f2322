import type { ErrorCode } from "../../errors/registry.ts";
import { INTAKE_STATES } from "../intake.ts";
import { JOB_STATES, type JobState } from "../job-states.ts";
import { type GivenUp, type NodeStore, nameResource, SILENT_MS } from "../nodes.ts";
import { appendAudit } from "./audit.ts";
import { flag, integer, oneOf, optional, recordReader, text } from "./columns.ts";
import { inTurn } from "./in-turn.ts";
import { insertIntakeJob } from "./intake.ts";
import { addEvent, startOver } from "./join.ts";
import type { Session } from "./session.ts";
import { endAttempts } from "./work.ts";

const LOST: ErrorCode = "STUDY_LOST_WITH_NODE";
const GIVEN_BACK = "lease given back";
const RETURNED: ErrorCode = "INTAKE_NODE_RETURNED";
/** They wait for a person, with files that nobody has any more. */
const WAIT_FOR_A_PERSON: ReadonlySet<JobState> = new Set(["held", "quarantined"]);

const readSent = recordReader({
  studyNo: integer,
  studyInstanceUid: text,
  patientId: text,
  accessionNumber: text,
  project: optional(text),
  rule: optional(text),
  state: oneOf(INTAKE_STATES),
  instances: integer,
});
type Sent = ReturnType<typeof readSent>;

const readWaiting = recordReader({ withdrawal: integer, project: text, digest: text });

/** See `NodeStore.giveUpNode`. */
export async function giveUpNode(
  session: Session,
  node: string,
  audit: Parameters<NodeStore["giveUpNode"]>[1],
  nowMs: number,
): ReturnType<NodeStore["giveUpNode"]> {
  const resource = nameResource(node);
  const atWork = await session.get("nodeAtWork", { node, resource, nowMs, seenAfterMs: nowMs - SILENT_MS });
  if (flag(atWork?.isAtWork)) return "at work";
  const limit = Number.MAX_SAFE_INTEGER;
  const places = (await session.all("waitingPlacesOfNode", { node, limit })).map(readWaiting);
  const isKnown = flag((await session.get("knownNode", { node, resource, workers: `${node}/` }))?.isKnown);
  if (!isKnown && places.length === 0) return "unknown";
  const holder = (await session.get("homeOfNode", { resource }))?.holder;
  await session.run("forgetNode", { node, home: typeof holder === "string" ? holder : "", nowMs });
  const studies = await inTurn((await session.all("intakeOfNode", { node })).map(readSent), (sent) =>
    giveUpSent(session, node, sent, nowMs),
  );
  await forgetDiscarded(session, node);
  await session.run("giveUpPlaces", { node, nowMs });
  const freed = await freeJobs(session, node, nowMs);
  const permits = await session.run("returnPermitsOf", { node });
  await session.run("leaveNodes", { node });
  const given: GivenUp = {
    withdrawals: places.map(({ withdrawal: number, project, digest }) => ({ number, project, digest })),
    studiesFreed: freed,
    studiesSoughtAnew: studies.filter((end) => end === "sought anew").length,
    studiesLost: studies.filter((end) => end === "lost").length,
    heldLost: studies.filter((end) => end === "held").length,
    permits,
  };
  const { withdrawals, ...counts } = given;
  await appendAudit(
    session,
    { ...audit, detail: { ...audit.detail, ...counts, withdrawals: withdrawals.length } },
    nowMs,
  );
  return given;
}

/** What becomes of a study that was sent unasked, by the project's job of it. */
async function giveUpSent(
  session: Session,
  node: string,
  sent: Sent,
  nowMs: number,
): Promise<"lost" | "sought anew" | "held" | "done"> {
  const { studyNo, project, state } = sent;
  const end = project === undefined || state === "held" ? "held" : await endJob(session, node, project, sent, nowMs);
  await session.run("noteDelivered", { studyNo });
  await session.run("giveUpIntake", { studyNo, code: end === "done" ? undefined : LOST });
  // Where a row of a cohort asked for it, too, an archive may have it: nobody waits for the node then.
  if (end === "sought anew" && project !== undefined) await seekAnew(session, project, sent, nowMs);
  return end;
}

async function endJob(session: Session, node: string, project: string, sent: Sent, nowMs: number) {
  const { studyInstanceUid, state } = sent;
  const row = await session.get("jobOfStudy", { project, studyInstanceUid });
  const jobNo = row === undefined ? await insertIntakeJob(session, sent, project, nowMs) : integer(row.jobNo);
  const jobState = String((await session.get("jobByNumber", { jobNo }))?.state) as JobState;
  const isDone = JOB_STATES[jobState].done;
  if (state === "queued" && isDone && !WAIT_FOR_A_PERSON.has(jobState)) return "done";
  if (flag((await session.get("isOfCohort", { jobNo }))?.answer)) return "sought anew";
  await loseJob(session, jobNo, node, sent.studyNo, nowMs);
  return "lost";
}

async function loseJob(session: Session, jobNo: number, node: string, studyNo: number, nowMs: number): Promise<void> {
  const code = LOST;
  await session.run("listLostInstances", { jobNo, studyNo, nowMs });
  await session.run("loseInstances", { jobNo, studyNo, code, nowMs });
  await session.run("loseJob", { jobNo, code, nowMs });
  await session.run("endAttempt", { jobNo, nowMs, outcome: "failed", code });
  await addEvent(session, jobNo, { event: "failed", detail: { code, node } }, nowMs);
}

async function seekAnew(session: Session, project: string, { studyInstanceUid }: Sent, nowMs: number): Promise<void> {
  const row = await session.get("jobOfStudy", { project, studyInstanceUid });
  if (row === undefined) return;
  const jobNo = integer(row.jobNo);
  await session.run("endAttempt", { jobNo, nowMs, outcome: GIVEN_BACK });
  await startOver(session, jobNo, "its gateway is gone", nowMs);
}

/** What was fetched is fetched again, by whoever comes first. What waits and is held is freed with the next sign of life of another node. */
async function freeJobs(session: Session, node: string, nowMs: number): Promise<number> {
  await session.run("wakeHeldBy", { node });
  const freed = await session.run("freeHeldBy", { node });
  const claimed = await session.all("releaseLeasesOf", { workers: `${node}/`, node });
  await session.run("freeHeldBy", { node });
  return freed + (await endAttempts(session, claimed, GIVEN_BACK, nowMs));
}

/** Whose they were need not be kept until their files are gone, as that may be never. */
async function forgetDiscarded(session: Session, node: string): Promise<void> {
  for (const { studyNo } of await session.all("discardedIntakeOfNode", { node }))
    await forgetWhose(session, integer(studyNo));
}

/** Of a discarded study that was sent unasked: names of files alone are left. */
export async function forgetWhose(session: Session, studyNo: number): Promise<void> {
  await session.run("forgetWhoseIntake", { studyNo });
  await session.run("forgetWhoseInstances", { studyNo });
}

/** See `NodeStore.returnNode`. */
export async function returnNode(session: Session, node: string, home: string, nowMs: number): Promise<boolean> {
  const isOurs = (await session.run("returnHome", { node, home })) > 0;
  await session.run("rememberNode", { node });
  if (!isOurs) return false;
  await session.run("reopenWithdrawalsOf", { node });
  await session.run("awaitPlacesAgain", { node, nowMs });
  await session.run("dropSentAgain", { node });
  await session.run("holdGivenUp", { node, code: RETURNED });
  return true;
}
