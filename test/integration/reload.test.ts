import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import type { ReloadDocument } from "../../src/operations/documents.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { type SyntheticInstance, syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const STUDY = syntheticStudy({ seed: 81, modality: "CT", rows: 4, columns: 4, instancesPerSeries: 3 });
const OTHER = syntheticStudy({ seed: 82, modality: "CT", rows: 4, columns: 4, instancesPerSeries: 2 });
const CSV = { "content-type": "text/csv" };
const NOTHING = { added: [], changed: [], removed: [] };

let opened: AsyncDisposableStack;
let site: ApiSite;
let folder: string;

interface Wanted {
  readonly archives?: readonly object[];
  readonly projects?: readonly object[];
  readonly dicom?: object;
  readonly retry?: object;
}

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  folder = opened.use(await temporaryFolder()).path;
  for (const [name, digit] of [
    ["lung", "1"],
    ["heart", "2"],
    ["other", "3"],
  ] as const)
    await writeFile(join(folder, `${name}.key`), `${digit.repeat(64)}\n`, { mode: 0o600 });
  const archive = opened.use(await startPracticeArchive({ studies: [STUDY], destinations: [] }));
  const archives = [{ name: "first", kind: "dimse", address: archive.address, retrieve: "get" }];
  const destinations = [{ name: "store", kind: "folder", path: join(folder, "store") }];
  const retry = { attempts: 3, firstDelaySeconds: 0.1, maximumDelaySeconds: 0.2 };
  const settings = { retry, archives, destinations, projects: [projectOf("lung", ["first"])] };
  site = opened.use(await openApiSite({ settings }));
});
afterEach(() => opened.disposeAsync());

const projectOf = (name: string, archives: readonly string[]) => ({
  ...{ name, archives, destinations: ["store"], profile: "research", keyFile: join(folder, `${name}.key`) },
});

async function written(): Promise<Required<Wanted>> {
  return parse(await readFile(join(site.service.folder, "radferry.yaml"), "utf8"));
}

async function write(change: Wanted): Promise<void> {
  await writeFile(join(site.service.folder, "radferry.yaml"), stringify({ ...(await written()), ...change }));
}

async function reload(change: Wanted): Promise<ReloadDocument> {
  await write(change);
  const { status, json } = await site.call("POST", "/settings/reload");
  expect({ status, json }).toMatchObject({ status: 200 });
  return json as ReloadDocument;
}

async function submit(project: string, uid: string): Promise<string> {
  const body = `study_instance_uid\n${uid}\n`;
  const { json } = await site.call("POST", `/cohorts?project=${project}`, { body, headers: CSV });
  return String((json as { readonly cohort?: string }).cohort);
}

/** Asks until the cohort's one study is in the state. */
async function until(cohort: string, state: string, code?: string): Promise<Readonly<Record<string, unknown>>> {
  return await vi.waitFor(
    async () => {
      const { json } = await site.call("GET", `/studies?cohort=${cohort}`);
      const [study] = (json as { readonly items: readonly Readonly<Record<string, unknown>>[] }).items;
      expect(study).toMatchObject({ state, ...(code === undefined ? {} : { code }) });
      return study ?? {};
    },
    { timeout: 20_000, interval: 50 },
  );
}

it("takes in another archive and another project, and delivers from it", async () => {
  const second = opened.use(await startPracticeArchive({ studies: [OTHER], destinations: [] }));
  const { archives, projects } = await written();
  const added = { name: "second", kind: "dimse", address: second.address, retrieve: "get" };
  const document = await reload({
    archives: [...archives, added],
    projects: [...projects, projectOf("heart", ["second"])],
  });
  expect(document).toMatchObject({
    archives: { added: ["second"], changed: [], removed: [] },
    destinations: NOTHING,
    projects: { added: ["heart"], changed: [], removed: [] },
    needsRestart: [],
    orphaned: [],
  });
  await until(await submit("heart", OTHER.studyInstanceUid), "delivered");
  await until(await submit("lung", STUDY.studyInstanceUid), "delivered");
  expect((await site.call("GET", "/audit?limit=50")).text).toContain('"settings-reloaded"');
});

it("wakes what waits for a window when there is no window any more", async () => {
  const { archives } = await written();
  const closed = {
    windows: [`${["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][(new Date().getDay() + 3) % 7]} 00:00-00:01`],
  };
  const document = await reload({ archives: archives.map((each) => ({ ...each, availability: closed })) });
  expect(document).toMatchObject({ archives: { changed: ["first"] } });
  expect((await site.call("GET", "/archives/first")).json).toMatchObject({ state: "closed", windows: closed.windows });
  const cohort = await submit("lung", STUDY.studyInstanceUid);
  expect(await until(cohort, "waiting")).toMatchObject({ code: "ARCHIVE_CLOSED" });
  await reload({ archives });
  await until(cohort, "delivered");
});

it("lets a removed project's jobs wait, and go on when it is back", async () => {
  const { projects } = await written();
  await site.call("POST", "/archives/first/pause");
  const cohort = await submit("lung", STUDY.studyInstanceUid);
  await until(cohort, "waiting");
  expect(await reload({ projects: [] })).toMatchObject({
    projects: { removed: ["lung"] },
    orphaned: [{ project: "lung", jobs: 1 }],
  });
  expect(
    await site.call("POST", "/cohorts?project=lung", { body: "study_instance_uid\n1.2\n", headers: CSV }),
  ).toMatchObject({
    status: 404,
    json: { code: "PROJECT_UNKNOWN" },
  });
  await until(cohort, "waiting", "PROJECT_UNKNOWN");
  await site.call("POST", "/archives/first/resume");
  await until(cohort, "waiting", "PROJECT_UNKNOWN");
  await reload({ projects });
  await until(cohort, "delivered");
});

it("closes an archive that was removed, and asks the one in its place", async () => {
  const { projects } = await written();
  const spare = opened.use(await startPracticeArchive({ studies: [OTHER], destinations: [] }));
  const second = { name: "second", kind: "dimse", address: spare.address, retrieve: "get" };
  expect(
    await reload({ archives: [second], projects: projects.map((each) => ({ ...each, archives: ["second"] })) }),
  ).toMatchObject({ archives: { added: ["second"], removed: ["first"] }, projects: { changed: ["lung"] } });
  expect((await site.call("GET", "/archives/first")).status).toBe(404);
  await until(await submit("lung", OTHER.studyInstanceUid), "delivered");
});

it("looks for a study in the archives that are left, when it was not got from the one that is gone", async () => {
  const keeping = { select: () => [] };
  const stingy = opened.use(await startPracticeArchive({ studies: [OTHER], destinations: [], faults: keeping }));
  const good = opened.use(await startPracticeArchive({ studies: [OTHER], destinations: [] }));
  const { projects } = await written();
  const of = (address: string, name: string) => ({
    archives: [{ name, kind: "dimse", address, retrieve: "get" }],
    projects: projects.map((each) => ({ ...each, archives: [name] })),
    retry: { attempts: 50, firstDelaySeconds: 2, maximumDelaySeconds: 2 },
  });
  await reload(of(stingy.address, "stingy"));
  const cohort = await submit("lung", OTHER.studyInstanceUid);
  expect(await until(cohort, "waiting")).toMatchObject({ archive: "stingy" });
  await reload(of(good.address, "good"));
  expect(await until(cohort, "delivered")).toMatchObject({ archive: "good" });
});

it("changes nothing when anything is wrong, and says all of it", async () => {
  const { archives } = await written();
  await write({
    archives: [...archives, { name: "second", kind: "dimse", address: "nowhere", retrieve: "get" }],
    projects: [projectOf("lung", ["third"])],
  });
  const { status, json } = await site.call("POST", "/settings/reload");
  expect({ status, json }).toMatchObject({
    status: 422,
    json: {
      code: "SETTINGS_INVALID",
      problems: [
        { in: "settings", at: "archives[1].address", line: expect.any(Number) },
        { in: "settings", at: "projects[0].archives[0]" },
      ],
    },
  });
  await writeFile(join(site.service.folder, "radferry.yaml"), "archives: [");
  expect(await site.call("POST", "/settings/reload")).toMatchObject({
    status: 422,
    json: { code: "SETTINGS_FILE_MALFORMED" },
  });
  expect((await site.call("GET", "/archives")).json).toMatchObject({ items: [{ name: "first" }] });
  expect((await site.call("GET", "/audit?limit=50")).text).not.toContain('"settings-reloaded"');
  await until(await submit("lung", STUDY.studyInstanceUid), "delivered");
});

it("keeps what needs a restart as it was, and names it", async () => {
  const before = (await site.call("GET", "/settings")).json;
  expect(await reload({ dicom: { port: 0, aeTitle: "OTHER" } })).toMatchObject({
    archives: NOTHING,
    projects: NOTHING,
    needsRestart: ["dicom.aeTitle"],
  });
  expect((await site.call("GET", "/settings")).json).toEqual(before);
});

it("gives no running project another key", async () => {
  await writeFile(join(folder, "lung.key"), `${"4".repeat(64)}\n`, { mode: 0o600 });
  expect(await site.call("POST", "/settings/reload")).toMatchObject({
    status: 422,
    json: { code: "PROJECT_KEY_CHANGED", details: { project: "lung" } },
  });
  await write({
    projects: [projectOf("heart", ["first"]), { ...projectOf("other", ["first"]), keyFile: join(folder, "heart.key") }],
  });
  expect(await site.call("POST", "/settings/reload")).toMatchObject({ status: 422 });
  expect((await site.call("GET", "/projects")).json).toMatchObject({ items: [{ name: "lung" }] });
});

it("lets a running job finish with what it began with", async () => {
  const { archives, projects } = await written();
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  async function* send({ bytes }: SyntheticInstance): AsyncGenerator<Uint8Array> {
    asked.resolve();
    await gate.promise;
    yield bytes;
  }
  const slow = opened.use(await startPracticeArchive({ studies: [OTHER], destinations: [], faults: { send } }));
  const second = { name: "second", kind: "dimse", address: slow.address, retrieve: "get" };
  await reload({
    archives: [...archives, second],
    projects: projects.map((each) => ({ ...each, archives: ["second"] })),
  });
  const cohort = await submit("lung", OTHER.studyInstanceUid);
  await asked.promise;
  expect(await reload({ archives, projects })).toMatchObject({ archives: { removed: ["second"] } });
  gate.resolve();
  expect(await until(cohort, "delivered")).toMatchObject({ archive: "second", attempts: 0 });
});
