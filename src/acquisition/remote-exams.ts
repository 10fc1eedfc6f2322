import { GatewayError } from "../errors/gateway-error.ts";
import type { ExamClient } from "../network/rest/scanhub/exam-client.ts";
import { ScanHubError } from "../network/rest/scanhub/scanhub-error.ts";
import {
  type AcquisitionTaskOut,
  isBlankResult,
  type ResultOut,
  setResult as setResultSchema,
  timeOf,
} from "../network/rest/scanhub/schemas.ts";
import type { AcquisitionStore } from "../store/acquisitions.ts";
import type { Logger } from "../units/logger.ts";
import type { ExamManager } from "./exam-manager.ts";
import { isUuid } from "./file-names.ts";
import { createLanes } from "./lanes.ts";
import { TASK_TRANSITIONS } from "./ups.ts";

export interface RemoteExamsOptions {
  readonly client: ExamClient;
  /** The address of the exam-manager: part of the ledger's keys. */
  readonly origin: string;
  /** Asked for before every call: a user's token of the exam-manager. */
  readonly userAccessToken: () => Promise<string>;
  /** The ledger's own: which results are known to be whose. */
  readonly store: Pick<AcquisitionStore, "transfer" | "transfersOf" | "listAcquisitions">;
  readonly logger: Logger;
}

/** By how much the exam-manager's clock may be off. */
const CLOCK_SKEW_MS = 5_000;
/** The most attempts at one task that are looked at, newest first. */
const MAXIMUM_ATTEMPTS = 100;
/** The most results that are remembered as made by this process: their transfers may not be in the ledger yet. */
const MAXIMUM_FRESH = 1_000;

/**
 * The exam manager that is ScanHub's, elsewhere. It offers no comparing before it sets: a task is read just before it is written, and what
 * is written is what was read but for status and progress.
 */
export function createRemoteExams(options: RemoteExamsOptions): ExamManager {
  const { client, origin, userAccessToken } = options;
  // Two creations for one task at once could each be taken for the other's.
  const lanes = createLanes();
  const fresh = new Set<string>();
  const read = async (taskId: string): Promise<AcquisitionTaskOut> => {
    if (!isUuid(taskId)) throw new GatewayError("SCAN_TASK_NOT_FOUND");
    return (await client.getTask(taskId, await userAccessToken()).catch(asTaskError)).value;
  };
  return {
    origin,
    async task(taskId) {
      const { id, workflow_id, device_id, is_template: isTemplate, status } = await read(taskId);
      return { id, workflowId: workflow_id ?? undefined, deviceId: device_id ?? undefined, isTemplate, status };
    },
    setTask: (taskId, { status, progress }) =>
      lanes.run(taskId, async () => {
        const task = await read(taskId);
        const next = progress ?? task.progress;
        if (!TASK_TRANSITIONS[task.status].has(status)) return;
        if (task.status === status && task.progress === next) return;
        await client.setTask(taskId, { ...task, status, progress: next }, await userAccessToken()).catch(asTaskError);
      }),
    createBlankResult: (taskId) =>
      lanes.run(taskId, async () => {
        const known = await knownResults(options, taskId);
        const isKnown = (resultId: string): boolean => known.has(resultId) || fresh.has(resultId);
        const { value } = await client.createBlankResult(taskId, await userAccessToken(), undefined, isKnown);
        fresh.add(value.id);
        const [oldest = ""] = fresh;
        if (fresh.size > MAXIMUM_FRESH) fresh.delete(oldest);
        return value.id;
      }),
    blankResultOf: (taskId, transferId) => lanes.run(taskId, () => findBlank(options, read, taskId, transferId)),
    async setResult(resultId, { type, directory, files, meta }) {
      const content = { type, directory, files, meta: meta === undefined ? null : JSON.parse(meta) };
      await client.setResult(resultId, setResultSchema.parse(content), await userAccessToken()).catch((thrown) => {
        throw isUnknown(thrown) ? new GatewayError("SCAN_RESULT_NOT_FOUND", {}, thrown) : thrown;
      });
    },
    async deleteBlankResult(resultId) {
      await client.deleteBlankResult(resultId, await userAccessToken()).catch((thrown: unknown) => {
        if (!isUnknown(thrown)) throw thrown;
      });
    },
  };

  function asTaskError(thrown: unknown): never {
    if (isUnknown(thrown)) throw new GatewayError("SCAN_TASK_NOT_FOUND", {}, thrown);
    if (thrown instanceof ScanHubError && thrown.code === "SCANHUB_TASK_TYPE_WRONG")
      throw new GatewayError("SCAN_TASK_WRONG_TYPE", {}, thrown);
    throw thrown;
  }
}

function isUnknown(thrown: unknown): boolean {
  return thrown instanceof ScanHubError && thrown.upstreamStatus === 404;
}

/** Results that a transfer of the ledger has already. */
async function knownResults(
  { store, origin }: Pick<RemoteExamsOptions, "store" | "origin">,
  taskId: string,
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (const acquisition of await store.listAcquisitions({ taskId, limit: MAXIMUM_ATTEMPTS })) {
    if (acquisition.origin !== origin) continue;
    for (const { resultId } of await store.transfersOf(acquisition.id)) if (resultId !== undefined) known.add(resultId);
  }
  return known;
}

/**
 * Of a process that died before it wrote down what it had made: the one result of the task that is blank, was made since the transfer
 * began, and is nobody's. Of several none is taken, as they may be another program's.
 */
async function findBlank(
  options: RemoteExamsOptions,
  read: (taskId: string) => Promise<AcquisitionTaskOut>,
  taskId: string,
  transferId: string,
): Promise<string | undefined> {
  const transfer = await options.store.transfer(transferId);
  if (transfer === undefined) return undefined;
  const known = await knownResults(options, taskId);
  const isSince = ({ datetime_created }: ResultOut): boolean => {
    const createdAtMs = timeOf(datetime_created);
    return Number.isNaN(createdAtMs) || createdAtMs >= transfer.createdAtMs - CLOCK_SKEW_MS;
  };
  const { results } = await read(taskId);
  const candidates = results.filter((result) => isBlankResult(result) && isSince(result) && !known.has(result.id));
  const [only] = candidates;
  if (candidates.length === 1) return only?.id;
  if (candidates.length > 1)
    options.logger.warn("blank results of a task are nobody's and stay", { task: taskId, count: candidates.length });
  return undefined;
}
