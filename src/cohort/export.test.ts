import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExportRow, JobRecord } from "../store/records.ts";
import { exportCohort } from "./export.ts";
import { readTable } from "./table-file.ts";

const OURS =
  "radferry_job,radferry_state,radferry_code,radferry_verdict,radferry_expected,radferry_received,radferry_delivered," +
  "radferry_pseudonym,radferry_pseudo_study_uid,radferry_finished_at,radferry_left_out";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-export-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function exported(columns: readonly string[], rows: readonly ExportRow[]): Promise<string> {
  return (await Array.fromAsync(exportCohort({ columns, rows: each(rows) }))).join("");
}

function row(cells: readonly string[], outcome: Partial<ExportRow> = {}): ExportRow {
  return { rowNumber: 1, cells, refusedCode: undefined, jobs: [], ...outcome };
}

function job(id: string, fields: Partial<JobRecord> = {}): JobRecord {
  return {
    id,
    project: "trial",
    state: "delivered",
    stage: "confirming",
    code: undefined,
    verdict: "complete",
    archive: "vna",
    seriesInstanceUids: undefined,
    participantId: undefined,
    priority: 3,
    studyInstanceUid: "1.2.3",
    patientId: "4711",
    accessionNumber: "007",
    expected: 3,
    received: 3,
    excluded: 0,
    delivered: 3,
    attempts: 0,
    waitingUntilMs: undefined,
    pseudonym: "P1",
    pseudoStudyInstanceUid: "2.25.1",
    createdAtMs: 0,
    finishedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    ...fields,
  };
}

describe("exportCohort", () => {
  it("gives the submitter's columns back first, then what became of the row", async () => {
    expect(await exported(["site", "MRN"], [row(["A", "0042"], { jobs: [job("j1")] })])).toBe(
      `site,MRN,${OURS}\nA,0042,j1,delivered,,complete,3,3,3,P1,2.25.1,2026-01-02T03:04:05.000Z,\n`,
    );
  });

  it("names the code of a refused row", async () => {
    expect(await exported(["x"], [row(["=1+1"], { refusedCode: "KEY_MISSING" })])).toBe(
      `x,${OURS}\n=1+1,,refused,KEY_MISSING,,,,,,,,\n`,
    );
  });

  it("joins several jobs, adds their counts up and names the worst state", async () => {
    const failed = job("j2", {
      state: "failed",
      code: "TIMED_OUT",
      verdict: undefined,
      expected: 2,
      received: 1,
      delivered: 0,
      pseudonym: undefined,
      pseudoStudyInstanceUid: undefined,
      finishedAtMs: undefined,
    });
    expect(await exported(["x"], [row(["a"], { jobs: [job("j1"), failed] })])).toBe(
      `x,${OURS}\na,j1;j2,failed,;TIMED_OUT,complete;,5,4,3,P1;,2.25.1;,2026-01-02T03:04:05.000Z;,\n`,
    );
  });

  it("tells why instances were left out, job by job", async () => {
    const leftOut = { j2: { "released-without": 1, modality: 3 } };
    const text = await exported(["x"], [row(["a"], { jobs: [job("j1"), job("j2")], leftOut })]);
    expect(text).toMatch(/,";modality 3, released-without 1"\n$/);
  });

  it("gives no sum when one job's count is not known", async () => {
    const text = await exported(["x"], [row(["a"], { jobs: [job("j1"), job("j2", { expected: undefined })] })]);
    expect(text.split("\n")[1]?.split(",").slice(5, 8)).toEqual(["", "6", "6"]);
  });

  it("replaces its own columns when an export is submitted again", async () => {
    const text = await exported(
      ["x", "Radferry State", "radferry_job"],
      [row(["a", "failed", "j0"], { jobs: [job("j1")] })],
    );
    expect(text).toMatch(`x,${OURS}\na,j1,delivered,`);
  });

  it("has in quotes what other readers would take for the end of a line, or trim", async () => {
    const text = await exported(["a", "b", "c"], [row(["1\r2", " 3", "4"])]);
    expect(text.split("\n")[1]).toMatch(/^"1\r2"," 3",4,/);
  });

  it("gives every cell back as it was, whatever is in it", async () => {
    const path = join(folder, "out.csv");
    const cell = fc.string({
      unit: fc.constantFrom("0", "7", "a", " ", ",", ";", "\t", '"', "\n", "\r", "=", "ü", "\\"),
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), async (rows) => {
        await writeFile(
          path,
          await exported(
            ["first", "second"],
            rows.map((cells) => row(cells, { jobs: [job("j1")] })),
          ),
        );
        const table = await readTable(path, () => 0);
        expect(table.rows.map(({ cells }) => cells.slice(0, 2))).toEqual(rows);
      }),
      { numRuns: 60 },
    );
  });
});
