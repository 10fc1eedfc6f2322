import { expect, it } from "vitest";
import { acquiring, announced, filesBelow, HDF5_BYTES, openScanSite, type ScanSite } from "./rehearsal.testing.ts";
import { removeOld } from "./retention.ts";

const DAY_MS = 86_400_000;

async function measure(site: ScanSite) {
  const acquisition = await acquiring(site, 100);
  const begun = await site.uploads.begin(acquisition, announced(HDF5_BYTES, { parameter: "{}" }));
  if (begun.kind === "have") return begun.file;
  await begun.upload.write(Uint8Array.from(HDF5_BYTES));
  return { ...(await begun.upload.finish()), acquisition };
}

it("takes files out of the lake when their time is over, and has their results say so", async () => {
  await using site = await openScanSite({ policy: { retentionMs: 2 * DAY_MS } });
  const old = await measure(site);
  await site.clock.advance(1.5 * DAY_MS);
  const young = await measure(site);
  expect(await removeOld(site.ledger)).toBe(0);
  await site.clock.advance(DAY_MS);
  expect(await removeOld(site.ledger)).toBe(1);
  expect(await removeOld(site.ledger)).toBe(0);
  const files = await filesBelow(site.lake.path);
  expect(files.every((path) => path.includes(young.resultId))).toBe(true);
  expect(files).toHaveLength(2);
  const result = await site.store.scanResult(old.resultId);
  expect(result).toMatchObject({ type: "MRD", files: [] });
  expect(JSON.parse(result?.meta ?? "")).toMatchObject({
    gateway: { is_removed: true, sha256: old.sha256, content_type: "application/x-ismrmrd+hdf5" },
  });
  expect(await site.store.transfer(old.transferId)).toMatchObject({ state: "removed" });
});

it("removes the file of a result that somebody deleted", async () => {
  await using site = await openScanSite({ policy: { retentionMs: DAY_MS } });
  const { resultId } = await measure(site);
  await site.store.removeScanResult(resultId);
  await site.clock.advance(DAY_MS + 1);
  expect(await removeOld(site.ledger)).toBe(1);
  expect(await filesBelow(site.lake.path)).toEqual([]);
});

it("keeps files for ever unless told", async () => {
  await using site = await openScanSite();
  await measure(site);
  await site.clock.advance(10_000 * DAY_MS);
  expect(await removeOld(site.ledger)).toBe(0);
});

it("refuses a file with which its device would have too much in the lake", async () => {
  await using site = await openScanSite({
    policy: { maximumDeviceBytes: 1.5 * HDF5_BYTES.length, retentionMs: DAY_MS },
  });
  await measure(site);
  await expect(measure(site)).rejects.toMatchObject({ code: "SCAN_DEVICE_QUOTA" });
  await site.clock.advance(DAY_MS + 1);
  await removeOld(site.ledger);
  await measure(site);
  expect(await filesBelow(site.lake.path)).toHaveLength(2);
});
