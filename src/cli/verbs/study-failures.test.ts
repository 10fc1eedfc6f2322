import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { gatewayOf, runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { FailureDocument } from "../../operations/insight-operations.ts";
import type { Operations } from "../../operations/operations.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, "radferry.yaml"), "home: ./home\n");
});
afterEach(() => folder[Symbol.asyncDispose]());

async function study(operations: Partial<Operations>, ...args: readonly string[]) {
  const openGateway = async () => gatewayOf(operations);
  return await runCli(["study", ...args], { workingFolder: folder.path, openGateway });
}

const FAILURE: FailureDocument = {
  code: "STUDY_NOT_FOUND",
  class: "permanent",
  message: "No archive has it.",
  remedy: "Check the row.",
  studies: 3,
  waiting: 2,
  states: { "not-found": 3, waiting: 2 },
  projects: { lung: 4, "heart-mr": 1 },
};

it("does not count to nought what is only tried again", async () => {
  const { stdout } = await study({ listFailures: async () => [{ ...FAILURE, studies: 0 }] }, "failures");
  expect(stdout).toMatch(/^STUDY_NOT_FOUND: No archive has it\. 2 will be tried again\.\n/);
});

it("tells what went wrong, how often and what to do", async () => {
  const { stdout } = await study({ listFailures: async () => [FAILURE] }, "failures");
  expect(stdout).toBe(
    [
      "3 x STUDY_NOT_FOUND: No archive has it. 2 more will be tried again.",
      "  What to do: Check the row.",
      "  lung      4",
      "  heart-mr  1",
      "",
    ].join("\n"),
  );
  expect(JSON.parse((await study({ listFailures: async () => [FAILURE] }, "failures", "--json")).stdout)).toEqual([
    FAILURE,
  ]);
});

it("retries all that ended with a code, of a project or cohort", async () => {
  const asked: unknown[] = [];
  const retryFailures: Operations["retryFailures"] = async (...args) => {
    asked.push(args);
    return { retried: 7 };
  };
  const { stdout } = await study(
    { retryFailures },
    "retry",
    "--code",
    "study_not_found",
    "--project",
    "lung",
    "--json",
  );
  expect(JSON.parse(stdout)).toEqual({ code: "STUDY_NOT_FOUND", project: "lung", retried: 7 });
  expect((await study({ retryFailures }, "retry", "--code", "STUDY_NOT_FOUND")).stdout).toBe(
    "7 studies are queued again\n",
  );
  expect(asked).toEqual([
    ["STUDY_NOT_FOUND", { project: "lung" }],
    ["STUDY_NOT_FOUND", {}],
  ]);
});

it("retries one study", async () => {
  const { stdout } = await study({ retryStudy: async () => ({ retried: 1 }) }, "retry", "job-1");
  expect(stdout).toBe("the study is queued again\n");
});

it.each([
  ["retry"],
  ["retry job-1 --code STUDY_NOT_FOUND"],
  ["retry job-1 --project lung"],
  ["retry --code NO_SUCH_CODE"],
  ["list --code NO_SUCH_CODE"],
])("answers 2 to %s", async (line) => {
  expect((await study({}, ...line.split(" "))).exitCode).toBe(2);
});

it("lists studies by code", async () => {
  const asked: unknown[] = [];
  await study(
    {
      listStudies(filter) {
        asked.push(filter);
        return Readable.from([]);
      },
    },
    ...["list", "--code", "STUDY_NOT_FOUND"],
  );
  expect(asked).toEqual([{ code: "STUDY_NOT_FOUND" }]);
});

it("tells what de-identification did to a study", async () => {
  const studyReport: Operations["studyReport"] = async (id) => ({
    id,
    at: "2026-01-02T03:04:05.000Z",
    outcome: "delivered",
    profile: { name: "research", version: 1, hash: "abcd" },
    keyId: "12345678",
    hasThumbnail: true,
    engine: "Radferry 1",
    counts: { instances: 3, deidentified: 2, excluded: 0, rejected: 1 },
    actions: { removed: 2 },
    elements: [{ tag: "(0010,0010)", keyword: "PatientName", actions: { pseudonym: 2, added: 1 } }],
    unlisted: [],
    private: { "(0029,xx10)": 4 },
    notes: {},
    options: [],
    reviews: [],
    reasons: [{ code: "IDENTIFIER_FOUND", reason: "name in (0008,1030)", count: 1 }],
    verification: { hits: 1, bytes: 500, identifiers: 9 },
  });
  expect((await study({ studyReport }, "report", "job-1")).stdout.split("\n")).toEqual([
    "study          job-1",
    "de-identified  2026-01-02T03:04:05.000Z, by Radferry 1",
    "profile        research 1, rules abcd",
    "instances      2 of 3, 0 left out, 1 kept back",
    "searched       500 bytes for 9 identifiers: 1 output held back",
    "why instances stayed behind:",
    "  IDENTIFIER_FOUND  name in (0008,1030)  1",
    "elements:",
    "  (0010,0010)  PatientName  pseudonym 2, added 1",
    "private, removed:",
    "  (0029,xx10)  4",
    "",
  ]);
});
