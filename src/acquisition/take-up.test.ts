import { expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import { createLedger } from "./ledger.ts";
import { recover, sweep } from "./recover.ts";
import {
  acquiring,
  announced,
  dyingAt,
  filesBelow,
  HDF5_BYTES,
  openScanSite,
  type ScanSite,
  type ScanSiteParts,
} from "./rehearsal.testing.ts";
import { releaseTransfer } from "./take-up.ts";
import { createUploads } from "./uploads.ts";

interface Outage {
  /** What is away: methods of the exam manager, the store or the lake, and what each call of them fails with. */
  readonly away: Map<string, ErrorCode>;
  readonly through: (parts: ScanSiteParts) => ScanSiteParts;
}

function outage(): Outage {
  const away = new Map<string, ErrorCode>();
  const guarded = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== "function") return value;
        return (...given: readonly unknown[]) => {
          const code = away.get(String(name));
          return code === undefined ? Reflect.apply(value, object, given) : Promise.reject(new GatewayError(code));
        };
      },
    });
  return {
    away,
    through: ({ store, exams, lake }) => ({ store: guarded(store), exams: guarded(exams), lake: guarded(lake) }),
  };
}

type Acquiring = Awaited<ReturnType<typeof acquiring>>;

async function send(site: Pick<ScanSite, "uploads">, to: Acquiring, facts: Parameters<typeof announced>[1] = {}) {
  const begun = await site.uploads.begin(to, announced(HDF5_BYTES, { parameter: "{}", ...facts }));
  if (begun.kind === "have") return begun.file;
  await begun.upload.write(Uint8Array.from(HDF5_BYTES));
  return await begun.upload.finish();
}

/** Time goes on, and what waits is looked after each second. */
async function pass(site: ScanSite, seconds: number, eachMs = 1_000): Promise<void> {
  for (let atMs = 0; atMs < seconds * 1_000; atMs += eachMs) {
    await site.clock.advance(eachMs);
    await sweep(site.ledger, site.uploads);
  }
}

/** While somebody waits for it, time goes on. */
async function inTime<T>(site: ScanSite, work: Promise<T>): Promise<T | GatewayError> {
  let isDone = false;
  const ended = work.catch((thrown: unknown) => thrown as GatewayError).finally(() => (isDone = true));
  while (!isDone) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (site.clock.sleeping > 0) await site.clock.advance(500);
  }
  return await ended;
}

async function expectOneFile(site: ScanSite, { id, taskId }: Acquiring, state = "completed"): Promise<void> {
  expect(await site.store.acquisition(id)).toMatchObject({ state });
  const results = await site.store.scanResults(taskId);
  expect(results).toMatchObject([{ type: "MRD", files: ["scan.mrd", "device_parameter.json"] }]);
  expect(await filesBelow(site.lake.path)).toHaveLength(2);
  expect(await site.store.openTransfers(1)).toEqual([]);
  if (state === "completed") expect(await site.store.scanTask(taskId)).toMatchObject({ status: "FINISHED" });
}

it.each([
  ["the result cannot be set", "setResult", "SCANHUB_UNREACHABLE"],
  ["the exam-manager's database is away", "setResult", "SCANHUB_REFUSED"],
  ["the file cannot get its name", "commit", "SCAN_LAKE_UNAVAILABLE"],
  ["its parameters find no room", "writeParameter", "SCAN_LAKE_FULL"],
  ["nothing can be written down", "changeTransfer", "STORE_UNAVAILABLE"],
] as const)("keeps a whole file while %s, and publishes it as soon as that is over", async (_, method, code) => {
  const { away, through } = outage();
  await using site = await openScanSite({ through });
  const acquisition = await acquiring(site, 100);
  const begun = await site.uploads.begin(acquisition, announced(HDF5_BYTES, { parameter: "{}" }));
  if (begun.kind !== "receive") throw new Error("nothing was sent before");
  await begun.upload.write(Uint8Array.from(HDF5_BYTES));
  away.set(method, code);
  expect(await inTime(site, begun.upload.finish())).toMatchObject({ code: "SCAN_FILE_WAITS" });
  await pass(site, 600, 10_000);
  expect(await site.store.acquisition(acquisition.id)).toMatchObject({ state: "acquiring" });
  expect(await site.store.scanTask(acquisition.taskId)).toMatchObject({ status: "INPROGRESS" });
  away.clear();
  await pass(site, 330, 10_000);
  await expectOneFile(site, acquisition);
  const events = (await site.store.acquisitionEvents(acquisition.id)).map(({ event }) => event);
  expect(events.slice(-2)).toEqual(["file-published", "completed"]);
});

it("answers a device that sends a waiting file again with its result, and makes no second one", async () => {
  const { away, through } = outage();
  await using site = await openScanSite({ through });
  const acquisition = await acquiring(site, 100);
  away.set("setResult", "SCANHUB_UNREACHABLE");
  expect(await inTime(site, send(site, acquisition))).toMatchObject({ code: "SCAN_FILE_WAITS" });
  expect(await inTime(site, send(site, acquisition))).toMatchObject({ code: "SCAN_FILE_WAITS" });
  away.clear();
  const [transfer] = await site.store.transfersOf(acquisition.id);
  expect(await send(site, acquisition)).toMatchObject({ transferId: transfer?.id, resultId: transfer?.resultId });
  await expectOneFile(site, acquisition);
});

it("waits longer each time, five minutes at most, and gives up after a week; the next start tries again", async () => {
  const { away, through } = outage();
  await using site = await openScanSite({ through });
  const acquisition = await acquiring(site, 100);
  away.set("setResult", "SCANHUB_UNREACHABLE");
  await inTime(site, send(site, acquisition));
  const triedAtMs: number[] = [];
  const { exams } = site.ledger.world;
  const asked = exams.setResult.bind(exams);
  const counting = {
    ...site.ledger,
    world: {
      ...site.ledger.world,
      exams: {
        ...exams,
        setResult: (...given: Parameters<typeof asked>) => {
          triedAtMs.push(site.clock.nowMs());
          return asked(...given);
        },
      },
    },
  };
  for (let second = 0; second < 1_500; second += 1) {
    await site.clock.advance(1_000);
    await sweep(counting, site.uploads);
  }
  const waits = triedAtMs.map((atMs, index) => Math.round((atMs - (triedAtMs[index - 1] ?? atMs)) / 1_000));
  expect(waits).toEqual([0, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  await pass(site, 8 * 86_400, 86_400_000);
  expect(await site.store.transfersOf(acquisition.id)).toMatchObject([{ state: "stuck", code: "SCANHUB_UNREACHABLE" }]);
  expect(await site.store.acquisition(acquisition.id)).toMatchObject({
    state: "canceled",
    code: "SCANHUB_UNREACHABLE",
  });
  away.clear();
  await recover(site.ledger);
  await expectOneFile(site, acquisition, "canceled");
});

it("publishes what got stuck once a person releases it, without another start", async () => {
  const { away, through } = outage();
  await using site = await openScanSite({ through });
  const acquisition = await acquiring(site);
  away.set("setResult", "SCAN_RESULT_NOT_FOUND");
  await expect(send(site, acquisition)).rejects.toMatchObject({ code: "SCAN_RESULT_NOT_FOUND" });
  away.clear();
  await sweep(site.ledger, site.uploads);
  const [stuck] = await site.store.transfersOf(acquisition.id);
  if (stuck?.state !== "stuck") throw new Error("it is not stuck");
  expect(await releaseTransfer(site.store, stuck, site.clock.nowMs())).toBe(true);
  await sweep(site.ledger, site.uploads);
  expect(await site.store.transfersOf(acquisition.id)).toMatchObject([{ state: "published" }]);
  expect(await releaseTransfer(site.store, stuck, site.clock.nowMs())).toBe(false);
});

it("takes a file anew whose result was deleted meanwhile: the first one is kept beside it", async () => {
  const { away, through } = outage();
  await using site = await openScanSite({ through });
  const acquisition = await acquiring(site);
  await send(site, acquisition, { fileName: "before.mrd" });
  away.set("setResult", "SCAN_RESULT_NOT_FOUND");
  await expect(send(site, acquisition)).rejects.toMatchObject({ code: "SCAN_RESULT_NOT_FOUND" });
  expect(await site.store.transfersOf(acquisition.id)).toMatchObject([{}, { state: "stuck" }]);
  away.clear();
  await send(site, acquisition);
  expect(await site.store.transfersOf(acquisition.id)).toMatchObject([{}, { state: "stuck" }, { state: "published" }]);
});

it("starts though the exam-manager does not answer, and takes everything up when it does", async () => {
  const { away, through } = outage();
  await using site = await openScanSite({ through });
  const whole = await acquiring(site, 100);
  away.set("setResult", "SCANHUB_UNREACHABLE");
  await inTime(site, send(site, whole));
  const half = await acquiring(site, 100);
  await site.uploads.begin(half, announced(HDF5_BYTES));
  const blank = await acquiring(site, 100);
  await site.store.addTransfer(
    {
      id: "blank",
      acquisitionId: blank.id,
      fileName: "a",
      sizeBytes: 9,
      declaredSha256: undefined,
      parameter: undefined,
    },
    site.clock.nowMs(),
  );
  const ended = await acquiring(site);
  await site.store.changeAcquisition(ended, { state: "aborting", code: "SCAN_DEVICE_FAILED" }, site.clock.nowMs());
  const methods = ["task", "setTask", "createBlankResult", "blankResultOf", "setResult", "deleteBlankResult"];
  for (const method of methods) away.set(method, "SCANHUB_UNREACHABLE");
  await recover(site.ledger);
  // Of another process: nothing is live here.
  const uploads = { isLive: () => false };
  const passing = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await site.clock.advance(60_000);
      await sweep(site.ledger, uploads);
    }
  };
  await passing(10);
  for (const { id } of [whole, half, blank, ended])
    expect((await site.store.acquisition(id))?.state).toMatch(/^acquiring$|^aborting$/);
  away.clear();
  await passing(20);
  await expectOneFile(site, whole);
  for (const { id, taskId } of [half, blank, ended]) {
    expect(await site.store.acquisition(id)).toMatchObject({ state: "canceled" });
    expect(await site.store.scanTask(taskId)).toMatchObject({ status: "ERROR" });
    expect(await site.store.scanResults(taskId)).toEqual([]);
  }
  expect(await site.lake.staged()).toEqual([]);
});

it("takes up every open transfer, however many there are, and discards what none of them has staged", async () => {
  const { away, through } = outage();
  await using site = await openScanSite({ through });
  const { store, clock, lake } = site;
  const many = await acquiring(site);
  const facts = { acquisitionId: many.id, sizeBytes: 1, declaredSha256: undefined, parameter: undefined };
  for (let number = 0; number < 1_000; number += 1) {
    await store.addTransfer({ id: `t${number}`, fileName: `${number}`, ...facts }, clock.nowMs());
  }
  const last = await acquiring(site, 100);
  away.set("commit", "SCAN_LAKE_UNAVAILABLE");
  await inTime(site, send(site, last));
  await (await lake.begin("nobody")).finish();
  away.clear();
  await clock.advance(60_000);
  await recover(site.ledger);
  expect(await lake.staged()).toEqual([]);
  await expectOneFile(site, last);
});

it("ends the task of a device that announces one file and says no more, wherever the process died", async () => {
  await using site = await openScanSite({ policy: { finishWithoutData: "finished" } });
  const { store, clock, ledger } = site;
  const outcomes = new Set<string>();
  for (let last = 1, isThrough = false; !isThrough; last += 1) {
    expect(last).toBeLessThan(100);
    const acquisition = await acquiring(site);
    const dying = dyingAt(last);
    const other = createLedger({ ...ledger.world, ...dying.through(ledger.world) });
    const sent = send({ ...site, uploads: createUploads(other) }, acquisition, { isLast: true }).then(() => true);
    isThrough = await Promise.race([sent, dying.died.then(() => false)]);
    await recover(ledger);
    for (let minute = 0; minute < 5; minute += 1) {
      // The device is there all the time, and idle.
      await store.renewAcquisitionsOf(acquisition.deviceId, clock.nowMs() + 120_000);
      await clock.advance(60_000);
      await sweep(ledger, site.uploads);
    }
    const isAnnounced = (await store.transfersOf(acquisition.id)).length > 0;
    const state = (await store.acquisition(acquisition.id))?.state;
    outcomes.add(
      `${isAnnounced ? "announced" : "unheard"}: ${state}, ${(await store.scanResults(acquisition.taskId)).length}`,
    );
    if (!isAnnounced) await ledger.abort(acquisition.id, "SCAN_CANCELLED");
  }
  expect([...outcomes].sort()).toEqual(["announced: canceled, 0", "announced: completed, 1", "unheard: acquiring, 0"]);
});

it("gives a device that was cut off in the midst of its last file the whole grace, after a restart too", async () => {
  await using site = await openScanSite({ policy: { quietPeriodMs: 10_000, disconnectGraceMs: 120_000 } });
  const { clock, ledger } = site;
  const acquisition = await acquiring(site, 100);
  const begun = await site.uploads.begin(acquisition, announced(HDF5_BYTES, { parameter: "{}" }));
  if (begun.kind === "receive") await begun.upload.abort("SCAN_TRANSFER_CUT");
  await pass(site, 100, 10_000);
  await clock.advance(600_000);
  await recover(ledger);
  await pass(site, 100, 10_000);
  await send(site, acquisition);
  await expectOneFile(site, acquisition);
});

it("calls a task whose only file was cut off no task without data", async () => {
  await using site = await openScanSite({ policy: { finishWithoutData: "finished" } });
  const acquisition = await acquiring(site, 100);
  const begun = await site.uploads.begin(acquisition, announced(HDF5_BYTES));
  if (begun.kind === "receive") await begun.upload.abort("SCAN_TRANSFER_CUT");
  await pass(site, 300, 60_000);
  expect(await site.store.acquisition(acquisition.id)).toMatchObject({ state: "canceled", code: "SCAN_TRANSFER_CUT" });
  expect(await site.store.scanTask(acquisition.taskId)).toMatchObject({ status: "ERROR" });
});
