import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import writeExcelFile from "write-excel-file/node";
import { writeParquet } from "../../test/support/omop-extract.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { readPackedTable } from "./packed-table.ts";
import { readCohortFile } from "./read-cohort.ts";
import { readCohortTable } from "./read-table.ts";
import { TABLE_LIMITS, TableError } from "./table-file.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let path: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  // What a file is called does not matter.
  path = join(folder.path, "wanted.csv");
});
afterEach(() => folder[Symbol.asyncDispose]());

const HEADER = [{ value: "Accession Number" }, { value: "patient_id" }, { value: "when" }];
const read = (limits = TABLE_LIMITS) => readCohortTable(path, () => 0, limits);
const faultOf = (reading: Promise<unknown>) =>
  reading.then(
    () => "none",
    (thrown: unknown) => (thrown instanceof TableError ? thrown.fault : thrown),
  );

describe("a workbook", () => {
  it("is read as text, cell by cell: long numbers whole, zeros in front as they stand, days as days", async () => {
    await writeExcelFile([
      HEADER,
      [
        { value: "00123", type: String },
        { value: 123_456_789_012, type: Number },
        { value: new Date(Date.UTC(2026, 1, 3)), type: Date, format: "yyyy-mm-dd" },
      ],
      [null, null, null],
      [{ value: "A é" }, { value: 1.5, type: Number }, { value: true, type: Boolean }],
    ]).toFile(path);
    expect(await read()).toEqual({
      columns: ["Accession Number", "patient_id", "when"],
      rows: [
        ["00123", "123456789012", "2026-02-03"],
        ["A é", "1.5", "true"],
      ],
    });
  });

  it("is a cohort as CSV is, its own columns kept", async () => {
    await writeExcelFile([HEADER, [{ value: "ACC1" }, { value: "P1" }, { value: "soon" }]]).toFile(path);
    const cohort = await readCohortFile(path, { project: "trial", accessionNumbersUnique: true });
    expect(cohort).toMatchObject({ rows: 1, findings: [], columns: ["Accession Number", "patient_id", "when"] });
    expect(cohort.requests[0]).toMatchObject({ accessionNumber: "ACC1", cells: ["ACC1", "P1", "soon"] });
  });

  it("with too many rows or columns, or too long a cell, is refused", async () => {
    await writeExcelFile([HEADER, [{ value: "a" }], [{ value: "x".repeat(200) }]]).toFile(path);
    expect(await faultOf(read({ ...TABLE_LIMITS, rows: 1 }))).toBe("too-many-rows");
    expect(await faultOf(read({ ...TABLE_LIMITS, columns: 2 }))).toBe("too-many-columns");
    expect(await faultOf(read({ ...TABLE_LIMITS, cellCharacters: 100 }))).toBe("cell-too-long");
    expect(await faultOf(read({ ...TABLE_LIMITS, sizeBytes: 100 }))).toBe("file-too-large");
  });

  it("that is damaged, or another kind of zip, is refused", async () => {
    await writeExcelFile([HEADER]).toFile(path);
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, whole.length / 2));
    expect(await faultOf(read())).toBe("xlsx-malformed");
    await writeFile(path, zipOf("letter.txt", Buffer.from("nothing of a workbook")));
    expect(await faultOf(read())).toBe("xlsx-malformed");
  });

  it("that unpacks for ever ends the thread that reads it, and nothing else", async () => {
    await writeFile(path, zipOf("xl/worksheets/sheet1.xml", Buffer.alloc(256 << 20, 0x20)));
    const limits = { fileMs: 30_000, bytesPerSecond: 1_000_000, memoryMegabytes: 32 };
    const task = { source: "xlsx", path, limits: TABLE_LIMITS } as const;
    expect(await faultOf(readPackedTable(task, limits))).toMatch(/xlsx-malformed|takes-too-long/);
  });
});

/** A zip of one packed file. APPNOTE 4.3.7, 4.3.12, 4.3.16. */
function zipOf(name: string, content: Buffer): Buffer {
  const [packed, sum] = [deflateRawSync(content), crc32(content)];
  // Version 20, no flags, deflated, no time; then sum, sizes, length of the name, nothing more.
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(20, 0);
  facts.writeUInt16LE(8, 4);
  facts.writeUInt32LE(sum, 10);
  facts.writeUInt32LE(packed.length, 14);
  facts.writeUInt32LE(content.length, 18);
  facts.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), facts, Buffer.from(name), packed]);
  // Version made by 20, the same facts, no comment, disk 0, no attributes, at offset 0.
  const central = Buffer.concat([
    Buffer.from("PK\u0001\u0002\u0014\u0000"),
    facts,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", 0, "latin1");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

describe("a Parquet file", () => {
  it("is a cohort as CSV is, all its columns as text", async () => {
    await writeParquet(path, [
      { name: "accession_number", type: "STRING", data: ["A1", "A2"] },
      { name: "patient_id", type: "INT64", data: [12n, undefined] },
    ]);
    expect(await read()).toEqual({
      columns: ["accession_number", "patient_id"],
      rows: [
        ["A1", "12"],
        ["A2", ""],
      ],
    });
  });

  it("that is cut short is refused", async () => {
    await writeParquet(path, [{ name: "accession_number", type: "STRING", data: ["A1"] }]);
    await using file = await open(path, "r+");
    await file.truncate(20);
    expect(await faultOf(read())).toBe("parquet-malformed");
  });
});
