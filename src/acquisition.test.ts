import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import * as acquisition from "./acquisition.ts";
import { createManualClock } from "./units/manual-clock.testing.ts";

const DEVICE = "0b9f4d5e-0000-4000-8000-0000000000d1";
const BYTES = Uint8Array.from(Buffer.from("\x89HDF\r\n\x1a\nwhat was measured", "latin1"));

async function addTask({ store }: acquisition.Acquisitions): Promise<string> {
  const fields = JSON.stringify({ name: "scan", task_type: "ACQUISITION" });
  const whose = { workflowId: randomUUID(), deviceId: DEVICE, creator: "anna", wantedAtMs: undefined };
  const task = { id: randomUUID(), ...whose, isTemplate: false, status: "NEW", progress: 0, fields } as const;
  return (await store.addScanTask(task, 0)).id;
}

it("offers these functions and tables to other programs", () => {
  expect(Object.keys(acquisition).sort()).toEqual([
    "ACQUISITION_STATES",
    "TRANSFER_STATES",
    "UPS_FAILURES",
    "UPS_OF_TASK",
    "USUAL_POLICY",
    "createUserToken",
    "keepSequence",
    "openAcquisitions",
    "openScanHubFace",
    "openScannerDesk",
    "openStandIn",
    "readScanHubSettings",
    "registerDevice",
    "upsFailureOf",
  ]);
});

it("keeps the account of one measurement, from the claim to the file in the lake", async () => {
  await using folder = await temporaryFolder();
  const options = { home: join(folder.path, "home"), lake: join(folder.path, "lake") };
  await using acquisitions = await acquisition.openAcquisitions(options);
  const { ledger, uploads, exams, store } = acquisitions;
  const taskId = await addTask(acquisitions);
  const claimed = await ledger.claim({ taskId, deviceId: DEVICE, isTriggered: false });
  expect(await ledger.progressed(claimed, 50)).toBe(50);
  const sha256 = createHash("sha256").update(BYTES).digest("hex");
  const file = { fileName: "scan.mrd", sizeBytes: BYTES.length, sha256, parameter: undefined, isLast: true };
  const begun = await uploads.begin(claimed, file);
  if (begun.kind !== "receive") throw new Error("nothing was sent before");
  await begun.upload.write(BYTES);
  const published = await begun.upload.finish();
  expect(published).toMatchObject({
    sha256,
    path: join(options.lake, claimed.workflowId ?? "", taskId, published.resultId, "scan.mrd"),
  });
  expect(Uint8Array.from(await readFile(published.path))).toEqual(BYTES);
  expect(await exams.task(taskId)).toMatchObject({ status: "FINISHED" });
  expect(await store.acquisition(claimed.id)).toMatchObject({ state: "completed", progress: 100 });
});

it("lets nobody else work on its home", async () => {
  await using folder = await temporaryFolder();
  const options = { home: folder.path, lake: join(folder.path, "lake") };
  await using _ = await acquisition.openAcquisitions(options);
  await expect(acquisition.openAcquisitions(options)).rejects.toMatchObject({ code: "HOME_IN_USE" });
});

it("ends what nobody answers for any more", async () => {
  await using folder = await temporaryFolder();
  const clock = createManualClock(1_000_000);
  const options = { home: folder.path, lake: join(folder.path, "lake"), policy: { startTimeoutMs: 5_000 }, clock };
  await using acquisitions = await acquisition.openAcquisitions(options);
  const taskId = await addTask(acquisitions);
  const { id } = await acquisitions.ledger.claim({ taskId, deviceId: DEVICE, isTriggered: false });
  expect(await acquisitions.sweep()).toEqual([]);
  await clock.advance(5_001);
  expect(await acquisitions.sweep()).toMatchObject([{ id }]);
  expect(await acquisitions.store.acquisition(id)).toMatchObject({ state: "canceled", code: "SCAN_DEVICE_SILENT" });
});
