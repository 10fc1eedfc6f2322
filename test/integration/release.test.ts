import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { loadSettings } from "../../src/config/load-settings.ts";
import { studyReportSchema } from "../../src/deid/study-report-schema.ts";
import type { DataElement } from "../../src/dicom/data-set.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { dataSetOf, element, textElement } from "../../src/dicom/values.ts";
import { encodeDataSet } from "../../src/dicom/writer.ts";
import { openGateway } from "../../src/gateway/open-gateway.ts";
import type { AuditRecordDocument, StudyDocument } from "../../src/operations/documents.ts";
import { silentLogger } from "../../src/units/logger.ts";
import type { SyntheticInstance, SyntheticStudy } from "../peers/synthetic-studies.ts";
import { runCli } from "../support/cli.ts";
import { startCountingStore } from "../support/counting-store.ts";
import { deliveredFiles } from "../support/delivered-files.ts";
import { cohortFile, ctStudy, withArchive } from "../support/rehearsal.ts";
import type { Site } from "../support/site.ts";

const BURNED_IN = textElement(tagOf(0x00280301), "YES");

/** The second of four instances shows something in its pixels; the third holds the patient's name in a lookup table. */
function troublesomeStudy(seed: number): SyntheticStudy {
  const study = ctStudy(seed);
  const family = study.instances[0]?.dataSet.get(tagOf(0x00100010))?.value;
  if (family?.kind !== "bytes") throw new Error("the patient has no name");
  const [name = ""] = Buffer.from(family.bytes).toString("latin1").split("^");
  const planted = element(tagOf(0x00283006), "OW", Buffer.from(`..${name}..`.padEnd(32, ".")));
  const changes: readonly (readonly DataElement[])[] = [[], [BURNED_IN], [planted], []];
  const instances = study.instances.map((instance, index) => changed(instance, changes[index] ?? []));
  return { ...study, instances };
}

function changed(instance: SyntheticInstance, elements: readonly DataElement[]): SyntheticInstance {
  const dataSet = dataSetOf([...instance.dataSet.values(), ...elements]);
  return { ...instance, dataSet, bytes: Buffer.from(encodeDataSet(dataSet, instance.transferSyntaxUid)) };
}

/** A verb in this process, as whoever has the role. */
async function run(site: Site, args: readonly string[], role = "admin") {
  const environment = {
    RADFERRY_CONFIG: join(site.folder, "radferry.yaml"),
    RADFERRY__ACCESS__COMMANDLINEROLE: role,
  };
  const world = { environment, workingFolder: site.folder, openGateway };
  const { exitCode, stdout, stderr } = await runCli([...args, "--json"], world);
  return { exitCode, stdout, stderr, document: JSON.parse(stdout) };
}

async function show(site: Site, id: string): Promise<StudyDocument> {
  return (await run(site, ["study", "show", id])).document;
}

/** Works on the home until the study is done. */
async function work(site: Site, id: string): Promise<StudyDocument> {
  const { settings } = await loadSettings({
    file: join(site.folder, "radferry.yaml"),
    environment: {},
    cwd: site.folder,
  });
  await using gateway = await openGateway({ settings, mode: "worker", logger: silentLogger });
  return await untilState(() => gateway.operations.showStudy(id), "queued", "running");
}

async function untilState(look: () => Promise<StudyDocument>, ...not: readonly string[]): Promise<StudyDocument> {
  for (let looks = 0; looks < 200; looks += 1) {
    const study = await look();
    if (!not.includes(study.state)) return study;
    await delay(25);
  }
  throw new Error("the study never came into the wanted state");
}

async function quarantined(site: Site, study: SyntheticStudy): Promise<string> {
  const file = await cohortFile(site, [study]);
  const submitted = await run(site, ["cohort", "submit", file, "--project", "trial", "--wait"]);
  expect(submitted).toMatchObject({ exitCode: 3, document: { states: { quarantined: 1 } } });
  return String((await run(site, ["study", "list"])).document[0].id);
}

async function expectDelivered(site: Site, { pseudonym, pseudoStudyInstanceUid }: StudyDocument): Promise<void> {
  expect((await deliveredFiles(site.delivered)).paths).toHaveLength(3);
  const path = join(site.delivered, "trial", String(pseudonym), String(pseudoStudyInstanceUid));
  const report = JSON.parse(await readFile(join(path, "radferry-report.json"), "utf8"));
  expect(studyReportSchema.parse(report)).toMatchObject({
    counts: { instances: 4, deidentified: 3, excluded: 1, rejected: 0 },
    reasons: [{ code: "EXCLUDED", reason: "released-without", count: 1 }],
    release: { leftOut: 1, accepted: [{ reason: "name in (0028,3006)", count: 1 }] },
  });
}

/** The whole story is in the audit trail, without a word of the patient. */
async function expectTold(site: Site, study: SyntheticStudy, id: string): Promise<void> {
  const { document, stdout } = await run(site, ["audit", "tail"]);
  const records: readonly AuditRecordDocument[] = document;
  const told = records.filter(({ event }) => !event.startsWith("service-")).map(({ event }) => event);
  expect(told).toEqual([
    "cohort-submitted",
    ...["quarantine-entered", "operation-refused", "study-released", "quarantine-entered", "study-released"],
    ...["delivery-done", "audit-read"],
  ]);
  expect(records.findLast(({ event }) => event === "study-released")).toMatchObject({
    job: id,
    actor: { kind: "command line", role: "admin" },
    detail: { reason: "reviewed", leftOut: 1, leftOutOf: 4, allowedTags: "(0028,3006)" },
  });
  expect(study.identifiers.filter((identifier) => stdout.includes(identifier))).toEqual([]);
  expect(await run(site, ["audit", "verify"])).toMatchObject({ exitCode: 0, document: { ok: true } });
}

it("releases a quarantined study with named exceptions only, to who may, and tells of all of it", async () => {
  const study = troublesomeStudy(61);
  await withArchive(
    {},
    [study],
    async ({ site }) => {
      const id = await quarantined(site, study);
      const seen = await run(site, ["study", "show", id]);
      expect(seen.document.instances).toMatchObject([
        { number: 1, series: 1, state: "passed" },
        { number: 2, series: 1, state: "rejected", code: "BURNED_IN_ANNOTATION" },
        { number: 3, series: 1, state: "rejected", code: "IDENTIFIER_FOUND", reason: "name in (0028,3006)" },
        { number: 4, series: 1, state: "passed" },
      ]);
      expect(study.identifiers.filter((identifier) => seen.stdout.includes(identifier))).toEqual([]);
      expect(seen.document.remedy).toContain("study release");

      const release = (...more: readonly string[]) => ["study", "release", id, "--reason", "reviewed", ...more];
      const refused = await run(site, release("--leave-out-rejected"), "operator");
      expect(refused).toMatchObject({ exitCode: 1, document: { error: { code: "ROLE_INSUFFICIENT" } } });
      const telling = await run(site, release("--leave-out", "2", "--reason", `of ${study.patientId}`));
      expect(telling).toMatchObject({ exitCode: 2, document: { error: { code: "RELEASE_INVALID" } } });

      expect((await run(site, release("--leave-out", "2"))).document).toMatchObject({ released: true, leftOut: 1 });
      const again = await work(site, id);
      expect(again).toMatchObject({ state: "quarantined", code: "IDENTIFIER_FOUND", excluded: 2, delivered: 0 });

      // Staging keeps a quarantined study for some days only: then it is fetched again.
      await rm(join(site.home, "staging"), { recursive: true });
      await run(site, release("--leave-out", "2", "--allow-tag", "LUTData"));
      const done = await work(site, id);
      expect(done).toMatchObject({
        state: "delivered",
        excluded: 1,
        delivered: 3,
        exclusions: { "released-without": 1 },
        release: { reason: "reviewed", leftOut: 1, allowedTags: ["(0028,3006)"] },
      });
      expect(await run(site, release("--leave-out", "2"))).toMatchObject({
        exitCode: 1,
        document: { error: { code: "STUDY_NOT_QUARANTINED" } },
      });

      await expectDelivered(site, done);
      await expectTold(site, study, id);
    },
    { profile: "basic", retrieve: "get" },
  );
});

it("goes on with the exceptions of a release after a kill in the middle of it", async () => {
  const study = troublesomeStudy(62);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  await using viewer = await startCountingStore(0, "VIEWER", () => {
    asked.resolve();
    return answer.promise;
  });
  await withArchive(
    {},
    [study],
    async ({ site }) => {
      const id = await quarantined(site, study);
      const service = await site.serve();
      await run(site, ["study", "release", id, "--leave-out-rejected", "--reason", "reviewed"]);
      await asked.promise;
      expect(await show(site, id)).toMatchObject({ state: "running", stage: "delivering" });
      await service.kill();
      answer.resolve();
      const done = await work(site, id);
      expect(done).toMatchObject({ state: "delivered", delivered: 2, exclusions: { "released-without": 2 } });
      expect([...viewer.timesStored.values()]).toEqual([1, 1]);
      expect(await run(site, ["audit", "verify"])).toMatchObject({ exitCode: 0, document: { findings: [] } });
    },
    {
      profile: "basic",
      retrieve: "get",
      moreDestinations: [{ name: "viewer", kind: "dimse", address: viewer.address, confirm: "find" }],
    },
  );
});

it("holds back a second patient under the participant id of another, who was delivered", async () => {
  const studies = [ctStudy(63, 1), ctStudy(64, 1)];
  await withArchive(
    {},
    studies,
    async ({ site }) => {
      const rows = studies.map(({ studyInstanceUid }) => `${studyInstanceUid},LUNG-1`);
      const file = await site.write("wanted.csv", `study_instance_uid,participant_id\n${rows.join("\n")}\n`);
      const { document } = await run(site, ["cohort", "submit", file, "--project", "trial", "--wait"]);
      expect(document.states).toEqual({ delivered: 1, quarantined: 1 });
      const jobs: readonly StudyDocument[] = (await run(site, ["study", "list"])).document;
      expect(jobs.find(({ state }) => state === "quarantined")).toMatchObject({ code: "PSEUDONYM_COLLISION" });
    },
    { retrieve: "get" },
  );
});
