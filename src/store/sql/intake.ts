import type { ErrorCode } from "../../errors/registry.ts";
import { errorRegistry } from "../../errors/registry.ts";
import type { AuditEvent } from "../../units/audit.ts";
import {
  INTAKE_STATES,
  type IntakeContents,
  type IntakeCount,
  type IntakeInstance,
  type IntakePatience,
  type IntakeStore,
  type IntakeStudy,
  type QuietAnswer,
  type QuietStudy,
} from "../intake.ts";
import { JOB_STATES, type JobState } from "../job-states.ts";
import { appendAudit } from "./audit.ts";
import { flag, integer, keyOf, oneOf, optional, recordReader, text } from "./columns.ts";
import { inTurn } from "./in-turn.ts";
import { addEvent, startOver } from "./join.ts";
import { newIntakeId, newJobId, uidKey } from "./names.ts";
import type { Session } from "./session.ts";

/** Studies that one transaction makes jobs of, or that one look finds to be leaving. */
const BATCH = 100;
/** So long after its files left it is known that an instance was delivered. */
const DELIVERED_MS = 365 * 86_400_000;
/** How long an archive may take to say what it has; who does not tell by then was killed. */
const ASKING_MS = 120_000;
/** Of a job nobody asked for by a row of a cohort. */
const PRIORITY = 3;
const ASKED = "archive asked what was sent to us should hold";

interface Kept extends Omit<IntakeStudy, "job" | "jobState"> {
  readonly studyNo: number;
  readonly studyInstanceUid: string;
  readonly patientId: string;
  readonly accessionNumber: string;
  /** By a person. */
  readonly assigned: boolean;
  readonly openedAtMs: number;
}

const keptStudy = recordReader<Kept>({
  studyNo: integer,
  id: text,
  studyInstanceUid: text,
  patientId: text,
  accessionNumber: text,
  modality: text,
  callingAeTitle: text,
  project: optional(text),
  rule: optional(text),
  assigned: flag,
  state: oneOf(INTAKE_STATES),
  code: optional(keyOf(errorRegistry)),
  instances: integer,
  expected: optional(integer),
  openedAtMs: integer,
  firstAtMs: integer,
  lastAtMs: integer,
});

const theirJob = recordReader<{ readonly job: string | undefined; readonly jobState: JobState | undefined }>({
  job: optional(text),
  jobState: optional(keyOf(JOB_STATES)),
});

const countLine = recordReader<IntakeCount>({ state: oneOf(INTAKE_STATES), studies: integer, oldestAtMs: integer });

const contentsLine = recordReader<IntakeContents["instances"][number]>({
  sopInstanceUid: text,
  seriesInstanceUid: text,
  sopClassUid: text,
  file: text,
});

export async function addIntakeInstances(
  session: Session,
  instances: readonly IntakeInstance[],
  patience: IntakePatience,
  nowMs: number,
): Promise<readonly boolean[]> {
  const added = new Map<IntakeInstance, boolean>();
  // In the same order whoever adds, so that two who add to several studies do not wait for each other.
  const byStudy = [...Map.groupBy(instances, ({ studyInstanceUid }) => studyInstanceUid)].sort(([one], [other]) =>
    one < other ? -1 : 1,
  );
  await inTurn(byStudy, async ([, ofStudy]) => {
    const [first] = ofStudy;
    if (first !== undefined) await addToStudy(session, [first, ...ofStudy.slice(1)], { patience, nowMs }, added);
  });
  return instances.map((instance) => added.get(instance) ?? false);
}

/** What more of a study changes. */
type Growing = Pick<Kept, "studyNo" | "patientId" | "project" | "assigned" | "state" | "code" | "openedAtMs">;

interface When {
  readonly patience: IntakePatience;
  readonly nowMs: number;
}

async function addToStudy(
  session: Session,
  instances: readonly [IntakeInstance, ...(readonly IntakeInstance[])],
  { patience, nowMs }: When,
  added: Map<IntakeInstance, boolean>,
): Promise<void> {
  const [{ studyInstanceUid }] = instances;
  const row = await session.get("intakeStudy", { studyInstanceUid });
  let study: Growing = row === undefined ? await insertStudy(session, instances[0], patience, nowMs) : keptStudy(row);
  const { studyNo } = study;
  let newcomers = 0;
  await inTurn(instances, async (instance) => {
    const { sopInstanceUid, seriesInstanceUid, sopClassUid, file } = instance;
    const line = { studyNo, sopInstanceUid, seriesInstanceUid, sopClassUid, file, nowMs };
    const isNew = (await session.run("insertIntakeInstance", line)) > 0;
    if (isNew) study = grown(study, instance, nowMs);
    if (isNew) newcomers += 1;
    added.set(instance, isNew || (await isNamed(session, studyNo, instance)));
  });
  if (newcomers === 0) return;
  const { state, code, openedAtMs } = study;
  const due = state === "open" ? dueAtMs(patience, openedAtMs, nowMs) : undefined;
  await session.run("changeIntakeStudy", {
    ...{ studyNo, state, code, openedAtMs },
    dueAtMs: due,
    added: newcomers,
    nowMs,
  });
}

/** Whether this very file is the one that is there: who asks again because no answer came must not take it for unwanted. */
async function isNamed(session: Session, studyNo: number, { sopInstanceUid, file }: IntakeInstance): Promise<boolean> {
  return (await session.get("intakeFileOfInstance", { studyNo, sopInstanceUid }))?.file === file;
}

async function insertStudy(
  session: Session,
  instance: IntakeInstance,
  patience: IntakePatience,
  nowMs: number,
): Promise<Growing> {
  const { studyInstanceUid, patientId, accessionNumber, modality, callingAeTitle, project, rule } = instance;
  const isHeld = project === undefined;
  const [state, code] = isHeld ? (["held", "INTAKE_NO_RULE"] as const) : (["open", undefined] as const);
  const inserted = await session.get("insertIntakeStudy", {
    id: newIntakeId(),
    studyInstanceUid,
    patientId,
    accessionNumber,
    modality,
    callingAeTitle,
    project,
    rule,
    state,
    code,
    dueAtMs: isHeld ? undefined : dueAtMs(patience, nowMs, nowMs),
    nowMs,
  });
  const studyNo = Number(inserted?.studyNo);
  return { studyNo, patientId, project, assigned: false, state, code, openedAtMs: nowMs };
}

function dueAtMs({ quietMs, longestMs }: IntakePatience, openedAtMs: number, nowMs: number): number {
  return Math.min(nowMs + quietMs, openedAtMs + longestMs);
}

/** One more instance came: of a study that was a job already, it opens the next delivery. */
function grown(known: Growing, instance: IntakeInstance, nowMs: number): Growing {
  const code = heldBy(known, instance);
  const openedAtMs = known.state === "open" ? known.openedAtMs : nowMs;
  return { ...known, state: code === undefined ? "open" : "held", code, openedAtMs };
}

/** Why the study is held with this instance in it. What a person gave to a project takes along what no rule speaks of. */
function heldBy(known: Growing, { project, patientId }: IntakeInstance): ErrorCode | undefined {
  if (patientId !== known.patientId) return "INTAKE_PATIENTS_DIFFER";
  const isSame = project === known.project || (known.assigned && project === undefined);
  if (!isSame) return "INTAKE_RULES_DIFFER";
  return known.state === "held" ? known.code : undefined;
}

export async function nextIntakeDueAtMs(session: Session): Promise<number | undefined> {
  const due = (await session.get("nextIntakeDue"))?.dueAtMs;
  return typeof due === "number" ? due : undefined;
}

export async function queueDueIntake(
  session: Session,
  patience: IntakePatience,
  nowMs: number,
  asking: readonly string[] = [],
): Promise<{ readonly due: number; readonly toAsk: readonly QuietStudy[] }> {
  const due = (await session.all("dueIntake", { nowMs, limit: BATCH })).map(keptStudy);
  const toAsk: QuietStudy[] = [];
  for (const study of due) {
    const { studyNo, id, studyInstanceUid, rule, instances, assigned } = study;
    if (rule !== undefined && !assigned && asking.includes(rule)) {
      toAsk.push({ id, studyInstanceUid, rule, instances });
      await session.run("postponeIntake", { studyNo, dueAtMs: nowMs + ASKING_MS });
    } else await queueQuiet(session, study, patience, nowMs);
  }
  return { due: due.length, toAsk };
}

async function queueQuiet(session: Session, study: Kept, { quietMs }: IntakePatience, nowMs: number, said?: Said) {
  const { studyNo, project, assigned } = study;
  if (project !== undefined && (await queue(session, study, project, nowMs, said)))
    await session.run("endIntake", { studyNo, state: "queued", project, assigned });
  else await session.run("postponeIntake", { studyNo, dueAtMs: nowMs + Math.max(quietMs, 1) });
}

export async function tellIntake(
  session: Session,
  { id, instances, detail, ...told }: QuietAnswer,
  patience: IntakePatience,
  nowMs: number,
): Promise<void> {
  const row = await session.get("intakeStudyOfId", { id });
  const study = row && keptStudy(row);
  // What came since waits for its own quiet time, and is asked for again then.
  if (study?.state !== "open" || study.instances !== instances) return;
  const { studyNo } = study;
  const expected = told.expected ?? study.expected;
  const endsAtMs = study.openedAtMs + patience.longestMs;
  if (expected !== undefined && expected > instances && nowMs < endsAtMs) {
    await session.run("awaitIntake", { studyNo, expected, dueAtMs: endsAtMs });
    return;
  }
  await session.run("expectOfIntake", { studyNo, expected });
  await queueQuiet(session, study, patience, nowMs, detail);
}

/** What an archive said before the study became a job. */
type Said = QuietAnswer["detail"];

/** False while its job is under way, which may have counted its instances already. */
async function queue(session: Session, study: Kept, project: string, nowMs: number, said?: Said): Promise<boolean> {
  const { studyInstanceUid, instances } = study;
  const row = await session.get("jobOfStudy", { project, studyInstanceUid });
  if (row === undefined) {
    const inserted = await insertIntakeJob(session, study, project, nowMs);
    if (said !== undefined) await addEvent(session, inserted, { event: ASKED, detail: said }, nowMs);
    return true;
  }
  const jobNo = Number(row.jobNo);
  const job = await session.get("jobByNumber", { jobNo });
  const state = String(job?.state) as JobState;
  if (!JOB_STATES[state].done) return false;
  if (said !== undefined) await addEvent(session, jobNo, { event: ASKED, detail: said }, nowMs);
  const isShort = state === "held" && job?.code === "INSTANCES_MISSING";
  // Whoever looks at what waits for a person, and lets it go on, takes the newcomers along.
  if ((state === "held" && !isShort) || state === "quarantined")
    await addEvent(session, jobNo, { event: "more was sent", detail: { instances } }, nowMs);
  else await startOver(session, jobNo, "more was sent", nowMs, { instances });
  return true;
}

export async function insertIntakeJob(
  session: Session,
  study: Pick<Kept, "studyInstanceUid" | "patientId" | "accessionNumber" | "instances" | "rule">,
  project: string,
  nowMs: number,
): Promise<number> {
  const { studyInstanceUid, patientId, accessionNumber, instances, rule } = study;
  const inserted = await session.get("insertJob", {
    id: newJobId(),
    project,
    studyInstanceUid,
    patientId: patientId || undefined,
    accessionNumber: accessionNumber || undefined,
    seriesInstanceUids: undefined,
    participantId: undefined,
    priority: PRIORITY,
    stage: "locating",
    archive: undefined,
    nowMs,
  });
  const jobNo = Number(inserted?.jobNo);
  await session.run("insertKey", { project, key: uidKey(studyInstanceUid), jobNo });
  await addEvent(session, jobNo, { event: "sent to us", detail: { instances, rule: rule ?? "" } }, nowMs);
  return jobNo;
}

export async function intakeCounts(session: Session): Promise<readonly IntakeCount[]> {
  return (await session.all("intakeCounts")).map(countLine);
}

export async function listIntake(
  session: Session,
  { state, after, limit }: Parameters<IntakeStore["listIntake"]>[0],
): Promise<readonly IntakeStudy[]> {
  const last = after === undefined ? undefined : await session.get("intakeStudyOfId", { id: after });
  const page = { after: Number(last?.studyNo ?? 0), limit };
  const rows =
    state === undefined
      ? await session.all("listIntake", page)
      : await session.all("listIntakeByState", { ...page, state });
  return rows
    .map((row) => ({ ...keptStudy(row), ...theirJob(row) }))
    .map((study) => ({
      id: study.id,
      state: study.state,
      code: study.code,
      project: study.project,
      job: study.state === "queued" ? study.job : undefined,
      jobState: study.state === "queued" ? study.jobState : undefined,
      rule: study.rule,
      modality: study.modality,
      callingAeTitle: study.callingAeTitle,
      instances: study.instances,
      expected: study.expected,
      firstAtMs: study.firstAtMs,
      lastAtMs: study.lastAtMs,
    }));
}

export async function intakeContents(
  session: Session,
  project: string,
  studyInstanceUid: string,
): Promise<IntakeContents | undefined> {
  const row = await session.get("intakeStudy", { studyInstanceUid });
  const study = row && keptStudy(row);
  if (study?.project !== project || study.state === "held") return undefined;
  const { studyNo, patientId, accessionNumber, expected } = study;
  return {
    patientId,
    accessionNumber,
    expected,
    instances: (await session.all("intakeInstances", { studyNo })).map(contentsLine),
  };
}

export async function assignIntake(
  session: Session,
  id: string,
  project: string,
  audit: AuditEvent,
  nowMs: number,
): Promise<"assigned" | "not held" | "under way"> {
  const study = await heldStudy(session, id);
  if (study === undefined) return "not held";
  if (!(await queue(session, study, project, nowMs))) return "under way";
  await session.run("endIntake", { studyNo: study.studyNo, state: "queued", project, assigned: true });
  await appendAudit(session, audit, nowMs);
  return "assigned";
}

export async function discardIntake(session: Session, id: string, audit: AuditEvent, nowMs: number): Promise<boolean> {
  const study = await heldStudy(session, id);
  if (study === undefined) return false;
  const { studyNo, project, assigned } = study;
  await session.run("endIntake", { studyNo, state: "discarded", project, assigned });
  await appendAudit(session, audit, nowMs);
  return true;
}

async function heldStudy(session: Session, id: string): Promise<Kept | undefined> {
  const row = await session.get("intakeStudyOfId", { id });
  return row?.state === "held" ? keptStudy(row) : undefined;
}

export async function forgetIntake(
  session: Session,
  lastBeforeMs: number,
  node: string | null = null,
): Promise<readonly string[]> {
  const rows = [
    ...(await session.all("discardedIntake", { node, limit: BATCH })),
    ...(await session.all("endedIntake", { lastBeforeMs, node, limit: BATCH })),
  ];
  const files = await inTurn(rows, async (row) => {
    const studyNo = Number(row.studyNo);
    const instances = (await session.all("intakeInstances", { studyNo })).map(contentsLine);
    await session.run("noteDelivered", { studyNo });
    await session.run("forgetIntakeInstances", { studyNo });
    await session.run("forgetIntakeStudy", { studyNo });
    return instances.map(({ file }) => file);
  });
  await session.run("forgetDelivered", { lastBeforeMs: lastBeforeMs - DELIVERED_MS });
  return files.flat();
}

export async function intakeFiles(session: Session, prefix: string): Promise<readonly string[]> {
  return (await session.all("intakeFiles", { prefix, end: `${prefix}~` })).map(({ file }) => String(file));
}

export async function moveIntakeFile(session: Session, from: string, to: string): Promise<boolean> {
  return (await session.run("moveIntakeFile", { from, to })) > 0;
}
