import { readFile } from "node:fs/promises";
import { expect, it, vi } from "vitest";
import { addTask, DEVICE, openScanSite, type ScanSite } from "../../../acquisition/rehearsal.testing.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { silentLogger } from "../../../units/logger.ts";
import { tokenHash } from "../tokens.ts";
import { createIncomingFiles } from "./incoming-file.ts";

const TOKEN = "of this attempt";
const MEBIBYTE = 1024 * 1024;

/** A connection on which a device announced a file, without a sum of it. */
async function announcing(site: ScanSite, sizeBytes: number) {
  const { store, ledger, uploads } = site;
  const taskId = await addTask(store);
  const claimed = await ledger.claim({ taskId, deviceId: DEVICE, isTriggered: true, tokenHash: tokenHash(TOKEN) });
  await ledger.progressed(claimed, 50);
  const said: { message?: string }[] = [];
  const work: Promise<void>[] = [];
  const files = createIncomingFiles({
    world: { store, ledger, uploads, logger: silentLogger, settings: { idleMs: 60_000 } },
    device: { id: DEVICE },
    say: (message) => said.push(message),
    follow: (each) => work.push(each),
  });
  const file = { task_id: taskId, user_access_token: TOKEN, filename: "scan.bin", size_bytes: sizeBytes };
  await files.announce({ ...file, device_parameter: {} });
  return { files, said, work, claimed };
}

it("holds the device back until the last piece of a file is taken too: its memory is read into again", async () => {
  await using site = await openScanSite();
  const bytes = Buffer.from(Array.from({ length: 5 * MEBIBYTE }, (_, index) => (index * 31) & 0xff));
  const { files, said, work } = await announcing(site, bytes.length);
  const pieces = [bytes.subarray(0, 3 * MEBIBYTE), bytes.subarray(3 * MEBIBYTE)].map((piece) => Buffer.from(piece));
  for (const piece of pieces) {
    const taking = files.take(piece);
    if (taking !== undefined) await taking;
    piece.fill(0);
  }
  await Promise.all(work);
  const path = said.at(-1)?.message?.replace(/^.*datalake: /, "") ?? "";
  expect(bytes.equals(await readFile(path))).toBe(true);
});

it("takes a file back whose last piece finds no room on the disk, and tells the device so", async () => {
  await using site = await openScanSite({
    through: (parts) => ({
      ...parts,
      lake: {
        ...parts.lake,
        async begin(transferId) {
          const file = await parts.lake.begin(transferId);
          const full = () => Promise.reject(new GatewayError("SCAN_LAKE_FULL"));
          return { ...file, write: full, finish: full };
        },
      },
    }),
  });
  const { files, said, work, claimed } = await announcing(site, 10);
  await files.take(Buffer.alloc(10));
  await Promise.allSettled(work);
  const [transfer] = await site.store.transfersOf(claimed.id);
  expect(transfer).toMatchObject({ state: "aborted", code: "SCAN_LAKE_FULL" });
  expect(site.uploads.isLive(transfer?.id ?? "")).toBe(false);
  expect(said).toEqual([{ command: "feedback", message: new GatewayError("SCAN_LAKE_FULL").message }]);
  await vi.waitFor(async () => expect(await site.store.acquisition(claimed.id)).toMatchObject({ state: "canceled" }));
});

it("does not take it for the device's silence that the disk holds it back for long", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const disk = Promise.withResolvers<void>();
  try {
    await using site = await openScanSite({
      through: (parts) => ({
        ...parts,
        lake: {
          ...parts.lake,
          async begin(transferId) {
            const file = await parts.lake.begin(transferId);
            return { ...file, write: (chunk) => disk.promise.then(() => file.write(chunk)) };
          },
        },
      }),
    });
    const { files, said, work } = await announcing(site, 10);
    const held = files.take(Buffer.alloc(5));
    vi.advanceTimersByTime(10 * 60_000);
    disk.resolve();
    await held;
    await files.take(Buffer.alloc(5));
    await Promise.all(work);
    expect(said).toMatchObject([{ message: expect.stringContaining("saved to datalake") }]);
    // The device's own silence counts from there on.
    const next = await announcing(site, 10);
    await next.files.take(Buffer.alloc(5));
    vi.advanceTimersByTime(60_001);
    await Promise.all(next.work);
    expect(next.said).toMatchObject([{ message: "Incomplete file received (5/10 bytes)." }]);
  } finally {
    vi.useRealTimers();
  }
});
