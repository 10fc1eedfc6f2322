import type { ArchiveCondition, Breaker } from "../archive-condition.ts";
import type { MethodName } from "../sql/methods.ts";
import type { Store } from "../store.ts";

/** With those that may be left out: one that is not passed on would be lost without a word. */
type Whole<Args extends readonly unknown[]> = Args & { readonly length: Required<Args>["length"] };
type Asked = {
  readonly [N in MethodName]?: (byMs: number, ...args: Parameters<Store[N]>) => Whole<Parameters<Store[N]>>;
};
type Answered = {
  readonly [N in MethodName]?: (byMs: number, answer: Awaited<ReturnType<Store[N]>>) => Awaited<ReturnType<Store[N]>>;
};

function later<T extends object>(outcome: T, byMs: number): T {
  const isLater = "dueAtMs" in outcome && typeof outcome.dueAtMs === "number";
  return isLater ? { ...outcome, dueAtMs: Number(outcome.dueAtMs) + byMs } : outcome;
}

function breakerBack(byMs: number, breaker: Breaker): Breaker {
  return breaker.state === "closed" ? breaker : { ...breaker, untilMs: breaker.untilMs - byMs };
}

function conditionBack(byMs: number, condition: ArchiveCondition): ArchiveCondition {
  const { breaker, nextStudyAtMs, sparedUntilMs } = condition;
  return {
    ...condition,
    breaker: breakerBack(byMs, breaker),
    nextStudyAtMs: nextStudyAtMs - byMs,
    sparedUntilMs: sparedUntilMs - byMs,
  };
}

const before = (byMs: number, atMs: number | undefined) => (atMs === undefined ? undefined : atMs - byMs);

/**
 * Times that gateways must agree about, from the caller's clock to the database's: of leases, of what is due, and of an archive's turns. By
 * `byMs` the database's clock is ahead.
 */
export const asked: Asked = {
  submitCohort: (by, cohort, nowMs) => [
    cohort.startAtMs === undefined ? cohort : { ...cohort, startAtMs: cohort.startAtMs + by },
    nowMs + by,
  ],
  claim: (by, worker, leaseMs, nowMs) => [worker, leaseMs, nowMs + by],
  renew: (by, lease, leaseMs, nowMs) => [lease, leaseMs, nowMs + by],
  change: (by, lease, change, nowMs) => [lease, change, nowMs + by],
  located: (by, lease, archive, studies, nowMs, change) => [lease, archive, studies, nowMs + by, change],
  recordDelivery: (by, lease, delivery, nowMs, audit, event) => [lease, delivery, nowMs + by, audit, event],
  settle: (by, lease, outcome, nowMs) => [lease, later(outcome, by), nowMs + by],
  settleAndClaim: (by, lease, outcome, next, nowMs) => [lease, later(outcome, by), next, nowMs + by],
  retryJobs: (by, selection, nowMs) => [selection, nowMs + by],
  cancelJobs: (by, selection, nowMs) => [selection, nowMs + by],
  releaseLeases: (by, nowMs, node) => [nowMs + by, node],
  beatNode: (by, node, nowMs) => [node, nowMs + by],
  giveUpNode: (by, node, audit, nowMs) => [node, audit, nowMs + by],
  returnNode: (by, node, home, nowMs) => [node, home, nowMs + by],
  nodeOfStudy: (by, of, nowMs) => [of, nowMs + by],
  takePermit: (by, wish, leaseMs, nowMs) => [wish, leaseMs, nowMs + by],
  renewPermits: (by, node, leaseMs, nowMs) => [node, leaseMs, nowMs + by],
  setArchiveControls: (by, archive, controls, nowMs) => [archive, controls, nowMs + by],
  wakeHeldBack: (by, nowMs) => [nowMs + by],
  admitToArchive: (by, archive, policy, nowMs) => [archive, policy, nowMs + by],
  judgeArchive: (by, archive, failure, policy, nowMs) => [archive, failure, policy, nowMs + by],
  takeStudySlot: (by, archive, rate, nowMs) => [archive, rate, nowMs + by],
  spareArchive: (by, archive, untilMs) => [archive, untilMs === undefined ? undefined : untilMs + by],
  addTask: (by, task, nowMs) => [task, nowMs + by],
  claimTask: (by, kind, leaseMs, nowMs, node) => [kind, leaseMs, nowMs + by, node],
  renewTask: (by, lease, leaseMs, nowMs, progress) => [lease, leaseMs, nowMs + by, progress],
  settleTask: (by, lease, outcome, nowMs) => [lease, later(outcome, by), nowMs + by],
  releaseTasks: (by, kind, nowMs, node) => [kind, nowMs + by, node],
  addInboxMessage: (by, message, nowMs) => [message, nowMs + by],
  claimInboxMessage: (by, queue, leaseMs, nowMs, node) => [queue, leaseMs, nowMs + by, node],
  renewInboxMessage: (by, lease, leaseMs, nowMs, progress) => [lease, leaseMs, nowMs + by, progress],
  settleInboxMessage: (by, lease, outcome, nowMs) => [lease, later(outcome, by), nowMs + by],
  releaseInboxMessages: (by, nowMs, node) => [nowMs + by, node],
  claimAcquisition: (by, claim, nowMs) => [claim, nowMs + by],
  changeAcquisition: (by, lease, change, nowMs, event) => {
    const { leaseUntilMs } = change;
    const shifted = leaseUntilMs === undefined ? change : { ...change, leaseUntilMs: leaseUntilMs + by };
    return [lease, shifted, nowMs + by, event];
  },
  renewAcquisitionsOf: (by, deviceId, leaseUntilMs) => [deviceId, leaseUntilMs + by],
  lapsedAcquisitions: (by, nowMs, limit) => [nowMs + by, limit],
  addNotices: (by, batch, nowMs) => [
    { ...batch, notices: batch.notices.map((notice) => later(notice, by)) },
    nowMs + by,
  ],
  claimNotices: (by, channel, term, nowMs) => [channel, term, nowMs + by],
  postponeNotices: (by, ids, dueAtMs) => [ids, dueAtMs + by],
  addCommitment: (by, wish, nowMs) => [wish, nowMs + by],
  claimCommitments: (by, limit, leaseMs, nowMs) => [limit, leaseMs, nowMs + by],
  releaseCommitment: (by, number, nowMs) => [number, nowMs + by],
  postponeCommitment: (by, number, dueAtMs) => [number, dueAtMs + by],
  forgetNodes: (by, seenBeforeMs) => [seenBeforeMs + by],
  addIntakeInstances: (by, instances, patience, nowMs) => [instances, patience, nowMs + by],
  queueDueIntake: (by, patience, nowMs, asking) => [patience, nowMs + by, asking],
  tellIntake: (by, answer, patience, nowMs) => [answer, patience, nowMs + by],
};

/** And back: what the caller waits for. */
export const answered: Answered = {
  archiveCondition: conditionBack,
  setArchiveControls: conditionBack,
  nextDueAtMs: before,
  nextInboxDueAtMs: before,
  nextIntakeDueAtMs: before,
  nextCommitmentDueAtMs: before,
  nodeOfStudy: (by, node) => node && { ...node, seenAtMs: node.seenAtMs - by },
  listNodes: (by, nodes) => nodes.map((node) => ({ ...node, seenAtMs: node.seenAtMs - by })),
  admitToArchive: (by, admission) =>
    admission.kind === "resting" ? { ...admission, untilMs: admission.untilMs - by } : admission,
  judgeArchive: breakerBack,
  takeStudySlot: (by, slot) => ({ ...slot, atMs: slot.atMs - by }),
};
