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

export function archiveCondition(session: Session, archive: string): ArchiveCondition {
  const row = session.get("archiveCondition", { archive });
  if (row === undefined) return newCondition(archive);
  return {
    archive,
    paused: row.paused === 1,
    overrides: JSON.parse(String(row.overrides)) as ArchiveOverrides,
    breaker: JSON.parse(String(row.breaker)) as Breaker,
    nextStudyAtMs: Number(row.nextStudyAtMs),
  };
}

function write(session: Session, condition: ArchiveCondition): void {
  const { archive, paused, nextStudyAtMs } = condition;
  const [overrides, breaker] = [JSON.stringify(condition.overrides), JSON.stringify(condition.breaker)];
  session.run("writeArchiveCondition", { archive, paused, overrides, breaker, nextStudyAtMs });
}

export function setArchiveControls(
  session: Session,
  archive: string,
  { paused, overrides }: ArchiveControls,
  nowMs: number,
): ArchiveCondition {
  const before = archiveCondition(session, archive);
  const condition: ArchiveCondition = {
    ...before,
    paused: paused ?? before.paused,
    overrides: { ...before.overrides, ...overrides },
    // Turns given away at the old rate do not hold at the new one.
    nextStudyAtMs: overrides === undefined ? before.nextStudyAtMs : Math.min(before.nextStudyAtMs, nowMs),
  };
  write(session, condition);
  session.run("wakeControlled", { nowMs });
  return condition;
}

export function wakeHeldBack(session: Session, nowMs: number): number {
  return session.run("wakeControlled", { nowMs });
}

export function admitToArchive(session: Session, archive: string, policy: BreakerPolicy, nowMs: number): Admission {
  const condition = archiveCondition(session, archive);
  const [breaker, admission] = admit(condition.breaker, policy, nowMs);
  if (breaker !== condition.breaker) write(session, { ...condition, breaker });
  return admission;
}

export function judgeArchive(
  session: Session,
  archive: string,
  failure: ErrorCode | undefined,
  policy: BreakerPolicy,
  nowMs: number,
): Breaker {
  const condition = archiveCondition(session, archive);
  const breaker = judge(condition.breaker, failure, policy, nowMs);
  write(session, { ...condition, breaker });
  if (breaker.state === "closed" && condition.breaker.state !== "closed") session.run("wakeResting", { nowMs });
  return breaker;
}

export function takeStudySlot(
  session: Session,
  archive: string,
  rate: { readonly intervalMs: number; readonly maximumWaitMs: number },
  nowMs: number,
): StudySlot {
  const condition = archiveCondition(session, archive);
  const [nextStudyAtMs, slot] = takeSlot(condition.nextStudyAtMs, rate, nowMs);
  if (slot.kind === "granted") write(session, { ...condition, nextStudyAtMs });
  return slot;
}
