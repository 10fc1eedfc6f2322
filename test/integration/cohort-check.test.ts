import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { CheckedStudy } from "../../src/operations/check/documents.ts";
import type { CheckDocument } from "../../src/operations/inquiries.ts";
import { type SyntheticInstance, syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ct = { modality: "CT", rows: 4, columns: 4 } as const;
/** The first study has one instance more in the end than at first. */
const WHOLE = syntheticStudy({ ...ct, seed: 91, instancesPerSeries: 4 });
const OTHER = syntheticStudy({ ...ct, seed: 92, instancesPerSeries: 2 });
const [LATER, ...FIRST] = WHOLE.instances;

const opened = new AsyncDisposableStack();
let site: ApiSite;
let folder = "";
let cohort = "";

async function put(instance: SyntheticInstance | undefined): Promise<void> {
  if (instance === undefined) throw new Error("no such instance");
  await writeFile(join(folder, "archive", `${instance.sopInstanceUid}.dcm`), instance.file);
}

beforeAll(async () => {
  folder = opened.use(await temporaryFolder()).path;
  await mkdir(join(folder, "archive"));
  for (const instance of [...FIRST, ...OTHER.instances]) await put(instance);
  await writeFile(join(folder, "key"), `${"1".repeat(64)}\n`, { mode: 0o600 });
  site = opened.use(
    await openApiSite({
      settings: {
        archives: [{ name: "disk", kind: "folder", path: join(folder, "archive") }],
        destinations: [{ name: "store", kind: "folder", path: join(folder, "store") }],
        projects: [
          {
            name: "lung",
            archives: ["disk"],
            destinations: ["store"],
            profile: "research",
            keyFile: join(folder, "key"),
          },
        ],
      },
    }),
  );
  const body = `study_instance_uid\n${WHOLE.studyInstanceUid}\n${OTHER.studyInstanceUid}\n`;
  const submitted = await site.call("POST", "/cohorts?project=lung", { body, headers: { "content-type": "text/csv" } });
  cohort = String((submitted.json as { readonly cohort?: string }).cohort);
  await delivered();
});
afterAll(() => opened.disposeAsync());

async function delivered(): Promise<void> {
  const { operations } = site.service.gateway;
  await vi.waitFor(
    async () => expect(await operations.cohortStatus(cohort)).toMatchObject({ done: true, states: { delivered: 2 } }),
    { timeout: 30_000, interval: 50 },
  );
}

async function check(queue: boolean) {
  const begun = await site.call("POST", `/cohorts/${cohort}/check`, { body: { queue } });
  expect(begun.status).toBe(202);
  const { id } = begun.json as CheckDocument;
  const { summary } = await vi.waitFor(
    async () => {
      const { json } = await site.call("GET", `/inquiries/${id}`);
      expect(json).toMatchObject({ kind: "check", state: "done" });
      return json as CheckDocument;
    },
    { timeout: 30_000, interval: 20 },
  );
  const { json } = await site.call("GET", `/inquiries/${id}/items`);
  return { summary, studies: (json as { readonly items: readonly CheckedStudy[] }).items };
}

async function deliveredFiles(): Promise<readonly string[]> {
  const files = await readdir(join(folder, "store", "lung"), { recursive: true });
  return files
    .filter((name) => name.endsWith(".dcm"))
    .map((name) => join(folder, "store", "lung", name))
    .sort();
}

it("finds every study as it was while nothing has changed", async () => {
  const { summary, studies } = await check(true);
  expect(summary).toMatchObject({ studies: 2, verdicts: { same: 2 }, later: 0, queued: 0 });
  expect(studies[0]).toMatchObject({
    number: 1,
    verdict: "same",
    archive: { name: "disk", later: 0, vanished: 0, code: null },
    destinations: [{ name: "store", proof: "sha256", expected: 3, present: 3, vanished: 0, differing: 0, code: null }],
  });
});

it("finds a file that is gone and a byte that is another, and has them delivered again", async () => {
  const before = await deliveredFiles();
  const [gone = "", changed = ""] = before;
  const content = await readFile(changed);
  const whole = await readFile(gone);
  await rm(gone);
  const last = content.length - 1;
  await writeFile(changed, Buffer.concat([content.subarray(0, last), Buffer.from([content.readUInt8(last) ^ 1])]));

  const seen = await check(false);
  expect(seen.summary).toMatchObject({ vanishedFromDestinations: 1, differing: 1, queued: 0 });
  expect(seen.studies.map(({ verdict }) => verdict)).toContain("delivery-differs");

  const { summary, studies } = await check(true);
  expect(summary?.queued).toBe(studies.filter(({ queued }) => queued).length);
  expect(summary?.queued).toBeGreaterThan(0);
  await delivered();
  expect(await deliveredFiles()).toEqual(before);
  expect(await readFile(gone)).toEqual(whole);
  expect(await readFile(changed)).toEqual(content);
  expect((await check(false)).summary).toMatchObject({ verdicts: { same: 2 } });
  const trail = await site.service.gateway.operations.readAudit({ limit: 100 });
  expect(trail.filter(({ event }) => event === "study-mended")).toHaveLength(summary?.queued ?? 0);
});

it("finds what came to the archive later, and delivers it beside the rest", async () => {
  const before = await deliveredFiles();
  await put(LATER);
  const { summary, studies } = await check(true);
  expect(summary).toMatchObject({ verdicts: { "archive-has-more": 1, same: 1 }, later: 1, queued: 1 });
  await delivered();
  expect(await deliveredFiles()).toHaveLength(before.length + 1);
  const { operations } = site.service.gateway;
  const { events } = await operations.showStudy(studies.find(({ queued }) => queued)?.job ?? "");
  expect(events).toContainEqual(
    expect.objectContaining({
      event: "queued again",
      detail: expect.objectContaining({ reason: "archive-has-more", later: 1 }),
    }),
  );
});

it("tells what the archive no longer has, and does not touch its delivery", async () => {
  const [lost] = OTHER.instances;
  await rm(join(folder, "archive", `${lost?.sopInstanceUid}.dcm`));
  const { summary } = await check(true);
  expect(summary).toMatchObject({ verdicts: { "archive-has-less": 1, same: 1 }, vanishedFromArchive: 1, queued: 0 });
  await put(lost);
});
