import { randomUUID } from "node:crypto";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import {
  ACQUISITION_STATES,
  type AcquisitionState,
  TRANSFER_STATES,
  type TransferState,
} from "../store/acquisition-states.ts";
import type { Acquisition, AcquisitionChange, AcquisitionStore, Transfer } from "../store/acquisitions.ts";
import type { Actor } from "../units/actor.ts";
import type { AuditTrail } from "../units/audit.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";
import type { ExamManager } from "./exam-manager.ts";
import type { DataLake } from "./lake/data-lake.ts";
import { createLanes, type Lanes } from "./lanes.ts";
import type { AcquisitionPolicy } from "./policy.ts";
import { CLAIMABLE } from "./ups.ts";
import { createWaits, type Waits } from "./waits.ts";

export interface LedgerWorld {
  readonly store: AcquisitionStore;
  readonly exams: ExamManager;
  readonly lake: DataLake;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly policy: AcquisitionPolicy;
  readonly audit: AuditTrail;
}

export interface ClaimWish {
  readonly taskId: string;
  readonly deviceId: string;
  /** SHA-256 of the token that the device gets for this attempt. */
  readonly tokenHash?: string;
  /** JSON of the device's calibration now. */
  readonly parameter?: string;
  /** Somebody asked for it: a task that ended is run again. */
  readonly isTriggered: boolean;
}

/**
 * The only way that acquisitions change. What is written to the store comes before what is asked of others, so that a process that dies in
 * between is taken up where it was; see recover.ts.
 */
export interface Ledger {
  readonly world: LedgerWorld;
  readonly lanes: Lanes;
  /** Of transfers that nobody is at: when each is tried again. */
  readonly waits: Waits;
  /** @throws GatewayError SCAN_TASK_…, SCAN_DEVICE_BUSY */
  claim(wish: ClaimWish): Promise<Acquisition>;
  /** The open acquisition of the task by this device. @throws GatewayError SCAN_NOT_CLAIMED, SCAN_TASK_OF_ANOTHER */
  heldBy(taskId: string, deviceId: string): Promise<Acquisition>;
  /** The device was sent the task and is to begin. */
  started(acquisition: Acquisition): Promise<void>;
  /** The device is at it. 100: it is done; the task is finished when its data is there. Answers what is written down. */
  progressed(acquisition: Acquisition, progress: number): Promise<number>;
  /** No more files will be announced. */
  deviceDone(acquisition: Acquisition): Promise<void>;
  /** Its connection ended, or the process that it was connected to: it may come back within the grace, with what was cut. */
  awaitDevice(acquisition: Pick<Acquisition, "id">): Promise<void>;
  /** Takes everything back that is not whole, and ends the attempt. Done already: nothing. */
  abort(acquisitionId: string, code: ErrorCode, reason?: string): Promise<void>;
  /** Takes back one file. */
  abortTransfer(transfer: Transfer, code: ErrorCode): Promise<void>;
  /** Ends the attempt when its device is done and its data is there. */
  settle(acquisitionId: string): Promise<void>;
}

/** Longer: what a device says of its error is for people, not for storage. */
const MAXIMUM_REASON = 500;

export function createLedger(world: LedgerWorld): Ledger {
  const { store, exams, clock, logger, policy } = world;
  const lanes = createLanes();
  const change = (
    held: Pick<Acquisition, "id" | "transactionUid">,
    to: AcquisitionChange,
    event?: string,
    detail: object = {},
  ): Promise<boolean> => {
    const noted = event === undefined ? undefined : { event, detail: JSON.stringify(detail) };
    return store.changeAcquisition(held, to, clock.nowMs(), noted);
  };

  const abort = (id: string, code: ErrorCode, reason?: string): Promise<void> =>
    lanes.run(id, () => abortNow(world, id, code, reason?.slice(0, MAXIMUM_REASON)));

  return {
    world,
    lanes,
    waits: createWaits(clock.nowMs),
    claim: (wish) => claim(world, wish),
    async heldBy(taskId, deviceId) {
      const [held] = await store.listAcquisitions({ taskId, isOpen: true, limit: 1 });
      if (held === undefined || held.state === "aborting") throw new GatewayError("SCAN_NOT_CLAIMED");
      if (held.deviceId !== deviceId) throw new GatewayError("SCAN_TASK_OF_ANOTHER");
      return held;
    },
    async started(acquisition) {
      await change(acquisition, { state: "started", leaseUntilMs: clock.nowMs() + policy.startTimeoutMs }, "started");
    },
    progressed: (acquisition, progress) =>
      lanes.run(acquisition.id, async () => {
        const percent = Math.min(100, Math.max(0, progress));
        const isFirst = acquisition.state !== "acquiring";
        const isDone = percent === 100;
        const waitMs = isDone ? policy.quietPeriodMs : policy.disconnectGraceMs;
        const to: AcquisitionChange = {
          state: "acquiring",
          progress: percent,
          leaseUntilMs: clock.nowMs() + waitMs,
          ...(isDone ? { isDeviceDone: true } : {}),
        };
        const isKept = await change(acquisition, to, isFirst ? "acquiring" : undefined);
        if (!isKept) throw new GatewayError("SCAN_NOT_CLAIMED");
        await exams.setTask(acquisition.taskId, { status: "INPROGRESS", progress: percent });
        if (isDone) await settleNow(world, acquisition.id);
        return percent;
      }),
    deviceDone: (acquisition) =>
      lanes.run(acquisition.id, async () => {
        const leaseUntilMs = clock.nowMs() + policy.quietPeriodMs;
        if (await change(acquisition, { isDeviceDone: true, leaseUntilMs }, "device-done"))
          await settleNow(world, acquisition.id);
      }),
    awaitDevice: ({ id }) => lanes.run(id, () => awaitDevice(world, id)),
    abort,
    abortTransfer: (transfer, code) => abortTransfer(world, transfer, code),
    settle: (id) =>
      lanes
        .run(id, () => settleNow(world, id))
        .catch((thrown: unknown) => {
          logger.warn("acquisition waits to be settled", { acquisition: id, code: toGatewayError(thrown).code });
        }),
  };
}

/** A device that was told of its task may be at it. One that was not yet is told soon, or never. */
const MAY_COME_BACK: ReadonlySet<AcquisitionState> = new Set(["started", "acquiring"]);

async function awaitDevice({ store, clock, policy }: LedgerWorld, id: string): Promise<void> {
  const acquisition = await store.acquisition(id);
  const leaseUntilMs = clock.nowMs() + policy.disconnectGraceMs;
  if (acquisition === undefined || !MAY_COME_BACK.has(acquisition.state)) return;
  if (acquisition.leaseUntilMs < leaseUntilMs)
    await store.changeAcquisition(acquisition, { leaseUntilMs }, clock.nowMs());
}

/** UPS: SCHEDULED to IN PROGRESS, with a fresh Transaction UID. PS3.4 CC.2.1. */
async function claim(world: LedgerWorld, wish: ClaimWish): Promise<Acquisition> {
  const { store, exams, clock, policy, logger } = world;
  const { taskId, deviceId, isTriggered } = wish;
  const task = await exams.task(taskId);
  if (task.isTemplate) throw new GatewayError("SCAN_TASK_NOT_SCHEDULED", { template: true });
  if (task.deviceId !== undefined && task.deviceId !== deviceId) throw new GatewayError("SCAN_TASK_OF_ANOTHER");
  if (!isTriggered && !CLAIMABLE.has(task.status))
    throw new GatewayError("SCAN_TASK_NOT_SCHEDULED", { status: task.status });
  const acquisition = await store.claimAcquisition(
    {
      id: randomUUID(),
      origin: exams.origin,
      taskId,
      upsUid: newUid(),
      transactionUid: newUid(),
      deviceId,
      previousStatus: task.status,
      workflowId: task.workflowId,
      tokenHash: wish.tokenHash,
      parameter: wish.parameter,
      leaseMs: policy.startTimeoutMs,
    },
    clock.nowMs(),
  );
  if (acquisition === undefined) throw new GatewayError("SCAN_TASK_TAKEN");
  try {
    // An earlier attempt's 100 must not stand there.
    await exams.setTask(taskId, { status: "STARTED", progress: 0 });
    return acquisition;
  } catch (thrown) {
    const { code } = toGatewayError(thrown);
    await abortNow(world, acquisition.id, code, undefined).catch((again: unknown) => {
      logger.warn("claim waits to be taken back", { acquisition: acquisition.id, code: toGatewayError(again).code });
    });
    throw thrown;
  }
}

/** PS3.5 B.2: a UUID as a UID. */
function newUid(): string {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll("-", "")}`)}`;
}

/** What a scanner measured and sent whole is not taken back, whatever becomes of the attempt. */
const WHOLE: ReadonlySet<TransferState> = new Set(["verified", "committed"]);

async function abortNow(world: LedgerWorld, id: string, code: ErrorCode, reason: string | undefined): Promise<void> {
  const { store, exams, clock, logger, policy } = world;
  const acquisition = await store.acquisition(id);
  if (acquisition === undefined || ACQUISITION_STATES[acquisition.state].next.length === 0) return;
  const detail = JSON.stringify({ code, progress: acquisition.progress });
  if (acquisition.state !== "aborting") {
    const leaseUntilMs = clock.nowMs() + policy.startTimeoutMs;
    const to = { state: "aborting", code, leaseUntilMs, ...(reason === undefined ? {} : { reason }) } as const;
    await store.changeAcquisition(acquisition, to, clock.nowMs(), { event: "aborting", detail });
  }
  for (const transfer of await store.transfersOf(id)) {
    if (!TRANSFER_STATES[transfer.state].isFinal && !WHOLE.has(transfer.state))
      await abortTransfer(world, transfer, code);
  }
  await unlessDeleted(exams.setTask(acquisition.taskId, { status: "ERROR" }));
  const isCancelled = (acquisition.code ?? code) === "SCAN_CANCELLED";
  await noteEnd(world, acquisition, isCancelled ? "cancelled" : "failed", { code: acquisition.code ?? code });
  await store.changeAcquisition(acquisition, { state: "canceled" }, clock.nowMs(), { event: "canceled", detail });
  logger.warn("acquisition ended", { acquisition: id, state: "canceled", code: acquisition.code ?? code });
}

/** A task that was deleted while it ran has nothing to be told, and its results went with it: the attempt ends all the same. */
async function unlessDeleted<T>(asked: Promise<T>): Promise<T | undefined> {
  return await asked.catch((thrown: unknown) => {
    if (toGatewayError(thrown).code !== "SCAN_TASK_NOT_FOUND") throw thrown;
    return undefined;
  });
}

/** Blank result and bytes go; each part may be repeated. Data that was committed cannot be taken back. */
async function abortTransfer(world: LedgerWorld, transfer: Transfer, code: ErrorCode): Promise<void> {
  const { store, exams, lake, clock } = world;
  if (
    transfer.state !== "aborting" &&
    !(await store.changeTransfer(transfer.id, { state: "aborting", code }, clock.nowMs()))
  )
    return;
  const acquisition = await store.acquisition(transfer.acquisitionId);
  if (acquisition === undefined) return;
  const { taskId, workflowId } = acquisition;
  const resultId = transfer.resultId ?? (await unlessDeleted(exams.blankResultOf(taskId, transfer.id)));
  const committed =
    resultId === undefined
      ? undefined
      : { folder: lake.folderOf({ workflowId, taskId, resultId }), fileName: transfer.fileName };
  await lake.discard(transfer.id, committed);
  if (resultId !== undefined) await exams.deleteBlankResult(resultId);
  await store.changeTransfer(transfer.id, { state: "aborted" }, clock.nowMs());
}

async function settleNow(world: LedgerWorld, id: string): Promise<void> {
  const { store, exams, clock, logger } = world;
  const acquisition = await store.acquisition(id);
  if (acquisition?.state !== "acquiring" || !acquisition.isDeviceDone) return;
  const transfers = await store.transfersOf(id);
  if (transfers.some(({ state }) => !TRANSFER_STATES[state].isFinal)) return;
  const published = transfers.filter(({ state }) => state === "published").length;
  if (published === 0) return;
  await unlessDeleted(exams.setTask(acquisition.taskId, { status: "FINISHED", progress: 100 }));
  const detail = JSON.stringify({ files: published });
  await noteEnd(world, acquisition, "finished", { files: published });
  await store.changeAcquisition(acquisition, { state: "completed", progress: 100 }, clock.nowMs(), {
    event: "completed",
    detail,
  });
  logger.info("acquisition ended", { acquisition: id, state: "completed", count: published });
}

/** Nobody at the gateway ends it: what the device, the time or a cancelling brought about. */
const LEDGER: Actor = { name: "gateway", kind: "service" };

/** Before the state that is final: an end that is not written down would be looked for in vain. After a crash in between it stands twice. */
async function noteEnd(
  { audit }: LedgerWorld,
  { id, taskId, deviceId }: Acquisition,
  end: "finished" | "failed" | "cancelled",
  more: Readonly<Record<string, string | number>>,
): Promise<void> {
  const detail = { acquisition: id, task: taskId, scanner: deviceId, end, ...more };
  await audit.record({ event: "acquisition-ended", actor: LEDGER, outcome: "success", detail });
}

/** A device that is done and sent nothing. */
export async function finishWithoutData(ledger: Ledger, acquisition: Acquisition): Promise<void> {
  const { store, exams, clock, policy } = ledger.world;
  if (policy.finishWithoutData === "error") return await ledger.abort(acquisition.id, "SCAN_NO_DATA");
  await ledger.lanes.run(acquisition.id, async () => {
    await unlessDeleted(exams.setTask(acquisition.taskId, { status: "FINISHED", progress: 100 }));
    const event = { event: "completed", detail: JSON.stringify({ files: 0 }) };
    await noteEnd(ledger.world, acquisition, "finished", { files: 0 });
    await store.changeAcquisition(acquisition, { state: "completed" }, clock.nowMs(), event);
  });
}
