import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import writeExcelFile from "write-excel-file/node";
import { writeParquet } from "../../test/support/omop-extract.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { zipStream } from "../network/zip/zip-stream.ts";
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
        { number: 1, cells: ["00123", "123456789012", "2026-02-03"], doubtful: new Set([2]) },
        { number: 3, cells: ["A é", "1.5", "true"], doubtful: new Set([1, 2]) },
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
    await writeFile(path, await zipOf({ "letter.txt": "nothing of a workbook" }));
    expect(await faultOf(read())).toBe("xlsx-malformed");
  });

  it("that takes more memory than there is ends the thread that reads it, and nothing else", async () => {
    const sheet = Buffer.alloc(48 << 20, 0x20);
    sheet.write("<worksheet>");
    await writeFile(path, await workbookOf(sheet));
    const limits = { fileMs: 30_000, bytesPerSecond: 1_000_000, memoryMegabytes: 16 };
    const task = { source: "xlsx", path, limits: TABLE_LIMITS } as const;
    expect(await faultOf(readPackedTable(task, limits))).toBe("xlsx-malformed");
  });

  it("that would unpack to more than any list needs is refused before it does", async () => {
    await writeExcelFile([HEADER]).toFile(path);
    const workbook = await readFile(path);
    // The size that the directory of the zip gives for the sheet, behind whose header its name stands. APPNOTE 4.3.12.
    workbook.writeUInt32LE(1 << 30, workbook.lastIndexOf("xl/worksheets/sheet1.xml") - 46 + 24);
    await writeFile(path, workbook);
    expect(await faultOf(read())).toBe("file-too-large");
  });
});

async function zipOf(parts: Readonly<Record<string, string | Uint8Array>>): Promise<Uint8Array> {
  const files = Object.entries(parts).map(([name, content]) => {
    const bytes = Buffer.from(content);
    const open = () => Promise.resolve({ sum: crc32(bytes), pieces: [bytes] });
    return { name, path: "", sizeBytes: bytes.length, open };
  });
  return Buffer.concat(await Array.fromAsync(zipStream(files)));
}

const NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/** A workbook of one sheet, from its rows; `formats` are the codes that styles 1, 2, … have. */
function workbookOf(
  rows: string | Uint8Array,
  formats: readonly string[] = [],
  sharedStrings: readonly string[] = [],
): Promise<Uint8Array> {
  const codes = formats.map((code, index) => `<numFmt numFmtId="${164 + index}" formatCode="${code}"/>`).join("");
  const styles = formats.map((_, index) => `<xf numFmtId="${164 + index}"/>`).join("");
  const parts = {
    "xl/workbook.xml": `<workbook ${NAMESPACE} xmlns:r="${RELATION}"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels":
      `<Relationships><Relationship Id="r1" Type="${RELATION}/worksheet" Target="worksheets/sheet1.xml"/>` +
      `<Relationship Id="r2" Type="${RELATION}/styles" Target="/xl/styles.xml"/>` +
      `<Relationship Id="r3" Type="${RELATION}/sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
    "xl/sharedStrings.xml": `<sst ${NAMESPACE}>${sharedStrings.map((item) => `<si>${item}</si>`).join("")}</sst>`,
    "xl/styles.xml": `<styleSheet ${NAMESPACE}><numFmts>${codes}</numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs><xf/>${styles}</cellXfs></styleSheet>`,
  };
  const sheet =
    typeof rows === "string" ? Buffer.from(`<worksheet ${NAMESPACE}><sheetData>${rows}</sheetData></worksheet>`) : rows;
  return zipOf({ ...parts, "xl/worksheets/sheet1.xml": sheet });
}

describe("a number in a key column", () => {
  const HEADING = '<row r="1"><c r="A1" t="inlineStr"><is><t>accession_number</t></is></c></row>';
  const keyOf = async (cell: string, formats: readonly string[] = []) => {
    await writeFile(path, await workbookOf(`${HEADING}<row r="2">${cell}</row>`, formats));
    const { requests, findings } = await readCohortFile(path, { project: "trial", accessionNumbersUnique: true });
    return requests[0]?.accessionNumber ?? findings.map(({ row, code }) => `${row} ${code}`).join();
  };
  const REFUSED = "1 KEY_DAMAGED_BY_SPREADSHEET";

  it("is taken with the zeros that it is shown with, whole and exact, or not at all", async () => {
    const formats = ["00000000", "0.00E+00", "yyyy-mm-dd"];
    expect(await keyOf('<c r="A2" s="1"><v>1234</v></c>', formats)).toBe("00001234");
    expect(await keyOf('<c r="A2" s="2"><v>1000000000000</v></c>', formats)).toBe(REFUSED);
    expect(await keyOf('<c r="A2" s="3"><v>46056</v></c>', formats)).toBe(REFUSED);
    expect(await keyOf('<c r="A2"><v>12345678901234567</v></c>')).toBe(REFUSED);
  });

  it.each([
    ["a date of its own", '<c r="A2" t="d"><v>2026-02-03T00:00:00</v></c>'],
    ["an error", '<c r="A2" t="e"><v>#SPILL!</v></c>'],
    ["a truth", '<c r="A2" t="b"><v>1</v></c>'],
    ["a formula that was not worked out", '<c r="A2"><f>B2</f><v/></c>'],
  ])("or that is %s is refused", async (_, cell) => {
    expect(await keyOf(cell)).toBe(REFUSED);
  });

  it("that a formula gave is taken, and so is its text", async () => {
    expect(await keyOf('<c r="A2"><f>B2</f><v>12</v></c>')).toBe("12");
    expect(await keyOf('<c r="A2" t="str"><f>B2</f><v>A_x0031_2</v></c>')).toBe("A12");
  });
});

describe("a text in a key column", () => {
  const TEXTS = ["<t>accession_number</t>", '<r><t>東</t></r><r><t>12</t></r><rPh sb="0" eb="1"><t>ヒガシ</t></rPh>'];
  const keysOf = async (rows: string) => {
    const heading = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>';
    await writeFile(path, await workbookOf(`${heading}${rows}`, [], TEXTS));
    return (await read()).rows.map(({ cells }) => cells[0]);
  };

  it("is taken with all its runs, and not with how it is read aloud", async () => {
    expect(await keysOf('<row r="2"><c r="A2" t="s"><v>1</v></c></row>')).toEqual(["東12"]);
  });

  it("may stand as it is in the document", async () => {
    expect(await keysOf('<row><c t="str"><v><![CDATA[A<12]]></v></c></row>')).toEqual(["A<12"]);
  });

  it.each([
    ["that is in no list of texts", '<row r="2"><c r="A2" t="s"><v>2</v></c></row>'],
    ["where another stands", '<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>'],
    ["in a row where another stands", '<row r="1"><c r="A1"><v>1</v></c></row>'],
    ["of a kind that nobody knows", '<row r="2"><c r="A2" t="x"><v>1</v></c></row>'],
  ])("%s makes the workbook none", async (_, rows) => {
    expect(await faultOf(keysOf(rows))).toBe("xlsx-malformed");
  });
});

it("counts the rows of a workbook as it shows them, and the cells by where they stand", async () => {
  const text = (place: string, value: string) => `<c r="${place}" t="inlineStr"><is><r><t>${value}</t></r></is></c>`;
  const rows = [
    `<row r="2">${text("A2", "accession_number")}${text("C2", "note")}</row>`,
    `<row r="5">${text("C5", "x")}</row>`,
    '<row r="6"><c r="A6" t="inlineStr"><is><t> </t></is></c><c r="B6" s="0"/></row>',
    `<row r="7">${text("A7", "A1")}</row>`,
  ];
  await writeFile(path, await workbookOf(rows.join("")));
  expect((await read()).rows.map(({ number, cells }) => [number, ...cells])).toEqual([
    [3, "", "", "x"],
    [5, "A1", "", ""],
  ]);
  const { findings } = await readCohortFile(path, { project: "trial", accessionNumbersUnique: true });
  expect(findings).toMatchObject([{ row: 3, code: "KEY_MISSING" }]);
});

describe("a Parquet file", () => {
  it("is a cohort as CSV is, all its columns as text", async () => {
    await writeParquet(path, [
      { name: "accession_number", type: "STRING", data: ["A1", "A2"] },
      { name: "patient_id", type: "INT64", data: [12n, undefined] },
    ]);
    expect(await read()).toEqual({
      columns: ["accession_number", "patient_id"],
      rows: [
        { number: 1, cells: ["A1", "12"] },
        { number: 2, cells: ["A2", ""] },
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
