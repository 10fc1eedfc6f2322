import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { ctStudy } from "../support/rehearsal.ts";
import { openService } from "../support/service.ts";
import { type SpanCollector, startSpanCollector } from "../support/span-collector.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const study = ctStudy(811, 2);

/** One study from an archive to a folder, with traces for the collector, to its end. */
async function deliverOne(collector: SpanCollector): Promise<string> {
  const dicomPort = await freePort();
  await using folder = await temporaryFolder();
  await using archive = await startPracticeArchive({
    studies: [study],
    destinations: [`RADFERRY@127.0.0.1:${dicomPort}`],
  });
  const keyFile = join(folder.path, "key");
  await writeFile(keyFile, "0123456789abcdef".repeat(4), { mode: 0o600 });
  await writeFile(join(folder.path, "wanted.csv"), `study_instance_uid\n${study.studyInstanceUid}\n`);
  const project = { name: "trial", archives: ["pacs"], destinations: ["store"], profile: "basic", keyFile };
  const settings = {
    dicom: { port: dicomPort },
    archives: [{ name: "pacs", kind: "dimse", address: archive.address }],
    destinations: [{ name: "store", kind: "folder", path: join(folder.path, "delivered") }],
    projects: [project],
    observe: { traces: { url: collector.url } },
  };
  await using service = await openService({ settings });
  const { operations } = service.gateway;
  await operations.submitCohort(join(folder.path, "wanted.csv"), "trial");
  for (let look = 0; look < 300; look += 1) {
    const [job] = await Array.fromAsync(operations.listStudies({ state: "delivered" }));
    if (job !== undefined) return job.id;
    await delay(50);
  }
  throw new Error("the study was not delivered in time");
}

it("traces a study through its stages, archives and deliveries, without a word of whom it is", async () => {
  await using collector = await startSpanCollector();
  const job = await deliverOne(collector);
  const names = collector.spans.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      ...["study", "stage locating", "stage retrieving", "stage verifying", "stage deidentifying"],
      ...["archive find", "archive list", "archive retrieve", "destination send"],
    ]),
  );
  const root = collector.spans.find(({ name }) => name === "study");
  expect(root?.attributes).toEqual({ "radferry.job": job, "radferry.project": "trial" });
  const stages = collector.spans.filter(({ name }) => name.startsWith("stage "));
  expect(stages.every(({ parent }) => parent === root?.id)).toBe(true);
  const { studyInstanceUid, instances } = study;
  const secrets = [studyInstanceUid, ...instances.map(({ sopInstanceUid }) => sopInstanceUid), study.patientId];
  expect(secrets.filter((secret) => collector.text().includes(secret))).toEqual([]);
});

it("works as without traces when the collector never answers", async () => {
  await using collector = await startSpanCollector(() => new Promise(() => undefined));
  expect(await deliverOne(collector)).toMatch(/^job-/);
  expect(collector.requests).toBeGreaterThan(0);
});
