import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PracticeDataAccess, startDataAccess } from "../../../test/peers/data-access-api.ts";
import { syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { type PracticeXnat, startXnat } from "../../../test/peers/xnat/start-xnat.ts";
import { runCli } from "../../../test/support/cli.ts";

const STUDIES = ["ACC1", "ACC2"].map((accessionNumber, index) =>
  syntheticStudy({ seed: 6_700 + index, modality: "MR", rows: 4, columns: 4, accessionNumber }),
);

let xnat: PracticeXnat;
let dataAccess: PracticeDataAccess;
let folder: string;
beforeAll(async () => {
  xnat = await startXnat({ studies: STUDIES, projects: ["trial"], workEveryMs: 0 });
  dataAccess = await startDataAccess(["ACC1", "ACC2", "ACC3"]);
  folder = await mkdtemp(join(tmpdir(), "flip-verbs-"));
  await writeFile(join(folder, "cohort.sql"), "SELECT 1");
});
afterAll(async () => {
  await xnat[Symbol.asyncDispose]();
  await dataAccess[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const checkArguments = ["flip", "status", "trial", "--query-file", "cohort.sql", "--check", "--json"] as const;

function flip(...args: readonly string[]) {
  return runCli(["flip", ...args, "--query-file", "cohort.sql", "--json"], world());
}

function world() {
  const environment = {
    XNAT_URL: xnat.url,
    XNAT_PORT: "8104",
    XNAT_SERVICE_USER: xnat.username,
    XNAT_SERVICE_PASSWORD: xnat.password,
    DATA_ACCESS_API_URL: dataAccess.url,
    BASE_IMAGES_DOWNLOAD_DIR: folder,
    AES_KEY_BASE64: Buffer.alloc(32, 1).toString("base64"),
  };
  return { environment, workingFolder: folder };
}

it("retrieves, shows and retries a project's cohort", async () => {
  const retrieved = await flip("retrieve", "trial");
  expect(retrieved.exitCode).toBe(0);
  expect(JSON.parse(retrieved.stdout)).toEqual({
    queued: true,
    accessions: 3,
    queuedNow: 2,
    present: 0,
    problems: [{ accession: "ACC3", code: "FLIP_ACCESSION_NOT_FOUND" }],
  });
  const status = await flip("status", "trial");
  expect([status.exitCode, JSON.parse(status.stdout)]).toEqual([
    0,
    expect.objectContaining({ successful: [], queued: ["ACC1", "ACC2"], queueFailed: ["ACC3"] }),
  ]);
  const again = await flip("retry", "trial");
  expect([again.exitCode, JSON.parse(again.stdout)]).toEqual([
    3,
    expect.objectContaining({ queuedNow: 0, present: 2 }),
  ]);
  expect(xnat.state.queued).toHaveLength(2);
  xnat.switches.emptyShells = true;
  for (let round = 0; round < 8; round += 1) await xnat.work();
  const checked = await runCli([...checkArguments], world());
  expect([checked.exitCode, JSON.parse(checked.stdout).completeness]).toEqual([
    3,
    [
      { accession: "ACC1", verdict: "empty", code: "XNAT_SESSION_EMPTY" },
      { accession: "ACC2", verdict: "empty", code: "XNAT_SESSION_EMPTY" },
    ],
  ]);
  for (const { stderr } of [retrieved, status, again]) expect(stderr).not.toMatch(/ACC\d|SELECT/);
});

it("says what is wrong: the project, the query's file, the environment", async () => {
  const unknown = await flip("status", "other");
  expect([unknown.exitCode, JSON.parse(unknown.stdout).error.code]).toEqual([1, "FLIP_PROJECT_NOT_FOUND"]);
  const missing = await runCli(["flip", "status", "trial", "--query-file", "none", "--json"], {
    workingFolder: folder,
  });
  expect([missing.exitCode, JSON.parse(missing.stdout).error.code]).toEqual([2, "USAGE_INVALID"]);
  const bare = await runCli(["flip", "status", "trial", "--query-file", "cohort.sql"], {
    workingFolder: folder,
    environment: { AES_KEY_BASE64: "short", XNAT_PORT: "http" },
  });
  expect(bare.exitCode).toBe(2);
  for (const name of [
    "XNAT_SERVICE_USER",
    "XNAT_SERVICE_PASSWORD",
    "BASE_IMAGES_DOWNLOAD_DIR",
    "AES_KEY_BASE64",
    "XNAT_PORT",
  ])
    expect(bare.stderr).toContain(name);
  expect(bare.stderr).not.toContain("short");
});
