import { toGatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";
import { deviceOut } from "../documents.ts";
import { deviceCreation, freeObject, taskBody, uuid } from "../models.ts";
import { startTask } from "../start-task.ts";
import { registerDevice } from "../tokens.ts";
import type { ScanHubWorld } from "../world.ts";
import { json, refusal, route, type ScanHubRequest, type ScanHubRoute } from "./route.ts";

const PAGE = 10_000;
const NOT_FOUND = "Device not found";
/** The original's own words. */
const NO_PARAMETER = "Could not update exam, either because it does not exist, or for another reason.";

/** A malformed id is nobody's. */
function deviceId(text: string, detail: string): string {
  const parsed = uuid.safeParse(text);
  if (!parsed.success) throw refusal(404, detail);
  return parsed.data;
}

export const deviceRoutes: readonly ScanHubRoute[] = [
  route({
    method: "GET",
    path: "/",
    summary: "Get Devices",
    async handle(_, { store }) {
      const devices = await store.listScanDevices(PAGE);
      return json(devices.filter(({ revokedAtMs }) => revokedAtMs === undefined).map(deviceOut));
    },
  }),
  route({
    method: "POST",
    path: "/createdevice",
    summary: "Create Device",
    status: 201,
    least: "admin",
    body: deviceCreation,
    async handle({ body }, world) {
      if (body.name === "") throw refusal(400, "The device name must not be empty!");
      if (body.description === "") throw refusal(400, "The description name must not be empty!");
      const { device, token } = await registerDevice(world, body);
      return { json: { device_token: token, device_id: device.id }, attachment: "device_credentials.json" };
    },
  }),
  route({
    method: "PUT",
    path: "/parameter/{device_id}",
    summary: "Update Device Parameter",
    body: freeObject,
    async handle({ path, body }, { store, clock }) {
      const id = deviceId(path("device_id"), NO_PARAMETER);
      const device = await store.changeScanDevice(id, { parameter: JSON.stringify(body) }, clock.nowMs());
      if (device === undefined) throw refusal(404, NO_PARAMETER);
      return json(deviceOut(device));
    },
  }),
  route({
    method: "POST",
    path: "/start_scan_via_websocket",
    summary: "Start Scan Via Websocket",
    takes: "json",
    handle: ({ raw }, world) => start(world, raw),
  }),
  route({
    method: "GET",
    path: "/{device_id}",
    summary: "Get Device",
    async handle({ path }, { store }) {
      const device = await store.scanDevice(deviceId(path("device_id"), NOT_FOUND));
      if (device === undefined || device.revokedAtMs !== undefined) throw refusal(404, NOT_FOUND);
      return json(deviceOut(device));
    },
  }),
  route({
    method: "DELETE",
    path: "/{device_id}",
    summary: "Delete Device",
    status: 204,
    least: "admin",
    async handle({ path }, { store, clock, registry }) {
      const id = deviceId(path("device_id"), NOT_FOUND);
      if (!(await store.revokeScanDevice(id, clock.nowMs()))) throw refusal(404, NOT_FOUND);
      registry.close(id);
      return "nothing";
    },
  }),
];

const FAILURES: Partial<Record<ErrorCode, readonly [status: 404 | 409 | 503, detail: string]>> = {
  SCAN_SEQUENCE_NOT_FOUND: [404, "Sequence not found"],
  SCAN_DEVICE_NOT_FOUND: [404, NOT_FOUND],
  SCAN_DEVICE_OFFLINE: [503, "Device offline."],
  SCAN_TASK_NOT_FOUND: [404, "Task not found"],
  SCAN_TASK_TAKEN: [409, "Task is already in progress."],
  SCAN_TASK_NOT_SCHEDULED: [409, "Task is a template."],
  SCAN_TASK_OF_ANOTHER: [409, "Task belongs to another device."],
};

/** The body says which task; the rest of it was written by a PUT before. */
async function start(world: ScanHubWorld, { body: raw, token }: ScanHubRequest) {
  const body = taskBody(raw, world.settings.generation);
  const id = uuid.safeParse(typeof raw === "object" && raw !== null ? Reflect.get(raw, "id") : undefined);
  if (body.task_type !== "ACQUISITION") throw refusal(400, "Task is not an acquisition task");
  if (body.sequence_id === null || body.sequence_id === "") throw refusal(404, "Missing sequence ID");
  if (body.device_id === null) throw refusal(404, "Missing device ID");
  const task = id.success ? await world.store.scanTask(id.data) : undefined;
  if (task === undefined) throw refusal(404, "Task not found");
  try {
    await startTask(world, { ...task, deviceId: body.device_id }, token);
    return json(null);
  } catch (thrown) {
    const known = FAILURES[toGatewayError(thrown).code];
    throw known === undefined ? thrown : refusal(...known);
  }
}
