import type { ScanDevice, ScanDeviceStatus } from "../../../store/acquisitions.ts";
import { pythonText } from "../../fastapi/python-json.ts";
import { deviceDetails } from "../models.ts";
import type { ScanHubWorld } from "../world.ts";
import { acquisitionOfReport } from "./held-task.ts";
import type { IncomingFiles } from "./incoming-file.ts";
import { feedback, fileMessage, PONG, statusMessage, taskFailure, wholeNumber } from "./messages.ts";

type Message = Readonly<Record<string, unknown>>;

/** One connection of a device. */
export interface DeviceSession {
  readonly world: ScanHubWorld;
  readonly device: Pick<ScanDevice, "id">;
  readonly files: IncomingFiles;
  readonly say: (message: object) => void;
  /** Tasks that the device said it is at, over this connection. */
  readonly busyWith: Set<string>;
  status: ScanDeviceStatus;
}

/** What a device may say. Each answers, and none ends the connection. */
const COMMANDS: Readonly<Record<string, (session: DeviceSession, message: Message) => Promise<void>>> = {
  register,
  ping: async ({ say }) => say(PONG),
  update_status: updateStatus,
  "file-transfer": announceFile,
};

export async function carryOut(session: DeviceSession, message: Message): Promise<void> {
  const { command } = message;
  const known = typeof command === "string" && Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (known === undefined) session.say(feedback(`Unknown command: ${pythonText(command).slice(0, 100)}`));
  else await known(session, message);
}

async function register(session: DeviceSession, { data }: Message): Promise<void> {
  const { world, device, say } = session;
  const details = deviceDetails.safeParse(data);
  if (!details.success) return say({ message: "Invalid device details." });
  // A device that names no calibration keeps the one it has.
  const { parameter, ...facts } = details.data;
  const change = { details: JSON.stringify(facts), status: "ONLINE" } as const;
  const calibration = parameter === undefined || parameter === null ? {} : { parameter: JSON.stringify(parameter) };
  await world.store.changeScanDevice(device.id, { ...change, ...calibration }, world.clock.nowMs());
  session.status = change.status;
  say(feedback("Device registered successfully"));
}

async function setStatus(session: DeviceSession, status: ScanDeviceStatus): Promise<void> {
  if (session.status === status) return;
  const { world, device } = session;
  const change = status === "BUSY" ? { status, isDeaf: false } : { status };
  await world.store.changeScanDevice(device.id, change, world.clock.nowMs());
  // Once it is kept: what the store did not take is written when the device says it again.
  session.status = status;
}

async function updateStatus(session: DeviceSession, message: Message): Promise<void> {
  const { say } = session;
  const parsed = statusMessage.safeParse(message);
  if (!parsed.success) return say(feedback(`Invalid status: ${pythonText(message.status).slice(0, 100)}`));
  const { status, data, task_id: taskId, user_access_token: token } = parsed.data;
  if (status === "ONLINE" || status === "OFFLINE") {
    await setStatus(session, status);
    if (status === "ONLINE") await doneWithAll(session);
    return say(feedback(`Device ${status} acknowledged.`));
  }
  if (status !== "BUSY" && status !== "ERROR") return say(feedback(`Invalid status: ${status.slice(0, 100)}`));
  await setStatus(session, status);
  if (!taskId || !token) return say(feedback("Missing task_id or user_access_token for task update."));
  const facts: Message = typeof data === "object" && data !== null ? { ...data } : {};
  const progress = wholeNumber(facts.progress);
  if (status === "BUSY" && progress === undefined) return say(feedback("Invalid data."));
  try {
    const report = { taskId, token, mayClaim: status === "BUSY" };
    const shown =
      status === "BUSY" ? await reportBusy(session, report, progress ?? 0) : await reportError(session, report, facts);
    say(feedback(`Device ${status} update processed (progress=${shown}%).`));
  } catch (thrown) {
    say(feedback(taskFailure(thrown)));
  }
}

type Report = Parameters<typeof acquisitionOfReport>[2];

async function reportBusy({ world, device, busyWith }: DeviceSession, report: Report, progress: number) {
  const acquisition = await acquisitionOfReport(world, device, report);
  busyWith.add(acquisition.id);
  return await world.ledger.progressed(acquisition, progress);
}

async function reportError({ world, device }: DeviceSession, report: Report, { error_message: reason }: Message) {
  const acquisition = await acquisitionOfReport(world, device, report);
  await world.ledger.abort(acquisition.id, "SCAN_DEVICE_FAILED", typeof reason === "string" ? reason : undefined);
  return acquisition.progress;
}

/** A device that is idle again sends no more of what it was at. At the begin of a connection it may be at something still. */
async function doneWithAll({ world, busyWith }: DeviceSession): Promise<void> {
  for (const id of busyWith) {
    const acquisition = await world.store.acquisition(id);
    if (acquisition?.state === "acquiring" && !acquisition.isDeviceDone) await world.ledger.deviceDone(acquisition);
    busyWith.delete(id);
  }
}

async function announceFile({ files, say }: DeviceSession, message: Message): Promise<void> {
  const parsed = fileMessage.safeParse(message);
  if (parsed.success) return await files.announce(parsed.data);
  const missing = parsed.error.issues[0]?.path.join(".") ?? "";
  say(feedback(`Invalid file-transfer header: ${missing}`));
}
