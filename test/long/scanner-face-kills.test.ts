import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, vi } from "vitest";
import { HDF5_BYTES as DATA, filesBelow } from "../../src/acquisition/rehearsal.testing.ts";
import { openScannerDesk } from "../../src/gateway/open-scanner-desk.ts";
import { type DeviceManner, returningDevice } from "../peers/returning-device.ts";
import { openScannerSite, type ScannerSite } from "../peers/scanhub-site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const CHILD = fileURLToPath(new URL("../support/scanner-face-kill-main.ts", import.meta.url));
const SOON = { timeout: 20_000, interval: 50 };
/** Of the second process: devices are given up soon. */
const environment = {
  RADFERRY_SCAN_GRACE_SECONDS: "0.3",
  RADFERRY_SCAN_QUIET_SECONDS: "0.3",
  RADFERRY_SCAN_START_SECONDS: "0.3",
};

/** A task that waits for its device, in a home that nobody works on. */
async function prepared(folder: string): Promise<Pick<ScannerSite, "deviceId" | "deviceToken"> & { taskId: string }> {
  await using site = await openScannerSite({ folder });
  const { deviceId, deviceToken, store } = site;
  const { id: taskId } = await site.addTask();
  await store.wantScanTask(taskId, true, 1);
  return { deviceId, deviceToken, taskId };
}

/** What becomes of the task when the face dies at a step and another one takes its place; undefined: there are fewer steps. */
async function killedAt(step: number, when: string, manner: DeviceManner): Promise<string | undefined> {
  await using folder = await temporaryFolder();
  const { taskId, ...credentials } = await prepared(folder.path);
  await using device = returningDevice(credentials, manner);
  const child = spawn(process.execPath, [CHILD, folder.path, String(step), when], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const [port]: unknown[] = await once(child.stdout, "data");
  await device.connect({ webSocket: `ws://127.0.0.1:${String(port).trim()}/api/v1/device/ws` });
  const isThrough = await isFinished(folder.path, taskId, () => child.signalCode !== null);
  child.kill("SIGKILL");
  await closed;
  if (isThrough) return undefined;
  return await takenUp(folder.path, taskId, device);
}

/** Looked for from outside, as an operator would. */
async function isFinished(folder: string, taskId: string, isOver: () => boolean): Promise<boolean> {
  await using desk = await openScannerDesk({ home: folder });
  return await vi.waitFor(async () => {
    if (isOver()) return false;
    expect(await desk.store.scanTask(taskId)).toMatchObject({ status: "FINISHED" });
    expect(await desk.store.listAcquisitions({ isOpen: true, limit: 1 })).toEqual([]);
    return true;
  }, SOON);
}

async function takenUp(folder: string, taskId: string, device: ReturnType<typeof returningDevice>): Promise<string> {
  await using site = await openScannerSite({ folder, environment });
  const { store } = site;
  await device.connect(site);
  const settled = async (): Promise<void> => {
    expect(await store.listAcquisitions({ isOpen: true, limit: 1 })).toEqual([]);
    expect(await store.wantedScanTasks({ limit: 1 })).toEqual([]);
  };
  const isIdle = await vi.waitFor(settled, { ...SOON, timeout: 6_000 }).then(
    () => "",
    () => ", when it is gone",
  );
  if (isIdle !== "") {
    await device[Symbol.asyncDispose]();
    await vi.waitFor(settled, SOON);
  }
  expect(await store.openTransfers(1)).toEqual([]);
  const results = await store.scanResults(taskId);
  const files = (await filesBelow(site.lake)).filter((path) => !path.endsWith("device_parameter.json"));
  expect(files).toHaveLength(results.length);
  for (const { type, directory } of results) {
    expect(type).toBe("MRD");
    expect(DATA.equals(await readFile(join(directory, "scan.mrd")))).toBe(true);
  }
  const [attempt] = await store.listAcquisitions({ taskId, limit: 1 });
  const { status } = (await store.scanTask(taskId)) ?? {};
  return `${status} ${results.length}, ${device.starts.length} start${isIdle}${status === "ERROR" ? `, ${attempt?.code}` : ""}`;
}

/** A device that was told nothing, and one that lost what it had sent: neither is asked a second time. */
const UNTOLD = "ERROR 0, 0 start, SCAN_DEVICE_SILENT";
const DONE = "FINISHED 1, 1 start";

it.each([
  ["that sends again what was not answered", { version: 2, isThorough: true }, "before", new Set([DONE, UNTOLD])],
  ["that sends again what was not answered", { version: 2, isThorough: true }, "after", new Set([DONE, UNTOLD])],
  [
    "of the second version",
    { version: 2, isThorough: false },
    "after",
    new Set([
      DONE,
      UNTOLD,
      "ERROR 0, 1 start, SCAN_TRANSFER_CUT",
      "ERROR 0, 1 start, SCAN_NO_DATA",
      "ERROR 0, 1 start, SCAN_DEVICE_SILENT",
      "ERROR 0, 1 start, when it is gone, SCAN_DEVICE_LOST",
    ]),
  ],
  [
    "of the first version",
    { version: 1, isThorough: false },
    "before",
    new Set([
      DONE,
      UNTOLD,
      "ERROR 0, 1 start, SCAN_TRANSFER_CUT",
      "ERROR 0, 1 start, SCAN_DEVICE_SILENT",
      "ERROR 0, 1 start, when it is gone, SCAN_DEVICE_LOST",
    ]),
  ],
] as const)(
  "leads the task of a device %s to one end, wherever the face is killed: %o, %s",
  async (_, manner, when, possible) => {
    const outcomes = new Map<string, number[]>();
    for (let step = 1; ; step += 1) {
      expect(step).toBeLessThan(60);
      const outcome = await killedAt(step, when, manner);
      if (outcome === undefined) break;
      outcomes.set(outcome, [...(outcomes.get(outcome) ?? []), step]);
    }
    expect([...outcomes].filter(([outcome]) => !possible.has(outcome))).toEqual([]);
    expect(outcomes.get(DONE)?.length).toBeGreaterThan(5);
  },
);
