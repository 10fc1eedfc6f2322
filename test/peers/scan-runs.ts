import { expect } from "vitest";
import { HDF5_BYTES as SCAN_DATA, sha256Of } from "../../src/acquisition/rehearsal.testing.ts";
import { registerDevice } from "../../src/compat/scanhub/tokens.ts";
import { systemClock } from "../../src/units/clock.ts";
import { systemRandom } from "../../src/units/random.ts";
import { connectDevice, type Document, type ScannerSite, type ScriptedDevice } from "./scanhub-site.ts";

/** Of a device alone, so that tests do not meet. */
export async function anotherDevice(of: ScannerSite): Promise<{ site: ScannerSite; device: ScriptedDevice }> {
  const world = { store: of.store, clock: systemClock, random: systemRandom };
  const { device, token } = await registerDevice(world, { name: "scanner", description: "3 T" });
  const own = { ...of, deviceId: device.id, deviceToken: token };
  return { site: own, device: await connectDevice(own) };
}

export interface Running extends AsyncDisposable {
  readonly device: ScriptedDevice;
  readonly task: Document;
  readonly token: string;
  readonly own: ScannerSite;
  busy(progress: unknown): Promise<Record<string, unknown>>;
  header(facts?: object, bytes?: Uint8Array): void;
  status(): Promise<string>;
  results(): Promise<readonly Record<string, unknown>[]>;
}

/** A device that was sent a task, and has begun. */
export async function runningScan(of: ScannerSite): Promise<Running> {
  const { site: own, device } = await anotherDevice(of);
  const sequence_id = await of.addSequence();
  const task = await of.addTask({ device_id: own.deviceId, sequence_id });
  const started = await of.request("POST", `${of.devices}/start_scan_via_websocket`, { body: task });
  expect(started.status).toBe(200);
  const { data } = (await device.next()) as { data: { access_token: string } };
  const token = data.access_token;
  const get = async () => (await of.request("GET", `${of.exam}/task/${task.id}`)).body as Document;
  const made: Running = {
    device,
    task,
    token,
    own,
    busy(progress) {
      device.say({
        command: "update_status",
        status: "BUSY",
        data: { progress },
        task_id: task.id,
        user_access_token: token,
      });
      return device.next();
    },
    header(facts = {}, bytes = SCAN_DATA) {
      const usual = {
        filename: "scan.mrd",
        size_bytes: bytes.length,
        content_type: "x",
        sha256: sha256Of(bytes),
        device_parameter: { b0: 3 },
      };
      device.say({ command: "file-transfer", task_id: task.id, user_access_token: token, ...usual, ...facts });
    },
    status: async () => String((await get()).status),
    results: async () => (await get()).results as Record<string, unknown>[],
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  };
  expect(await made.busy(10)).toEqual({ command: "feedback", message: "Device BUSY update processed (progress=10%)." });
  return made;
}
