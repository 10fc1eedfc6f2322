import { sweep } from "../../acquisition/recover.ts";
import { removeOld } from "../../acquisition/retention.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { errorFields } from "../../observe/error-fields.ts";
import { startTask } from "./start-task.ts";
import type { ScanHubWorld } from "./world.ts";

/** Tasks looked at in one round. */
const PAGE = 100;

/** Failures that pass: the task goes on waiting for its device. */
const WAITS: ReadonlySet<string> = new Set(["SCAN_DEVICE_OFFLINE", "SCAN_DEVICE_BUSY", "SCAN_TASK_TAKEN"]);

/** Ends what lapsed, keeps the leases of devices that are there, and starts tasks that are wanted. Disposing ends it. */
export function keepWatch(world: ScanHubWorld): AsyncDisposable {
  const stop = new AbortController();
  const { clock, logger, settings } = world;
  const watching = (async () => {
    while (!stop.signal.aborted) {
      await look(world).catch((thrown: unknown) =>
        logger.error("looking after acquisitions failed", errorFields(toGatewayError(thrown))),
      );
      await clock.sleep(settings.policy.sweepEveryMs, stop.signal).catch(() => undefined);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new GatewayError("CANCELLED"));
      await watching;
    },
  };
}

async function look(world: ScanHubWorld): Promise<void> {
  const { store, registry, ledger, uploads, clock, settings } = world;
  const leaseUntilMs = clock.nowMs() + settings.policy.disconnectGraceMs;
  await Promise.all(registry.connected.map((id) => store.renewAcquisitionsOf(id, leaseUntilMs)));
  for (const { id, deviceId } of await sweep(ledger, uploads)) {
    const ended = await store.acquisition(id);
    if (ended?.code === "SCAN_DEVICE_SILENT" && registry.get(deviceId) !== undefined)
      await store.changeScanDevice(deviceId, { isDeaf: true }, clock.nowMs());
  }
  for (const device of await store.listScanDevices(1_000)) {
    if (device.revokedAtMs !== undefined) registry.close(device.id);
  }
  await removeOld(ledger);
  for (const task of await store.wantedScanTasks(PAGE)) await startWanted(world, task.id);
}

async function startWanted(world: ScanHubWorld, taskId: string): Promise<void> {
  const { store, clock, logger, ledger } = world;
  const task = await store.scanTask(taskId);
  if (task === undefined) return;
  try {
    await startTask(world, task);
  } catch (thrown) {
    const { code } = toGatewayError(thrown);
    if (WAITS.has(code)) return;
    logger.warn("task could not be started", { task: taskId, code });
    await ledger.world.exams.setTask(taskId, { status: "ERROR" });
  }
  await store.wantScanTask(taskId, false, clock.nowMs());
}
