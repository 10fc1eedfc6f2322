import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import writeExcelFile from "write-excel-file/node";
import { openGateway } from "../../src/gateway/open-gateway.ts";
import { runCli } from "../support/cli.ts";
import { openService, type Service } from "../support/service.ts";

const SETTINGS = {
  archives: [{ name: "pacs", kind: "dimse", address: "PACS@127.0.0.1:9", retrieve: "get" }],
  destinations: [{ name: "store", kind: "folder", path: "./research" }],
  projects: [
    { name: "lung-ct", archives: ["pacs"], destinations: ["store"], profile: "research", keyFile: "lung.key" },
  ],
};

let service: Service;

beforeAll(async () => {
  service = await openService({ settings: SETTINGS, files: { "lung.key": "ab".repeat(32) } });
});
afterAll(() => service[Symbol.asyncDispose]());

/** A verb beside the running service. */
async function radferry(...verb: readonly string[]) {
  const { folder } = service;
  const { exitCode, stdout, stderr } = await runCli(verb, { workingFolder: folder, openGateway });
  return { exitCode, stdout, stderr };
}

/** Rows of a batch file as ADIT's own template has them, in the sheet of that name, with the cells as people leave them. */
async function writeBatch(name: string, rows: readonly (readonly (string | number)[])[]): Promise<string> {
  const heading = ["PatientID", "StudyInstanceUID", "SeriesInstanceUID", "Pseudonym"].map((value) => ({ value }));
  const cells = rows.map((row) => row.map((value) => (value === "" ? null : { value })));
  await writeExcelFile([heading, ...cells], { sheet: "Batch Transfer" }).toFile(join(service.folder, name));
  return name;
}

const GOOD = [
  // One without zeros in front, which a spreadsheet has turned into a number.
  [1005, "1.2.840.113845.11.1", "1.2.840.113845.11.1.1", "YX1005"],
  [1005, "1.2.840.113845.11.1", "1.2.840.113845.11.1.2", "YX1005"],
  ["0042", "1.2.840.113845.11.2", "", "Z42"],
];

async function cohorts(): Promise<readonly string[]> {
  const listed = await Array.fromAsync(service.gateway.operations.listCohorts());
  return listed.map(({ cohort }) => cohort);
}

it("tells what would come of an ADIT workbook, and hands nothing in", async () => {
  const batch = await writeBatch("rehearsed.xlsx", GOOD);
  const before = await cohorts();
  const { exitCode, stdout } = await radferry(
    ...["cohort", "import", batch, "--from", "adit-xlsx", "--project", "lung-ct", "--dry-run", "--json"],
  );
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ from: "adit-xlsx", sourceRows: 3, studies: 2, findings: [], unused: [] });
  expect(await cohorts()).toEqual(before);
  const named = await radferry(
    ...["cohort", "import", batch, "--from", "adit-xlsx", "--project", "lung-ct", "-o", "w.csv", "--dry-run"],
  );
  expect(named.exitCode).toBe(0);
  expect(await readdir(service.folder)).not.toContain("w.csv");
});

it("hands an ADIT workbook in to a running service, a study for all rows that name it", async () => {
  const batch = await writeBatch("batch.xlsx", GOOD);
  const { exitCode, stdout } = await radferry(
    ...["cohort", "import", batch, "--from", "adit-xlsx", "--project", "lung-ct", "--json"],
  );
  expect(exitCode).toBe(0);
  const { cohort }: { cohort: string } = JSON.parse(stdout);
  const { operations } = service.gateway;
  expect(await operations.cohortStatus(cohort)).toMatchObject({ project: "lung-ct", total: 2 });
  await radferry("cohort", "export", cohort, "-o", "told.csv");
  const [heading = "", ...lines] = (await readFile(join(service.folder, "told.csv"), "utf8")).trim().split(/\r?\n/);
  const columns = heading.split(",");
  const told = lines.map((line) => Object.fromEntries(line.split(",").map((cell, index) => [columns[index], cell])));
  expect(told).toMatchObject([
    {
      study_instance_uid: "1.2.840.113845.11.1",
      series_instance_uids: "1.2.840.113845.11.1.1;1.2.840.113845.11.1.2",
      patient_id: "1005",
      participant_id: "YX1005",
      source_rows: "1 2",
    },
    { study_instance_uid: "1.2.840.113845.11.2", series_instance_uids: "", patient_id: "0042", source_rows: "3" },
  ]);
});

it("hands nothing in while a row is bad, and the others where those are left out", async () => {
  const batch = await writeBatch("bad.xlsx", [
    ...GOOD,
    // A UID that a spreadsheet has turned into a number.
    ["0043", 1.2e15, "", "Z43"],
    ["0044", "", "", "Z44"],
  ]);
  const args = ["cohort", "import", batch, "--from", "adit-xlsx", "--project", "lung-ct"];
  const before = await cohorts();
  const stopped = await radferry(...args);
  expect(stopped.exitCode).toBe(1);
  expect(stopped.stdout).toContain("Row 4, column StudyInstanceUID:");
  expect(stopped.stdout).toContain("Row 5, column StudyInstanceUID:");
  expect(stopped.stdout).not.toContain("0043");
  expect(await cohorts()).toEqual(before);
  const partial = await radferry(...args, "--leave-out-bad", "--json");
  expect(partial.exitCode).toBe(3);
  expect(JSON.parse(partial.stdout)).toMatchObject({ sourceRows: 5, studies: 2, findings: { length: 2 } });
  expect(await cohorts()).toHaveLength(before.length + 1);
});

it("writes an ADIT workbook as a cohort file that can be submitted", async () => {
  const batch = await writeBatch("to-write.xlsx", GOOD);
  const args = ["cohort", "import", batch, "--from", "adit-xlsx", "--project", "lung-ct", "-o", "wanted.csv"];
  expect(await radferry(...args)).toMatchObject({ exitCode: 0 });
  const { stdout } = await radferry("cohort", "submit", "wanted.csv", "--project", "lung-ct", "--json");
  // The same studies are not asked for a second time.
  expect(JSON.parse(stdout)).toMatchObject({ rows: 2, refused: [] });
});

it("tells the rows of a patient who was withdrawn, whom the service would refuse without a word", async () => {
  const withdrawn = await radferry("patient", "withdraw", "--project", "lung-ct", "--patient-id", "0077");
  expect(withdrawn.exitCode).toBe(0);
  const batch = await writeBatch("withdrawn.xlsx", [...GOOD, ["0077", "1.2.840.113845.11.7", "", "Z77"]]);
  const args = ["cohort", "import", batch, "--from", "adit-xlsx", "--project", "lung-ct"];
  const before = await cohorts();
  for (const stopped of [await radferry(...args, "--dry-run"), await radferry(...args)]) {
    expect(stopped.exitCode).toBe(1);
    expect(stopped.stdout).toMatch(/^4 rows, 2 studies, 1 finding\n {2}Row 4: .+ \[PATIENT_WITHDRAWN\]\n/m);
    expect(stopped.stdout).not.toContain("0077");
  }
  expect(await cohorts()).toEqual(before);
  const partial = await radferry(...args, "--leave-out-bad", "--json");
  expect(partial.exitCode).toBe(3);
  expect(JSON.parse(partial.stdout)).toMatchObject({ studies: 2, findings: [{ row: 4, code: "PATIENT_WITHDRAWN" }] });
  expect(await cohorts()).toHaveLength(before.length + 1);
  const alone = await writeBatch("withdrawn-alone.xlsx", [["0077", "1.2.840.113845.11.7", "", "Z77"]]);
  const none = ["cohort", "import", alone, "--from", "adit-xlsx", "--project", "lung-ct", "--leave-out-bad"];
  expect(await radferry(...none)).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("no row can be used") });
  expect(await cohorts()).toHaveLength(before.length + 1);
});
