import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { capture, gatewayOf, jumpingClock, runCli } from "../../../test/support/cli.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { StatusDocument, StudyDocument, SubmitDocument } from "../../operations/documents.ts";
import type { Operations } from "../../operations/operations.ts";
import type { GatewayMode, World } from "../world.ts";

const SUBMITTED: SubmitDocument = {
  cohort: "c1",
  project: "trial",
  rows: 3,
  accepted: 2,
  joined: 0,
  refused: [
    { row: 3, column: "study_instance_uid", code: "UID_INVALID", message: "Row 3, column study_instance_uid: no UID." },
  ],
};
const QUEUED: StatusDocument = { cohort: "c1", project: "trial", total: 2, states: { queued: 2 }, done: false };
const DELIVERED: StatusDocument = { ...QUEUED, states: { delivered: 1, excluded: 1 }, done: true };
const HELD: StatusDocument = { ...QUEUED, states: { delivered: 1, held: 1 }, done: true };

const FAILED_STUDY: StudyDocument = {
  id: "j1",
  project: "trial",
  cohort: "c1",
  cohorts: ["c1"],
  state: "not-found",
  stage: "locating",
  code: "STUDY_NOT_FOUND",
  class: "permanent",
  message: "No archive of the project has the study.",
  remedy: "Check the identifiers of the row.",
  priority: 3,
  verdict: null,
  expected: null,
  received: 0,
  excluded: 0,
  delivered: 0,
  attempts: 1,
  pseudonym: null,
  pseudoStudyInstanceUid: null,
  events: [],
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-cohort-"));
  await writeFile(join(folder, "radferry.yaml"), "home: ./home\n");
});
afterEach(() => rm(folder, { recursive: true }));

/** A gateway in every mode; the modes asked for are noted. */
function worldWith(
  operations: Partial<Operations>,
  more: Partial<World> = {},
): Partial<World> & { modes: GatewayMode[] } {
  const modes: GatewayMode[] = [];
  return {
    workingFolder: folder,
    clock: jumpingClock(),
    modes,
    async openGateway({ mode, settings }) {
      modes.push(mode);
      expect(settings.home).toBe(join(folder, "home"));
      return gatewayOf(operations);
    },
    ...more,
  };
}

it("hands a file in with a start, and refuses one that two machines read differently", async () => {
  const world = worldWith({
    async submitCohort(_file, _project, options) {
      expect(options).toEqual({ startAtMs: Date.UTC(2026, 10, 30, 19) });
      return SUBMITTED;
    },
  });
  const args = ["cohort", "submit", "wanted.csv", "--project", "trial", "--start-at"];
  expect((await runCli([...args, "2026-11-30T20:00:00+01:00"], world)).exitCode).toBe(0);
  expect((await runCli([...args, "2026-11-30T20:00"], world)).exitCode).toBe(2);
});

it("changes the priority of a cohort and of a study", async () => {
  const asked: unknown[] = [];
  const world = worldWith({
    prioritiseCohort: async (...args) => ({ changed: asked.push(args) }),
    prioritiseStudy: async (...args) => ({ changed: asked.push(args) - 2 }),
  });
  const { stdout } = await runCli(["cohort", "priority", "c1", "5"], world);
  expect(stdout).toContain("1 study not done yet: priority 5 now");
  expect((await runCli(["study", "priority", "j1", "2"], world)).stdout).toContain("nothing to change");
  expect(asked).toEqual([
    ["c1", 5],
    ["j1", 2],
  ]);
  expect((await runCli(["study", "priority", "j1", "6"], world)).exitCode).toBe(2);
});

it("hands a file in and prints what was accepted", async () => {
  const world = worldWith({
    async submitCohort(file, project) {
      expect([file, project]).toEqual([join(folder, "wanted.csv"), "trial"]);
      return SUBMITTED;
    },
  });
  const { exitCode, stdout } = await runCli(["cohort", "submit", "wanted.csv", "--project", "trial", "--json"], world);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual(SUBMITTED);
  expect(world.modes).toEqual(["client"]);

  const forPeople = await runCli(["cohort", "submit", "wanted.csv", "--project", "trial"], world);
  expect(forPeople.stdout).toContain("  Row 3, column study_instance_uid: no UID. [UID_INVALID]\n");
  expect(forPeople.stdout).toContain("  rows are counted below the heading: row 1 is a spreadsheet's row 2\n");
});

it("fails when every row was refused", async () => {
  const world = worldWith({ submitCohort: async () => ({ ...SUBMITTED, accepted: 0 }) });
  expect(await runCli(["cohort", "submit", "wanted.csv", "--project", "trial"], world)).toMatchObject({ exitCode: 1 });
});

it.each([
  [DELIVERED, 0],
  [HELD, 3],
])("waits, works and answers by how it ended: %j", async (end, expected) => {
  const answers = [QUEUED, QUEUED, end];
  const world = worldWith({
    submitCohort: async () => SUBMITTED,
    cohortStatus: async () => answers.shift() ?? end,
  });
  const args = ["cohort", "submit", "wanted.csv", "--project", "trial", "--wait", "--json"];
  const { exitCode, stdout, stderr } = await runCli(args, world);
  expect(exitCode).toBe(expected);
  expect(JSON.parse(stdout)).toEqual({ ...SUBMITTED, ...end });
  expect(stderr).toMatch(/^0 of 2 studies done: queued 2\n2 of 2 studies done: .*delivered 1\n$/);
  expect(world.modes).toEqual(["worker"]);
  expect(world.clock?.nowMs()).toBe(1_000);
});

it("leaves the work to a running service, and takes over when the service ends", async () => {
  let isServiceRunning = true;
  const closed: GatewayMode[] = [];
  const modes: GatewayMode[] = [];
  const world: Partial<World> = {
    workingFolder: folder,
    clock: jumpingClock((nowMs) => {
      if (nowMs >= 3_000) isServiceRunning = false;
    }),
    async openGateway({ mode }) {
      modes.push(mode);
      if (mode === "worker" && isServiceRunning) throw new GatewayError("HOME_IN_USE");
      const operations = {
        submitCohort: async () => SUBMITTED,
        cohortStatus: async () => (mode === "worker" ? DELIVERED : QUEUED),
      };
      return gatewayOf(operations, { [Symbol.asyncDispose]: async () => void closed.push(mode) });
    },
  };
  const args = ["cohort", "submit", "wanted.csv", "--project", "trial", "--wait", "--json"];
  expect(await runCli(args, world)).toMatchObject({ exitCode: 0 });
  expect(modes).toEqual(["worker", "client", "worker"]);
  expect(closed).toEqual(["client", "worker"]);
});

it("stops waiting when it is told to, and says how far it came", async () => {
  const stop = new AbortController();
  const clock = jumpingClock(() => stop.abort(new GatewayError("CANCELLED")));
  const world = worldWith(
    { submitCohort: async () => SUBMITTED, cohortStatus: async () => QUEUED },
    { clock, stop: stop.signal },
  );
  const args = ["cohort", "submit", "wanted.csv", "--project", "trial", "--wait", "--json"];
  const { exitCode, stdout, stderr } = await runCli(args, world);
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ cohort: "c1", done: false });
  expect(stderr).toContain("stopped before the cohort was done");
});

it("draws a bar on a terminal, on stderr", async () => {
  const stderr = Object.assign(capture(), { isTTY: true, cursorTo: () => true, clearLine: () => true });
  const world = worldWith({ submitCohort: async () => SUBMITTED, cohortStatus: async () => DELIVERED }, { stderr });
  const { stdout } = await runCli(["cohort", "submit", "wanted.csv", "--project", "trial", "--wait", "--json"], world);
  expect(JSON.parse(stdout)).toMatchObject({ done: true });
  expect(stderr.text()).toContain("2/2 studies");
});

it("tells people what went wrong and what to do", async () => {
  const failed = { ...QUEUED, total: 1, states: { "not-found": 1 }, done: true };
  const world = worldWith({ cohortStatus: async () => ({ ...failed, jobs: [FAILED_STUDY] }) });
  const { exitCode, stdout } = await runCli(["cohort", "status", "c1"], world);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(
    [
      "cohort c1 of project trial: 1 study, done",
      "  not-found  1  in none of the project's archives",
      "1 x STUDY_NOT_FOUND: No archive of the project has the study.",
      "    What to do: Check the identifiers of the row.",
      "",
    ].join("\n"),
  );
});

it("gives the jobs of a cohort when they are asked for", async () => {
  const asked: unknown[] = [];
  const world = worldWith({
    async cohortStatus(_, options) {
      asked.push(options);
      return QUEUED;
    },
  });
  const { stdout } = await runCli(["cohort", "status", "c1", "--json"], world);
  expect(JSON.parse(stdout)).toEqual(QUEUED);
  await runCli(["cohort", "status", "c1", "--jobs", "--json"], world);
  expect(asked).toEqual([{ jobs: false }, { jobs: true }]);
});

it("lists all cohorts, with their states on request", async () => {
  const listed = {
    cohort: "c1",
    project: "trial",
    rows: 3,
    accepted: 2,
    joined: 0,
    submittedAt: "2026-01-01T00:00:00.000Z",
    done: true,
  };
  const world = worldWith({
    async *listCohorts() {
      yield listed;
    },
    cohortStatus: async () => DELIVERED,
  });
  expect(JSON.parse((await runCli(["cohort", "list", "--json"], world)).stdout)).toEqual([listed]);
  expect(JSON.parse((await runCli(["cohort", "status", "--json"], world)).stdout)).toEqual([DELIVERED]);
  const { stdout } = await runCli(["cohort", "status"], world);
  expect(stdout).toBe(
    "COHORT  PROJECT  STUDIES  DONE  STATES\nc1      trial    2        yes   excluded 1, delivered 1\n",
  );
});

it("answers an empty list as an empty document", async () => {
  const world = worldWith({ async *listCohorts() {} });
  expect((await runCli(["cohort", "list", "--json"], world)).stdout).toBe("[]\n");
});

it("exports to a file that is whole or absent, readable by its owner alone", async () => {
  const world = worldWith({
    async *exportCohort() {
      yield "accession_number,radferry_state\n";
      yield "A1,delivered\n";
    },
  });
  const { exitCode, stdout } = await runCli(["cohort", "export", "c1", "-o", "accounted.csv", "--json"], world);
  const file = join(folder, "accounted.csv");
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ cohort: "c1", file });
  expect(await readFile(file, "utf8")).toBe("accession_number,radferry_state\nA1,delivered\n");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const toStdout = ["cohort", "export", "c1", "-o", "-"];
  expect((await runCli(toStdout, world)).stdout).toContain("A1,delivered");
  // Both want stdout.
  expect(await runCli([...toStdout, "--json"], world)).toMatchObject({ exitCode: 2 });
});

it("writes the table of procedures and delivered studies, to a file only", async () => {
  const world = worldWith({ linkCohort: async () => Buffer.from("PAR1") });
  const link = ["cohort", "export", "c1", "--format", "pixl-linker", "-o"];
  expect(await runCli([...link, "IMAGE_LINKER.parquet"], world)).toMatchObject({ exitCode: 0 });
  expect(await readFile(join(folder, "IMAGE_LINKER.parquet"), "utf8")).toBe("PAR1");
  expect(await runCli([...link, "-"], world)).toMatchObject({ exitCode: 2 });
});

it("leaves the former export as it was when a new one fails", async () => {
  const file = join(folder, "accounted.csv");
  await writeFile(file, "former");
  const world = worldWith({
    async *exportCohort() {
      yield "accession_number\n";
      throw new GatewayError("TIMED_OUT");
    },
  });
  expect(await runCli(["cohort", "export", "c1", "-o", "accounted.csv"], world)).toMatchObject({ exitCode: 1 });
  expect(await readFile(file, "utf8")).toBe("former");
  expect(await readdir(folder)).toEqual(["accounted.csv", "radferry.yaml"]);
  const nowhere = await runCli(["cohort", "export", "c1", "-o", "no/such/folder.csv"], world);
  expect(nowhere).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("FILE_NOT_WRITABLE, reason ENOENT") });
});

it.each([
  ["retry", { retryCohort: async () => ({ retried: 2 }) }, { cohort: "c1", retried: 2 }],
  ["cancel", { cancelCohort: async () => ({ cancelled: 1 }) }, { cohort: "c1", cancelled: 1 }],
])("can %s a cohort", async (verb, operations, document) => {
  const { exitCode, stdout } = await runCli(["cohort", verb, "c1", "--json"], worldWith(operations));
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual(document);
});
