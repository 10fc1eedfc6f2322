import type { ErrorCode } from "../../errors/registry.ts";
import {
  type Admission,
  type ArchiveCondition,
  type ArchiveOverrides,
  admit,
  type Breaker,
  type BreakerPolicy,
  judge,
  newCondition,
  type StudySlot,
  takeSlot,
} from "../archive-condition.ts";
import type { ArchiveControls } from "../records.ts";
import type { Session } from "./session.ts";

export async function archiveCondition(session: Session, archive: string): Promise<ArchiveCondition> {
  const row = await session.get("archiveCondition", { archive });
  if (row === undefined) return newCondition(archive);
  return {
    archive,
    paused: row.paused === 1,
    overrides: JSON.parse(String(row.overrides)) as ArchiveOverrides,
    breaker: JSON.parse(String(row.breaker)) as Breaker,
    nextStudyAtMs: Number(row.nextStudyAtMs),
    sparedUntilMs: Number(row.sparedUntilMs),
  };
}

async function write(session: Session, condition: ArchiveCondition): Promise<void> {
  const { archive, paused, nextStudyAtMs, sparedUntilMs } = condition;
  const [overrides, breaker] = [JSON.stringify(condition.overrides), JSON.stringify(condition.breaker)];
  await session.run("writeArchiveCondition", { archive, paused, overrides, breaker, nextStudyAtMs, sparedUntilMs });
}

export async function setArchiveControls(
  session: Session,
  archive: string,
  { paused, overrides }: ArchiveControls,
  nowMs: number,
): Promise<ArchiveCondition> {
  const before = await archiveCondition(session, archive);
  const condition: ArchiveCondition = {
    ...before,
    paused: paused ?? before.paused,
    overrides: { ...before.overrides, ...overrides },
    // Turns given away at the old rate do not hold at the new one.
    nextStudyAtMs: overrides === undefined ? before.nextStudyAtMs : Math.min(before.nextStudyAtMs, nowMs),
  };
  await write(session, condition);
  await session.run("wakeControlled", { nowMs });
  return condition;
}

/** What is woken when it ends; whoever is put back for later after that is woken by nobody. */
const STILL_HOLDS: Partial<Readonly<Record<ErrorCode, (condition: ArchiveCondition) => boolean>>> = {
  ARCHIVE_PAUSED: ({ paused }) => paused,
  ARCHIVE_RESTING: ({ breaker }) => breaker.state !== "closed",
};

/** Whether a reason to leave an archive alone ended since it was given; of other reasons nothing is known here. */
export async function isOver(session: Session, archive: string, reason: ErrorCode): Promise<boolean> {
  const holds = STILL_HOLDS[reason];
  return holds !== undefined && !holds(await archiveCondition(session, archive));
}

export async function wakeHeldBack(session: Session, nowMs: number): Promise<number> {
  return await session.run("wakeControlled", { nowMs });
}

export async function admitToArchive(
  session: Session,
  archive: string,
  policy: BreakerPolicy,
  nowMs: number,
): Promise<Admission> {
  const condition = await archiveCondition(session, archive);
  const [breaker, admission] = admit(condition.breaker, policy, nowMs);
  if (breaker !== condition.breaker) await write(session, { ...condition, breaker });
  return admission;
}

export async function judgeArchive(
  session: Session,
  archive: string,
  failure: ErrorCode | undefined,
  policy: BreakerPolicy,
  nowMs: number,
): Promise<Breaker> {
  const condition = await archiveCondition(session, archive);
  const breaker = judge(condition.breaker, failure, policy, nowMs);
  await write(session, { ...condition, breaker });
  if (breaker.state === "closed" && condition.breaker.state !== "closed") await session.run("wakeResting", { nowMs });
  return breaker;
}

export async function takeStudySlot(
  session: Session,
  archive: string,
  rate: { readonly intervalMs: number; readonly maximumWaitMs: number },
  nowMs: number,
): Promise<StudySlot> {
  const condition = await archiveCondition(session, archive);
  const [nextStudyAtMs, slot] = takeSlot(condition.nextStudyAtMs, rate, nowMs);
  if (nextStudyAtMs !== condition.nextStudyAtMs) await write(session, { ...condition, nextStudyAtMs });
  return slot;
}

export async function spareArchive(session: Session, archive: string, untilMs: number | undefined): Promise<void> {
  const condition = await archiveCondition(session, archive);
  const sparedUntilMs = untilMs === undefined ? 0 : Math.max(condition.sparedUntilMs, untilMs);
  if (sparedUntilMs !== condition.sparedUntilMs) await write(session, { ...condition, sparedUntilMs });
}
