import { isUuid } from "../../../acquisition/file-names.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { Acquisition, AcquisitionStore, ScanDevice } from "../../../store/acquisitions.ts";
import { isTokenOf, mayUser, userOfToken } from "../tokens.ts";
import type { ScanHubWorld } from "../world.ts";

/** Where acquisitions and tokens are known. */
export type ReportWorld = Pick<ScanHubWorld, "ledger"> & { readonly store: AcquisitionStore };

export interface TaskReport {
  readonly taskId: string;
  readonly token: string;
  /** A device that begins by itself may claim its task. */
  readonly mayClaim: boolean;
}

/**
 * The acquisition that a device reports for: its own alone, with the token of this attempt or of a user.
 * @throws GatewayError SCAN_TASK_NOT_FOUND, also for a token that is none; SCAN_TASK_OF_ANOTHER, SCAN_NOT_CLAIMED, …
 */
export async function acquisitionOfReport(
  { store, ledger }: ReportWorld,
  device: Pick<ScanDevice, "id">,
  { taskId, token, mayClaim }: TaskReport,
): Promise<Acquisition> {
  if (!isUuid(taskId)) throw new GatewayError("SCAN_TASK_NOT_FOUND");
  const held = await ledger.heldBy(taskId, device.id).catch((thrown: unknown) => {
    if (thrown instanceof GatewayError && thrown.code === "SCAN_NOT_CLAIMED") return undefined;
    throw thrown;
  });
  const acquisition = held ?? (mayClaim ? undefined : await lastOf({ store, ledger }, taskId, device));
  const isAttempt = acquisition?.tokenHash !== undefined && isTokenOf(acquisition.tokenHash, token);
  const user = isAttempt ? undefined : await userOfToken(store, token);
  if (!isAttempt && (user === undefined || !mayUser(user, "operator"))) throw new GatewayError("SCAN_TASK_NOT_FOUND");
  if (acquisition !== undefined) return acquisition;
  const parameter = (await store.scanDevice(device.id))?.parameter;
  const calibration = parameter === undefined ? {} : { parameter };
  return await ledger.claim({ taskId, deviceId: device.id, isTriggered: false, ...calibration });
}

/** A file may come once more after its acquisition ended. */
async function lastOf(
  { store, ledger }: ReportWorld,
  taskId: string,
  { id: deviceId }: Pick<ScanDevice, "id">,
): Promise<Acquisition> {
  const task = await ledger.world.exams.task(taskId);
  if (task.deviceId !== undefined && task.deviceId !== deviceId) throw new GatewayError("SCAN_TASK_OF_ANOTHER");
  const [last] = await store.listAcquisitions({ taskId, limit: 1 });
  if (last?.state !== "completed" || last.deviceId !== deviceId) throw new GatewayError("SCAN_NOT_CLAIMED");
  return last;
}
