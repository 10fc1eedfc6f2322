import { sweep } from "../../acquisition/recover.ts";
import { removeOld } from "../../acquisition/retention.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { errorFields } from "../../observe/error-fields.ts";
import type { AcquisitionState } from "../../store/acquisition-states.ts";
import { startInTurn } from "./start-task.ts";
import type { ScanHubWorld } from "./world.ts";

/** Tasks looked at in one go. */
const PAGE = 100;

/** Failures that pass: the task goes on waiting for its device, or for whoever has it. */
const WAITS: Readonly<Record<string, "device" | "task">> = {
  SCAN_DEVICE_OFFLINE: "device",
  SCAN_DEVICE_BUSY: "device",
  SCAN_TASK_TAKEN: "task",
};

/** Its device has the task, or may have it. */
const WAS_TOLD: ReadonlySet<AcquisitionState> = new Set(["started", "acquiring"]);

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
  await startAllWanted(world);
}

/** However many wait for a device that is away: they hold up no other's. */
async function startAllWanted(world: ScanHubWorld): Promise<void> {
  const waiting = { device: new Set<string>(), task: new Set<string>() };
  for (;;) {
    const except = { devices: [...waiting.device], tasks: [...waiting.task] };
    const page = await world.store.wantedScanTasks({ except, limit: PAGE });
    for (const { id, deviceId = "" } of page) {
      if (waiting.device.has(deviceId)) continue;
      const waitsFor = await startWanted(world, id);
      if (waitsFor !== undefined) waiting[waitsFor].add(waitsFor === "device" ? deviceId : id);
    }
    if (page.length < PAGE) return;
  }
}

/** Answers what it waits for; undefined: it is not wanted any more. */
async function startWanted(world: ScanHubWorld, taskId: string): Promise<"device" | "task" | undefined> {
  const { store, clock, logger, ledger } = world;
  const task = await store.scanTask(taskId);
  if (task === undefined) return undefined;
  try {
    // A process that was killed behind the start could not note it. Sent twice, the device would measure twice, or with a token that is void.
    const [held] = await store.listAcquisitions({ taskId, isOpen: true, limit: 1 });
    if (held === undefined || !WAS_TOLD.has(held.state)) await startInTurn(world, task);
  } catch (thrown) {
    const { code, class: errorClass } = toGatewayError(thrown);
    // What else passes, such as a store that is away, says nothing of the task.
    const waitsFor = WAITS[code] ?? (errorClass === "transient" ? "task" : undefined);
    if (waitsFor !== undefined) return waitsFor;
    logger.warn("task could not be started", { task: taskId, code });
    await ledger.world.exams.setTask(taskId, { status: "ERROR" });
  }
  await store.wantScanTask(taskId, false, clock.nowMs());
  return undefined;
}
