import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { Acquisition, ScanDevice, ScanTask } from "../../store/acquisitions.ts";
import { type Json, sequenceOut, taskOut } from "./documents.ts";
import { newAttemptToken, tokenHash } from "./tokens.ts";
import type { ScanHubWorld } from "./world.ts";

/** Stands for a header in the original too, which has no other. */
const MRD_HEADER = "header_xml_placeholder";

/** Attempts of one device that are looked at. */
const OPEN_LIMIT = 100;

/**
 * Sends a task to its device. The device gets a token for this attempt alone, unless the face is strict.
 * @throws GatewayError SCAN_SEQUENCE_NOT_FOUND, SCAN_DEVICE_NOT_FOUND, SCAN_DEVICE_OFFLINE, SCAN_TASK_…
 */
export async function startTask(world: ScanHubWorld, task: ScanTask, userToken?: string): Promise<Acquisition> {
  const { store, registry, ledger, random, settings } = world;
  const fields: Json = JSON.parse(task.fields);
  const sequenceId = typeof fields.sequence_id === "string" ? fields.sequence_id : "";
  if (sequenceId === "") throw new GatewayError("SCAN_SEQUENCE_NOT_FOUND", { missing: true });
  const sequence = await store.scanSequence(sequenceId);
  if (sequence === undefined) throw new GatewayError("SCAN_SEQUENCE_NOT_FOUND");
  const device = await deviceFor(world, task);
  const connection = registry.get(device.id);
  if (connection === undefined) throw new GatewayError("SCAN_DEVICE_OFFLINE");
  const token = settings.isStrict && userToken !== undefined ? userToken : newAttemptToken(random);
  const acquisition = await claimed(world, task, device, tokenHash(token));
  try {
    await ledger.started(acquisition);
    const current = (await store.scanTask(task.id)) ?? task;
    const data = {
      ...taskOut(current, await store.scanResults(task.id)),
      mrd_header: MRD_HEADER,
      sequence: sequenceOut(sequence),
      access_token: token,
      device_parameter: device.parameter === undefined ? {} : JSON.parse(device.parameter),
    };
    await connection.send({ command: "start", data });
    return acquisition;
  } catch (thrown) {
    await ledger.abort(acquisition.id, toGatewayError(thrown).code);
    throw thrown;
  }
}

/**
 * As `startTask`, once the device is at nothing else: one that was sent a task more does not begin it in time.
 * @throws GatewayError SCAN_DEVICE_BUSY too
 */
export async function startInTurn(world: ScanHubWorld, task: ScanTask): Promise<Acquisition> {
  const { id } = await deviceFor(world, task);
  if (await isAtAnother(world, id, task)) throw new GatewayError("SCAN_DEVICE_BUSY");
  return await startTask(world, { ...task, deviceId: id });
}

async function deviceFor(world: ScanHubWorld, task: ScanTask): Promise<ScanDevice> {
  const { store, registry } = world;
  if (task.deviceId !== undefined) {
    const device = await store.scanDevice(task.deviceId);
    if (device === undefined || device.revokedAtMs !== undefined) throw new GatewayError("SCAN_DEVICE_NOT_FOUND");
    return device;
  }
  let silent: ScanDevice | undefined;
  for (const id of registry.connected) {
    const device = await store.scanDevice(id);
    if (device?.status !== "ONLINE" || (await isAtAnother(world, id, task))) continue;
    if (!device.isDeaf) return device;
    silent ??= device;
  }
  // Who did not respond may do so again; others come first.
  if (silent === undefined) throw new GatewayError("SCAN_DEVICE_OFFLINE");
  return silent;
}

/** What is being taken back needs no scanner. */
async function isAtAnother({ store }: ScanHubWorld, deviceId: string, task: ScanTask): Promise<boolean> {
  const open = await store.listAcquisitions({ deviceId, isOpen: true, limit: OPEN_LIMIT });
  return open.some(({ taskId, state }) => taskId !== task.id && state !== "aborting");
}

/** Claims the task for the device. A claim that the device has, but has not acted on, is taken over with a new token. */
async function claimed(
  { store, ledger, clock }: ScanHubWorld,
  task: ScanTask,
  device: ScanDevice,
  hash: string,
): Promise<Acquisition> {
  const parameter = device.parameter === undefined ? {} : { parameter: device.parameter };
  const wish = { taskId: task.id, deviceId: device.id, tokenHash: hash, isTriggered: true, ...parameter };
  try {
    return await ledger.claim(wish);
  } catch (thrown) {
    const [held] = await store.listAcquisitions({ taskId: task.id, isOpen: true, limit: 1 });
    const isWaiting = held?.state === "claimed" || held?.state === "started";
    if (toGatewayError(thrown).code !== "SCAN_TASK_TAKEN" || !isWaiting || held.deviceId !== device.id) throw thrown;
    await store.changeAcquisition(held, { tokenHash: hash }, clock.nowMs());
    return held;
  }
}
