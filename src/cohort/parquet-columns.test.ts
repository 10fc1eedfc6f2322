import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { writeParquet } from "../../test/support/omop-extract.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { JobRecord } from "../store/records.ts";
import { linkedStudies } from "./linker-table.ts";
import { readParquetColumns, readParquetTable } from "./parquet-columns.ts";
import { readCohortFile } from "./read-cohort.ts";
import { TABLE_LIMITS } from "./table-file.ts";

type Physical = "INT32" | "INT64" | "FIXED_LEN_BYTE_ARRAY" | "BYTE_ARRAY";

/** A file of one column of decimal numbers, given without their decimal point, as databases' numbers are exported. */
async function decimals(path: string, type: Physical, scale: number, unscaled: readonly (bigint | undefined)[]) {
  const root = { name: "root", num_children: 1 };
  const length = type === "FIXED_LEN_BYTE_ARRAY" ? { type_length: 16 } : {};
  const number = {
    name: "accession_number",
    type,
    ...length,
    converted_type: "DECIMAL",
    scale,
    precision: 38,
  } as const;
  const buffer = parquetWriteBuffer({
    schema: [root, { ...number, repetition_type: "OPTIONAL" }],
    columnData: [{ name: "accession_number", data: [...unscaled] }],
  });
  await writeFile(path, new Uint8Array(buffer));
}

describe("a decimal number", () => {
  it.each<readonly [Physical, number, readonly (bigint | undefined)[], readonly (string | undefined)[]]>([
    // Spark's own type of decimals: https://spark.apache.org/docs/latest/sql-ref-datatypes.html
    ["FIXED_LEN_BYTE_ARRAY", 18, [7n * 10n ** 18n, undefined], ["7", undefined]],
    ["FIXED_LEN_BYTE_ARRAY", 0, [9007199254740993n, 123456789012345678n], ["9007199254740993", "123456789012345678"]],
    ["FIXED_LEN_BYTE_ARRAY", 2, [-105n, -5n], ["-1.05", "-0.05"]],
    ["BYTE_ARRAY", 4, [123450000n, 125000n], ["12345", "12.5"]],
    ["INT64", 9, [15_000_000_000n, 0n], ["15", "0"]],
    ["INT32", 4, [10_000n], ["1"]],
  ])("of type %s and scale %i is every digit of it", async (type, scale, unscaled, texts) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "list.parquet");
    await decimals(path, type, scale, unscaled);
    const rows = await readParquetColumns(path, ["accession_number"], TABLE_LIMITS);
    expect(rows.map(([text]) => text)).toEqual(texts);
  });

  it("is read by its newer annotation too, where the older one is left out", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "list.parquet");
    const logical = { type: "DECIMAL", precision: 18, scale: 2 } as const;
    const number = {
      name: "accession_number",
      type: "INT64",
      logical_type: logical,
      repetition_type: "REQUIRED",
    } as const;
    const buffer = parquetWriteBuffer({
      schema: [{ name: "root", num_children: 1 }, number],
      columnData: [{ name: "accession_number", data: [471100n] }],
    });
    await writeFile(path, new Uint8Array(buffer));
    expect(await readParquetColumns(path, ["accession_number"], TABLE_LIMITS)).toEqual([["4711"]]);
  });

  it("of no sensible scale is refused", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "list.parquet");
    await decimals(path, "INT64", 2_000_000_000, [1n]);
    await expect(readParquetTable(path, TABLE_LIMITS)).rejects.toMatchObject({ fault: "parquet-malformed" });
  });
});

it("asks for no study by a floating-point number that may have been another", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "list.parquet");
  // 12345678901234567 and 12345678901234568 are the same double.
  await writeParquet(path, [
    { name: "accession_number", type: "DOUBLE", data: [4711, 12345678901234568, 2 ** 53, 1.5] },
  ]);
  const { requests, findings } = await readCohortFile(path, { project: "trial", accessionNumbersUnique: true });
  expect(requests.map(({ accessionNumber }) => accessionNumber)).toEqual(["4711"]);
  expect(findings.map(({ row, code }) => [row, code])).toEqual(
    [2, 3, 4].map((row) => [row, "KEY_DAMAGED_BY_SPREADSHEET"]),
  );
});

it("keeps the columns of the submitter's own, whatever is in them", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "list.parquet");
  const text = { type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" } as const;
  const note = { ...text, converted_type: "JSON" } as const;
  const buffer = parquetWriteBuffer({
    schema: [
      { name: "root", num_children: 5 },
      { name: "accession_number", ...text },
      { name: "contrast", type: "BOOLEAN", repetition_type: "OPTIONAL" },
      { name: "tags", num_children: 1, converted_type: "LIST", repetition_type: "OPTIONAL" },
      { name: "list", num_children: 1, repetition_type: "REPEATED" },
      { name: "element", ...text },
      { name: "site", num_children: 2, repetition_type: "OPTIONAL" },
      { name: "name", ...text },
      { name: "beds", type: "INT64", repetition_type: "OPTIONAL" },
      { name: "note", ...note },
    ],
    columnData: [
      { name: "accession_number", data: ["4711", "4712", "4713"] },
      { name: "contrast", data: [true, false, null] },
      { name: "tags", data: [["x", "y"], [], null] },
      { name: "site", data: [{ name: "West", beds: 12n }, { name: "East", beds: null }, null] },
      { name: "note", data: [{ a: 1 }, { a: 2 }, null] },
    ],
  });
  await writeFile(path, new Uint8Array(buffer));
  const { columns, rows } = await readParquetTable(path, TABLE_LIMITS);
  expect(columns).toEqual(["accession_number", "contrast", "tags", "site", "note"]);
  expect(rows.map(({ cells }) => cells)).toEqual([
    ["4711", "true", '["x","y"]', '{"name":"West","beds":12}', '{"a":1}'],
    ["4712", "false", "[]", '{"name":"East","beds":null}', '{"a":2}'],
    ["4713", "", "", "", ""],
  ]);
});

it("takes no yes or no for an identifier", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "list.parquet");
  await writeParquet(path, [{ name: "accession_number", type: "BOOLEAN", data: [true] }]);
  const { requests, findings } = await readCohortFile(path, { project: "trial", accessionNumbersUnique: true });
  expect([requests, findings.map(({ code }) => code)]).toEqual([[], ["KEY_DAMAGED_BY_SPREADSHEET"]]);
});

it("writes a whole number that may have been another as the floating-point number that it is, so that no procedure is linked by it", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "list.parquet");
  await writeParquet(path, [{ name: "procedure_id", type: "DOUBLE", data: [4711, 12345678901234568, 1.5] }]);
  const { columns, rows } = await readParquetTable(path, TABLE_LIMITS);
  const texts = rows.map(({ cells: [text = ""] }) => text);
  expect(texts).toEqual(["4711", "1.2345678901234568e+16", "1.5"]);
  const delivered = { state: "delivered", pseudoStudyInstanceUid: "2.25.1" } as JobRecord;
  const linked = async (text: string) =>
    await linkedStudies({
      columns,
      rows: (async function* () {
        yield { rowNumber: 1, cells: [text], refusedCode: undefined, jobs: [delivered] };
      })(),
    });
  expect(await linked(texts[0] ?? "")).toHaveLength(1);
  await expect(linked(texts[1] ?? "")).rejects.toMatchObject({ code: "COHORT_NOT_LINKABLE" });
});

it("asks for none by a short floating-point number either, be it below nothing", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "list.parquet");
  const accessionNumbers = { name: "accession_number", type: "FLOAT", data: [4711, 2 ** 24, -(2 ** 24)] } as const;
  await writeParquet(path, [accessionNumbers]);
  const { rows } = await readParquetTable(path, TABLE_LIMITS);
  expect(rows.map(({ doubtful }) => [...(doubtful ?? [])])).toEqual([[], [0], [0]]);
});

it("has no more columns than a list may have", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "list.parquet");
  const columns = ["a", "b", "c"].map((name) => ({ name, type: "STRING", data: ["1"] }) as const);
  await writeParquet(path, columns);
  expect((await readParquetTable(path, { ...TABLE_LIMITS, columns: 3 })).columns).toEqual(["a", "b", "c"]);
  const reading = readParquetTable(path, { ...TABLE_LIMITS, columns: 2 });
  await expect(reading).rejects.toMatchObject({ fault: "too-many-columns" });
});
