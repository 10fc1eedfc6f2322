import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { gatewayOf, jumpingClock, runCli } from "../../../test/support/cli.ts";
import type { CheckedStudy } from "../../operations/check/documents.ts";
import type { CheckDocument, PlanDocument } from "../../operations/inquiries.ts";
import type { Operations } from "../../operations/operations.ts";
import type { PlannedRow } from "../../operations/plan/documents.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-inquiries-"));
  await writeFile(join(folder, "radferry.yaml"), "home: ./home\n");
});
afterEach(() => rm(folder, { recursive: true }));

const TIMES = { startedAt: "2026-03-27T12:00:00.000Z", endedAt: null, code: null };
const PLAN: PlanDocument = {
  id: "inquiry-1",
  kind: "plan",
  project: "lung",
  state: "running",
  progress: { done: 0, total: 2 },
  summary: null,
  ...TIMES,
};
const PLANNED: PlanDocument = {
  ...PLAN,
  state: "done",
  progress: { done: 2, total: 2 },
  summary: {
    rows: 2,
    outcomes: { matched: 1, absent: 1 },
    codes: { STUDY_NOT_FOUND: 1 },
    studies: 1,
    series: 2,
    instances: 300,
    studiesWithoutCount: 0,
    disk: {
      sizeBytes: 162e6,
      freeBytes: 100e6,
      reserveBytes: 50e6,
      fits: false,
      basis: [{ archive: "vna", modality: "CT", bytesPerInstance: 540_000, measuredInstances: 0 }],
    },
    archives: [
      {
        name: "vna",
        studies: 1,
        instances: 300,
        sizeBytes: 162e6,
        paused: false,
        isOpen: false,
        nextOpening: "2026-03-27T20:00:00.000Z",
        studiesPerMinute: 1,
        bytesPerSecond: null,
        workSeconds: 60,
        doneAt: "2026-03-27T20:01:00.000Z",
      },
    ],
  },
};
const nothing = { archive: null, studies: 0, series: 0, instances: 0, sizeBytes: 0 };
const ROWS: readonly PlannedRow[] = [
  {
    number: 1,
    outcome: "matched",
    code: null,
    archive: "vna",
    studies: 1,
    series: 2,
    instances: 300,
    sizeBytes: 162e6,
  },
  { ...nothing, number: 2, outcome: "absent", code: "STUDY_NOT_FOUND" },
];

function worldOf(operations: Partial<Operations>) {
  return { workingFolder: folder, clock: jumpingClock(), openGateway: async () => gatewayOf(operations) };
}

it("waits for a plan and tells people what it comes to", async () => {
  const answers = [PLAN, PLANNED];
  const world = worldOf({
    async planCohort(file, project) {
      expect([file, project]).toEqual([join(folder, "wanted.csv"), "lung"]);
      return PLAN;
    },
    showInquiry: async () => answers.shift() ?? PLANNED,
    inquiryItems: async (_, { after }) => ROWS.filter(({ number }) => number > after),
  });
  const { exitCode, stdout } = await runCli(["cohort", "plan", "wanted.csv", "--project", "lung"], world);
  expect(exitCode).toBe(3);
  expect(stdout).toContain("2 of 2 rows, done; nothing was moved or queued");
  expect(stdout).toContain("to retrieve: 1 study, 2 series, 300 instances");
  expect(stdout).toContain("MORE THAN THERE IS ROOM FOR");
  expect(stdout).toContain("540000 bytes an instance (an assumption)");
  expect(stdout).toContain("closed, opens 2026-03-27T20:00:00.000Z; about 60 s at its rate, done by 2026-03-27T20:01");
  expect(stdout).toContain("  row 2: absent [STUDY_NOT_FOUND]\n");
});

it("gives one document with every row, and the summary to people beside it", async () => {
  const world = worldOf({
    planCohort: async () => PLANNED,
    inquiryItems: async (_, { after }) => ROWS.filter(({ number }) => number > after),
  });
  const args = ["cohort", "plan", "wanted.csv", "--project", "lung", "--json"];
  const { stdout, stderr } = await runCli(args, world);
  expect(JSON.parse(stdout)).toMatchObject({ project: "lung", summary: PLANNED.summary, rows: ROWS });
  expect(stderr).toContain("to retrieve: 1 study");
});

it.each([
  [["matched", "delivered"], 0],
  [["matched", "not-asked"], 3],
  [["refused", "absent"], 1],
] as const)("ends a plan of %j with %i", async (outcomes, expected) => {
  const rows = outcomes.map((outcome, index) => ({ ...nothing, number: index + 1, outcome, code: null }));
  const world = worldOf({ planCohort: async () => PLANNED, inquiryItems: async () => rows });
  expect(await runCli(["cohort", "plan", "w.csv", "--project", "lung"], world)).toMatchObject({ exitCode: expected });
});

it("fails with the code that a plan failed with", async () => {
  const failed = { ...PLAN, state: "failed", code: "STORE_UNAVAILABLE" } as const;
  const { exitCode, stderr } = await runCli(
    ["cohort", "plan", "w.csv", "--project", "lung"],
    worldOf({ planCohort: async () => failed }),
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain("STORE_UNAVAILABLE");
});

const CHECKED: CheckDocument = {
  ...PLAN,
  kind: "check",
  cohort: "c1",
  state: "done",
  progress: { done: 1, total: 1 },
  summary: {
    studies: 1,
    verdicts: { "delivery-differs": 1 },
    later: 0,
    vanishedFromArchive: 0,
    vanishedFromDestinations: 2,
    differing: 1,
    queued: 1,
  },
};
const STUDY: CheckedStudy = {
  number: 1,
  job: "job-1",
  state: "delivered",
  verdict: "delivery-differs",
  archive: { name: "vna", later: null, vanished: null, code: "ARCHIVE_CLOSED" },
  destinations: [
    { name: "store", proof: "sha256", expected: 9, present: 6, vanished: 2, differing: 1, code: null },
    {
      name: "xnat",
      proof: null,
      expected: 9,
      present: 0,
      vanished: 0,
      differing: 0,
      code: "DESTINATION_NOT_CHECKABLE",
    },
  ],
  queued: true,
};

it("tells what a check found, and what was queued for it", async () => {
  const world = worldOf({
    async checkCohortDelivery(cohort, options) {
      expect([cohort, options]).toEqual(["c1", { queue: true }]);
      return CHECKED;
    },
    inquiryItems: async () => [STUDY],
  });
  const { exitCode, stdout } = await runCli(["cohort", "check", "c1", "--queue"], world);
  expect(exitCode).toBe(3);
  expect(stdout).toContain(
    "  job-1: delivery-differs: archive not asked [ARCHIVE_CLOSED], 2 vanished from store, 1 other than delivered in store, xnat not asked [DESTINATION_NOT_CHECKABLE], queued again\n",
  );
  expect(stdout).toContain("1 study is queued again\n");
});

it("is content where everything is as it was", async () => {
  const same = { ...STUDY, verdict: "same" } as const;
  const world = worldOf({ checkCohortDelivery: async () => CHECKED, inquiryItems: async () => [same] });
  expect(await runCli(["cohort", "check", "c1"], world)).toMatchObject({ exitCode: 0 });
});
