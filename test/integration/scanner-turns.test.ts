import { randomUUID } from "node:crypto";
import { afterAll, expect, it, vi } from "vitest";
import { HDF5_BYTES } from "../../src/acquisition/rehearsal.testing.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { anotherDevice, runningScan } from "../peers/scan-runs.ts";
import {
  connectDevice,
  openScannerSite,
  type ScannerSite,
  type ScriptedDevice,
  taskDocument,
} from "../peers/scanhub-site.ts";

const site = await openScannerSite();
afterAll(() => site[Symbol.asyncDispose]());

/** Tasks that the gateway is to start by itself, the first one first. */
async function wanted(of: ScannerSite, ...devices: readonly (string | undefined)[]): Promise<readonly string[]> {
  const { workflow_id: _, ...fields } = taskDocument({ sequence_id: await of.addSequence() });
  const facts = { workflowId: undefined, isTemplate: false, status: "NEW", progress: 0, creator: "anna" } as const;
  const ids: string[] = [];
  for (const deviceId of devices) {
    const task = { ...facts, id: randomUUID(), deviceId, fields: JSON.stringify(fields), wantedAtMs: ids.length };
    ids.push((await of.store.addScanTask(task, 0)).id);
  }
  return ids;
}

async function started(
  device: ScriptedDevice,
): Promise<{ readonly task_id: string; readonly user_access_token: string }> {
  const { command, data } = (await device.next()) as { command: string; data: { id: string; access_token: string } };
  expect(command).toBe("start");
  return { task_id: data.id, user_access_token: data.access_token };
}

it("sends a scanner one task after the other, and no second one while it is at the first", async () => {
  const { site: own, device } = await anotherDevice(site);
  await using _ = device;
  const [first, second] = await wanted(own, own.deviceId, own.deviceId);
  const task = await started(device);
  expect(task.task_id).toBe(first);
  const status = { command: "update_status", status: "BUSY", ...task };
  device.say({ ...status, data: { progress: 100 } });
  expect(await device.next()).toMatchObject({ message: "Device BUSY update processed (progress=100%)." });
  expect(await site.store.scanTask(second ?? "")).toMatchObject({ status: "NEW" });
  device.say({ command: "file-transfer", ...task, filename: "a.mrd", size_bytes: HDF5_BYTES.length });
  device.send(HDF5_BYTES);
  expect(await device.next()).toMatchObject({ message: expect.stringContaining("saved to datalake") });
  expect(await started(device)).toMatchObject({ task_id: second });
});

it("starts a task once the store is back that was away for a moment", async () => {
  const { site: own, device } = await anotherDevice(site);
  await using _ = device;
  const away = vi.spyOn(site.store, "claimAcquisition").mockRejectedValueOnce(new GatewayError("STORE_UNAVAILABLE"));
  const [task = ""] = await wanted(own, own.deviceId);
  await vi.waitFor(() => expect(away).toHaveBeenCalled(), { timeout: 10_000 });
  away.mockRestore();
  expect(await started(device)).toMatchObject({ task_id: task });
});

it("gives a task that any scanner may do to one that is at nothing, and that responds", async () => {
  await using own = await openScannerSite();
  const { store } = own;
  const { site: deaf, device: deafDevice } = await anotherDevice(own);
  const { device: busy } = await anotherDevice(own);
  const { device: free } = await anotherDevice(own);
  await using _deaf = deafDevice;
  await using _busy = busy;
  await using _free = free;
  await vi.waitFor(async () => {
    const states = (await store.listScanDevices(9)).map(({ status }) => status);
    expect(states.filter((status) => status === "ONLINE")).toHaveLength(3);
  });
  await store.changeScanDevice(deaf.deviceId, { isDeaf: true }, 0);
  const [first, second] = await wanted(own, undefined, undefined);
  expect(await started(busy)).toMatchObject({ task_id: first });
  expect(await started(free)).toMatchObject({ task_id: second });
});

it("starts what is wanted of one scanner, however much waits for another that is not there", async () => {
  const { site: own, device } = await anotherDevice(site);
  await using _ = device;
  const { site: away, device: gone } = await anotherDevice(site);
  await gone[Symbol.asyncDispose]();
  await wanted(own, ...Array.from({ length: 150 }, () => away.deviceId));
  const [mine] = await wanted(own, own.deviceId);
  await site.store.wantScanTask(mine ?? "", true, 1_000);
  expect(await started(device)).toMatchObject({ task_id: mine });
});

it("shows a scanner as connected that came back while its half-sent file was taken back", async () => {
  const scan = await runningScan(site);
  const { own, device } = scan;
  scan.header({}, Buffer.alloc(1_000, 1));
  device.send(Buffer.alloc(10, 1));
  device.say({ command: "ping" });
  expect(await device.next()).toEqual({ command: "pong" });
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { changeTransfer } = site.store;
  const held = vi.spyOn(site.store, "changeTransfer").mockImplementation(async (...of) => {
    await released;
    return await changeTransfer(...of);
  });
  const told = vi.spyOn(site.store, "changeScanDevice");
  await device[Symbol.asyncDispose]();
  await vi.waitFor(() => expect(held).toHaveBeenCalled());
  await using again = await connectDevice(own);
  again.say({ command: "ping" });
  expect(await again.next()).toEqual({ command: "pong" });
  release();
  await vi.waitFor(async () => expect(await site.store.openTransfers(9)).toEqual([]));
  again.say({ command: "ping" });
  expect(await again.next()).toEqual({ command: "pong" });
  vi.restoreAllMocks();
  expect(told.mock.calls).not.toContainEqual([own.deviceId, { status: "OFFLINE" }, expect.anything()]);
  expect(await site.store.scanDevice(own.deviceId)).toMatchObject({ status: "ONLINE" });
});

it("forgets a connection that could not be written down", async () => {
  const { site: own, device } = await anotherDevice(site);
  await device[Symbol.asyncDispose]();
  vi.spyOn(site.store, "changeScanDevice").mockRejectedValueOnce(new Error("the store cannot be written"));
  const broken = await connectDevice(own);
  expect(await broken.closed).toMatchObject({ code: 1006 });
  vi.restoreAllMocks();
  const task = await site.addTask({ device_id: own.deviceId });
  const answer = await site.request("POST", `${site.devices}/start_scan_via_websocket`, { body: task });
  expect([answer.status, answer.body]).toEqual([503, { detail: "Device offline." }]);
});
