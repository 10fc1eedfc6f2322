import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import type { StudyContents } from "../../src/archive/contents.ts";
import { contextOf } from "../../src/operations/context.testing.ts";
import type { ArchiveFacts, OperationsContext, ProjectFacts } from "../../src/operations/context.ts";
import { planCohort } from "../../src/operations/plan/plan.ts";
import { createManualClock } from "../../src/units/manual-clock.testing.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SERIES = ["1.2.1", "1.2.2"];

/** An archive of one study, which answers once it was asked about two rows at once, about the later one first. */
function archiveOfOneStudy() {
  const answers: (() => void)[] = [];
  const contentsOf = (count: number): StudyContents => ({
    series: count,
    instances: 10 * count,
    byModality: new Map([["CT", 10 * count]]),
  });
  return {
    name: "vna",
    findStudies: async () => [{ studyInstanceUid: "1.2", patientId: "7", accessionNumber: "A1" }],
    async contents(_study: string, only: readonly string[] = SERIES) {
      const { promise: mayAnswer, resolve } = Promise.withResolvers<void>();
      answers.push(resolve);
      if (answers.length === 2) for (const answer of answers.toReversed()) answer();
      if (answers.length <= 2) await mayAnswer;
      return contentsOf(only.length);
    },
  };
}

async function plan(text: string) {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "cohort.csv");
  await writeFile(file, text);
  const governed = archiveOfOneStudy();
  const policy = { windows: undefined, timeZone: "UTC", studiesPerMinute: undefined, bytesPerSecond: undefined };
  const facts = { archive: governed, governed, availability: policy, endpoint: "VNA@127.0.0.1:9" };
  const rules = { accessionNumbersUnique: true, optOut: new Set(), maximumStudiesPerRequest: 10 };
  const project = { name: "lung", archives: ["vna"], ...rules };
  const store = {
    withdrawnDigests: async () => ({ keyId: undefined, digests: [] }),
    jobsOfKey: async () => [],
    archiveVolumes: async () => [],
    archiveCondition: async () => ({ archive: "vna", paused: false, overrides: {} }),
  } as unknown as OperationsContext["store"];
  const context: OperationsContext = {
    ...contextOf({ role: "operator", told: [], store }),
    clock: createManualClock(),
    archives: new Map([["vna", facts as unknown as ArchiveFacts]]),
    projects: new Map([["lung", project as unknown as ProjectFacts]]),
  };
  const { id } = await planCohort(context, file, "lung");
  const { inquiries, actor } = context;
  const summary = await vi.waitFor(
    () => {
      const document = inquiries.look(id, actor);
      expect(document.state).toBe("done");
      return document.summary;
    },
    { timeout: 20_000 },
  );
  return { summary, rows: inquiries.items(id, actor, { after: 0, limit: 10 }) };
}

it("a plan counts a study once that two rows want which were asked about at once: for the first in the file", async () => {
  const { summary, rows } = await plan("study_instance_uid,accession_number\n,A1\n1.2,\n");
  expect(rows).toMatchObject([
    { number: 1, outcome: "matched", studies: 1, series: 2, instances: 20 },
    { number: 2, outcome: "joined", studies: 0, instances: 0 },
  ]);
  expect(summary).toMatchObject({ rows: 2, outcomes: { matched: 1, joined: 1 }, studies: 1, series: 2, instances: 20 });
});

it("a plan counts for the later of two such rows what the first does not want", async () => {
  const { summary, rows } = await plan("study_instance_uid,series_instance_uids\n1.2,1.2.1\n1.2,1.2.1;1.2.2\n");
  expect(rows).toMatchObject([
    { number: 1, outcome: "matched", studies: 1, series: 1, instances: 10 },
    { number: 2, outcome: "matched", studies: 0, series: 1, instances: 10 },
  ]);
  expect(summary).toMatchObject({ studies: 1, series: 2, instances: 20 });
});

it("a plan counts for a row that wants a study whole what an earlier one, which wants a series of it, does not", async () => {
  const { summary, rows } = await plan("study_instance_uid,series_instance_uids\n1.2,1.2.1\n1.2,\n1.2,1.2.2\n");
  expect(rows).toMatchObject([
    { number: 1, outcome: "matched", studies: 1, series: 1, instances: 10 },
    { number: 2, outcome: "matched", studies: 0, series: 1, instances: 10 },
    { number: 3, outcome: "joined", studies: 0, instances: 0 },
  ]);
  expect(summary).toMatchObject({ studies: 1, series: 2, instances: 20, disk: { sizeBytes: 20 * 540_000 } });
});

it("a plan says of a row that wants a study whole, all of whose series earlier rows want, that it asks for nothing more", async () => {
  const { rows } = await plan("study_instance_uid,series_instance_uids\n1.2,1.2.1;1.2.2\n1.2,\n");
  expect(rows).toMatchObject([
    { number: 1, outcome: "matched", studies: 1, series: 2, instances: 20 },
    { number: 2, outcome: "joined", studies: 0, instances: 0 },
  ]);
});
