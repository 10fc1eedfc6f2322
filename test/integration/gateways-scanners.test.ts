import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { type PostgresServer, startPostgres } from "../peers/postgres.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { makeTwoGateways, type TwoGateways } from "../support/two-gateways.ts";

const WAIT = { timeout: 40_000, interval: 100 };
const TASK = "task-1";
const TRANSFER = "transfer-1";
const HOUR_MS = 3_600_000;

/** A scanner's acquisition that is under way, with a file of which some bytes have come. */
async function beginTransfer({ store }: TwoGateways, lake: string): Promise<void> {
  const nowMs = Date.now();
  const facts = { workflowId: undefined, deviceId: undefined, isTemplate: false, progress: 0, fields: "{}" };
  await store.addScanTask({ id: TASK, status: "NEW", creator: "ada", wantedAtMs: undefined, ...facts }, nowMs);
  const claim = { id: "acquisition-1", origin: "local", taskId: TASK, upsUid: "2.25.1", transactionUid: "2.25.2" };
  const device = { deviceId: "mr-1", previousStatus: "NEW", leaseMs: HOUR_MS } as const;
  const none = { workflowId: undefined, tokenHash: undefined, parameter: undefined };
  const acquisition = await store.claimAcquisition({ ...claim, ...device, ...none }, nowMs);
  if (acquisition === undefined) throw new Error("the task was taken");
  for (const state of ["started", "acquiring"] as const)
    await store.changeAcquisition(acquisition, { state, leaseUntilMs: nowMs + HOUR_MS }, nowMs);
  const file = { fileName: "scan.h5", sizeBytes: 100, declaredSha256: undefined, parameter: undefined };
  await store.addTransfer({ id: TRANSFER, acquisitionId: acquisition.id, ...file }, nowMs);
  await store.changeTransfer(TRANSFER, { state: "receiving" }, nowMs);
  await mkdir(join(lake, ".radferry-staging"), { recursive: true });
  await writeFile(join(lake, ".radferry-staging", `${TRANSFER}.part`), "some of it");
}

describe.runIf(requirePeer("initdb"))("scanners of two gateways with one lake on one PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  it("are one gateway's at a time: what is under way there is left alone, and taken up once when another one goes on", async () => {
    await using opened = new AsyncDisposableStack();
    const ports = { north: await freePort(), east: await freePort() };
    const archives = [{ name: "scanners", kind: "folder", path: "." }];
    const two = opened.use(
      await makeTwoGateways(server, async (_ports, folder) => {
        const environmentFile = join(folder, "scanhub.env");
        const lake = join(folder, "lake");
        await mkdir(lake);
        await writeFile(environmentFile, `DATA_LAKE_DIRECTORY=${lake}\n`, { mode: 0o600 });
        return {
          archives: archives.map((archive) => ({ ...archive, path: lake })),
          each: (name) => ({
            compat: { scanhub: { host: "127.0.0.1", port: ports[name], environmentFile } },
          }),
        };
      }),
    );
    const lake = join(two.folder, "lake");
    const answers = (port: number): Promise<boolean> =>
      fetch(`http://127.0.0.1:${port}/api/v1/device/health/readiness`).then(
        ({ ok }) => ok,
        () => false,
      );
    const device = { id: "mr-1", name: "MR 1", description: "", status: "ONLINE", tokenHash: "00" } as const;
    const north = await two.open("north");
    await vi.waitFor(async () => expect(await answers(ports.north)).toBe(true), WAIT);
    await two.store.addScanDevice(device, Date.now());
    await beginTransfer(two, lake);

    opened.use(await two.open("east"));
    expect(two.lines).toContain("east face waits for its turn");
    expect(await answers(ports.east)).toBe(false);
    expect(await two.store.transfer(TRANSFER)).toMatchObject({ state: "receiving" });
    expect(await readdir(join(lake, ".radferry-staging"))).toEqual([`${TRANSFER}.part`]);
    expect(await two.store.scanDevice(device.id)).toMatchObject({ status: "ONLINE" });

    await north[Symbol.asyncDispose]();
    await vi.waitFor(async () => expect(await answers(ports.east)).toBe(true), WAIT);
    expect(await two.store.transfer(TRANSFER)).toMatchObject({ state: "aborted", code: "SCAN_TRANSFER_CUT" });
    expect(await readdir(join(lake, ".radferry-staging"))).toEqual([]);
    expect(await two.store.scanDevice(device.id)).toMatchObject({ status: "OFFLINE" });
    expect(two.lines.filter((line) => line.includes("transfers of a process that ended"))).toHaveLength(1);

    opened.use(await two.open("north"));
    expect(await answers(ports.north)).toBe(false);
    expect(two.lines.filter((line) => line.includes("transfers of a process that ended"))).toHaveLength(1);
  }, 90_000);
});
