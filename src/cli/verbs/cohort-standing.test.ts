import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { gatewayOf, runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Operations } from "../../operations/operations.ts";
import type {
  NewStanding,
  StandingDetailDocument,
  StandingDocument,
  StandingRunDocument,
} from "../../operations/standing/documents.ts";

const RUN: StandingRunDocument = {
  ...{ number: 12, state: "done", code: null, reason: "timetable", missed: 0, cohort: "nightly-12-k3x9" },
  ...{ dueAt: "2026-03-02T02:00:00.000Z", startedAt: "2026-03-02T02:00:01.000Z", endedAt: "2026-03-02T02:00:09.000Z" },
  ...{ found: 7, fresh: 2, changed: 1, known: 4, refused: 0 },
};
const NIGHTLY: StandingDocument = {
  ...{ name: "nightly", project: "lung", archive: "vna", times: ["Mon-Fri 02:00"], timeZone: "Europe/London" },
  ...{ paused: false, nextRunAt: "2026-03-03T02:00:00.000Z", opensAt: null, lastRun: RUN },
};

interface Given {
  readonly csv?: string;
  readonly standing?: Partial<StandingDocument>;
  readonly runs?: readonly StandingRunDocument[];
  readonly queries?: StandingDetailDocument["wish"]["queries"];
}

/** The verb, with what it asked the gateway for. */
async function standing(args: readonly string[], { csv = "", standing: changes, runs = [], queries = [] }: Given = {}) {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "radferry.yaml"), "home: ./home\n");
  await writeFile(join(folder.path, "patients.csv"), csv);
  const document = { ...NIGHTLY, ...changes };
  const asked: string[] = [];
  const wishes: NewStanding[] = [];
  const answering = (verb: string, answer: StandingDocument) => async (name: string) => {
    asked.push(`${verb} ${name}`);
    if (name !== "nightly") throw new GatewayError("STANDING_NOT_FOUND", { standing: name });
    return answer;
  };
  const operations: Partial<Operations> = {
    async addStanding(wish) {
      wishes.push(wish);
      return document;
    },
    listStanding: async () => [document],
    showStanding: async () => ({ ...document, wish: { queries }, runs }),
    pauseStanding: answering("pause", { ...document, paused: true, nextRunAt: null }),
    resumeStanding: answering("resume", document),
    runStanding: answering("run", { ...document, lastRun: { ...RUN, number: 13, state: "running", cohort: null } }),
    async removeStanding(name) {
      asked.push(`remove ${name}`);
    },
  };
  const world = { workingFolder: folder.path, openGateway: async () => gatewayOf(operations) };
  return { ...(await runCli(["cohort", "standing", ...args], world)), asked, wishes };
}

const ADD = ["add", "nightly", "--project", "lung", "--archive", "vna"] as const;

it("adds one, with days back as they were written and days as DICOM writes them", async () => {
  const words = ["StationName=CT1", "--from", "-7d", "--to", "2026-12-31", "--modality", "CT"];
  const when = ["--at", "Mon-Fri 02:00", "Sun 14:30", "--time-zone", "Europe/London", "--max", "50"];
  const { exitCode, stdout, wishes } = await standing([...ADD, ...words, ...when]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "nightly: runs next 2026-03-03T02:00:00.000Z\n" });
  expect(wishes).toMatchObject([
    {
      ...{ name: "nightly", project: "lung", archive: "vna", maximumStudies: 50 },
      ...{ times: ["Mon-Fri 02:00", "Sun 14:30"], timeZone: "Europe/London" },
      queries: [{ keys: ["StationName=CT1"], from: "-7d", to: "20261231", modality: "CT" }],
    },
  ]);
});

it("adds one for a list, a query for each row", async () => {
  const { exitCode, wishes } = await standing([...ADD, "--queries", "patients.csv", "--at", "02:00"], {
    csv: "patient_id,from\n4711,-2w\n4712,\n",
  });
  expect(exitCode).toBe(0);
  expect(wishes[0]?.queries).toMatchObject([
    { keys: ["PatientID=4711"], from: "-2w" },
    { keys: ["PatientID=4712"], from: undefined },
  ]);
});

it.each([
  ["no time", [...ADD, "--from", "-7d"]],
  ["a list beside keys", [...ADD, "PatientID=1", "--queries", "patients.csv", "--at", "02:00"]],
])("is told wrongly with %s", async (_, args) => {
  expect(await standing(args, { csv: "patient_id\n1\n" })).toMatchObject({ exitCode: 2, wishes: [] });
});

it.each<[string, Partial<StandingDocument>, string]>([
  ["its next run", {}, "runs next 2026-03-03T02:00:00.000Z"],
  ["that it is paused", { paused: true, nextRunAt: null }, "paused"],
  [
    "that it will wait for its archive",
    { opensAt: "2026-03-03T20:00:00.000Z" },
    "runs next 2026-03-03T02:00:00.000Z, waits until the archive opens 2026-03-03T20:00:00.000Z",
  ],
  ["that a run is under way", { lastRun: { ...RUN, state: "running" } }, "run 12 is under way"],
  ["that it never runs", { nextRunAt: null }, "never runs"],
])("lists %s", async (_, changes, expected) => {
  const { exitCode, stdout } = await standing(["list"], { standing: changes });
  expect(exitCode).toBe(0);
  expect(stdout).toContain("Mon-Fri 02:00 Europe/London");
  expect(stdout).toContain(expected);
});

it("shows what one asks for, and what its runs came to", async () => {
  const { stdout } = await standing(["show", "nightly"], {
    queries: [{ keys: ["PatientID=4711"], from: "-7d", description: "/lung/i" }],
    runs: [
      RUN,
      {
        ...RUN,
        number: 11,
        state: "incomplete",
        code: "FIND_LIMIT_REACHED",
        refused: 1,
        reason: "caught-up",
        missed: 2,
      },
      { ...RUN, number: 10, state: "failed", code: "STANDING_SEARCH_GREW", reason: "asked", cohort: null },
    ],
  });
  expect(stdout.trimEnd().split("\n")).toEqual([
    "nightly: vna for lung, Mon-Fri 02:00 Europe/London; runs next 2026-03-03T02:00:00.000Z",
    "  asks for PatientID=4711 from -7d description /lung/i",
    "  run 12, 2026-03-02T02:00:01.000Z: done, 7 found: 2 new, 1 changed, 4 known, nightly-12-k3x9",
    "  run 11, 2026-03-02T02:00:01.000Z: incomplete [FIND_LIMIT_REACHED], 7 found: 2 new, 1 changed, 4 known, 1 refused, nightly-12-k3x9, made up for 3 missed",
    "  run 10, 2026-03-02T02:00:01.000Z: failed [STANDING_SEARCH_GREW], asked for",
  ]);
});

it.each([
  ["pause", "nightly: paused\n"],
  ["resume", "nightly: runs next 2026-03-03T02:00:00.000Z\n"],
  ["run", "nightly: run 13 is under way\n"],
  ["remove", "nightly is removed; what it brought stays\n"],
])("can %s one", async (verb, expected) => {
  expect(await standing([verb, "nightly"])).toMatchObject({
    ...{ exitCode: 0, stdout: expected, asked: [`${verb} nightly`] },
  });
});

it("says so where there is none of that name", async () => {
  const { exitCode, stderr } = await standing(["pause", "weekly"]);
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("STANDING_NOT_FOUND");
});
