import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { writeParquet } from "../../test/support/omop-extract.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
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
