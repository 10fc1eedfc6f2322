import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { deliveryOf, PSEUDONYM, SERIES, STUDY } from "../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { ENGINE } from "../deid/engine-version.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { KeptFile, SharedManifest } from "../staging/shared-outbox.ts";
import { reportedFiles } from "../staging/study-folder-report.ts";
import type { JobChange, LedgerEntry } from "../store/records.ts";
import { packJson } from "../units/packed-json.ts";
import { sweepSharedOutbox, takeUpShared } from "./shared-copies.ts";
import type { StepContext } from "./step.ts";

const report = { profile: { hash: "p1" }, keyId: "k1", engine: ENGINE };

interface Otherwise {
  /** What the settings are now, where they are others than the study was made with. */
  readonly project?: object;
  readonly told?: object;
  readonly manifest?: (manifest: SharedManifest) => SharedManifest;
  readonly ledger?: (entries: readonly Partial<LedgerEntry>[]) => readonly Partial<LedgerEntry>[];
  readonly job?: object;
  readonly store?: "down";
  /** Whether the originals are still staged. */
  readonly isStaged?: boolean;
}

/** Takes up a study of two copies that was made ready elsewhere; the copies that were fetched, and what became of the bucket. */
async function takeUp(of: Otherwise = {}) {
  await using folder = await temporaryFolder();
  const { files } = await deliveryOf(folder.path, 2);
  const paths = new Map(files.map(({ sha256, path }) => [sha256, path]));
  const manifest: SharedManifest = { instances: [...reportedFiles(files)], attached: [] };
  const packed = await packJson({ ...report, files: manifest.instances, ...of.told });
  const entries = files.map(({ sopInstanceUid, sha256 }, index) => ({
    ...{ sopInstanceUid: `1.2.${index}`, pseudoSopInstanceUid: sopInstanceUid, sha256 },
    ...{ receivedAtMs: 1, deidentifiedAtMs: 2 },
  }));
  const outbox = join(folder.path, "outbox", "job-1");
  await mkdir(outbox, { recursive: true });
  await writeFile(join(outbox, "0.dcm"), "of an earlier try");
  const written: JobChange[] = [];
  const fetched: string[] = [];
  const removed: string[] = [];
  const sharedOutbox = {
    async manifest() {
      if (of.store === "down") throw new GatewayError("SHARED_STAGING_UNAVAILABLE");
      return of.manifest?.(manifest) ?? manifest;
    },
    async fetch(_: string, { sha256 }: KeptFile, path: string) {
      fetched.push(sha256);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, await readFile(paths.get(sha256) ?? ""));
    },
    remove: async (job: string) => void removed.push(job),
    downSinceMs: () => 0,
  };
  const context = {
    services: {
      sharedOutbox,
      store: { studyReport: async () => ({ packed }), ledger: async () => of.ledger?.(entries) ?? entries },
      staging: { list: async () => (of.isStaged === true ? entries : []) },
      outbox: { folderOf: () => outbox },
      clock: { nowMs: () => 1_000 },
      retry: { attempts: 3, firstDelayMs: 1, maximumDelayMs: 60_000 },
    },
    project: { name: "trial", profile: { hash: "p1" }, keyId: "k1", ...of.project },
    job: {
      ...{ id: "job-1", stage: "delivering", studyInstanceUid: "1.2.3" },
      ...{ pseudonym: PSEUDONYM, pseudoStudyInstanceUid: STUDY, ...of.job },
    },
    signal: new AbortController().signal,
    write: async (change: JobChange) => void written.push(change),
  } as unknown as StepContext;
  const taken = await takeUpShared(context);
  const events = written.flatMap((change) => change.events ?? []).map(({ event }) => event);
  return { taken, events, fetched: fetched.length, removed, left: (await readdir(outbox)).length };
}

it("delivers what another gateway made ready, and nothing of an earlier try", async () => {
  const { taken, events, left } = await takeUp();
  expect(taken).toMatchObject({ delivery: { pseudonym: PSEUDONYM, studyInstanceUid: STUDY, files: [{}, {}] } });
  expect([events, left]).toEqual([["taken up from the shared store"], 2]);
});

it.each([
  ["by another profile", { project: { profile: { hash: "p2" } } }],
  ["by another key", { project: { keyId: "k2" } }],
  ["by another engine", { told: { engine: "0" } }],
  ["without the hook that there is now", { project: { hook: {} } }],
])("makes a study anew that was made %s", async (_, of) => {
  expect(await takeUp(of)).toMatchObject({ taken: undefined, fetched: 0, removed: [] });
});

it.each<readonly [string, Otherwise]>([
  ["names fewer than the report", { manifest: ({ instances }) => ({ instances: instances.slice(1), attached: [] }) }],
  ["names a file that no hook made", { manifest: ({ instances }) => ({ instances, attached: instances.slice(0, 1) }) }],
  [
    "lacks what is accounted for",
    { ledger: (entries) => [...entries, { deidentifiedAtMs: 2, sopInstanceUid: "1.2.9" }] },
  ],
  ["has what was left out since", { ledger: ([first, ...others]) => [{ ...first, excludedAtMs: 3 }, ...others] }],
  ["has copies that are of another study", { job: { pseudoStudyInstanceUid: `${SERIES}.9` } }],
  ["has copies of other sums", { ledger: ([first, ...others]) => [{ ...first, sha256: "ab" }, ...others] }],
])("believes no bucket that %s, and has it removed", async (_, of) => {
  const outcome = await takeUp(of);
  expect(outcome).toMatchObject({ taken: undefined, events: ["shared copy cannot be used"], removed: ["job-1"] });
});

it("waits for a store that is down only where the study cannot be made anew from here", async () => {
  const paused = { end: { kind: "pause", code: "SHARED_STAGING_UNAVAILABLE" } };
  expect((await takeUp({ store: "down" })).taken).toMatchObject(paused);
  expect((await takeUp({ store: "down", isStaged: true })).taken).toBeUndefined();
});

it("sweeps what nobody needs: of jobs that are done, gone, or part of another by now", async () => {
  const removed: string[] = [];
  const jobs = ["done", "gone", "merged", "running"];
  const store = {
    async job(id: string) {
      if (id === "gone") throw new GatewayError("JOB_NOT_FOUND");
      return { id: id === "merged" ? "other" : id, state: id === "done" ? "delivered" : "running" };
    },
  };
  const sharedOutbox = { jobs: async () => jobs, remove: async (job: string) => void removed.push(job) };
  const parts = { store, sharedOutbox } as unknown as Parameters<typeof sweepSharedOutbox>[0];
  expect(await sweepSharedOutbox(parts, new AbortController().signal)).toBe(3);
  expect(removed).toEqual(["done", "gone", "merged"]);
});
