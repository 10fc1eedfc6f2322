import { TableError, type TableLimits } from "../table-file.ts";
import { type CellValue, dayText, NOTHING, numberValue } from "./cell-value.ts";
import { readXml } from "./read-xml.ts";
import { createTextItem, unescaped, type Workbook } from "./workbook.ts";

/** A row of a sheet in which something stands. */
export interface SheetRow {
  /** As the spreadsheet numbers it, from 1. */
  readonly number: number;
  /** By column, from 0; blank cells are left out. */
  readonly cells: ReadonlyMap<number, CellValue>;
}

/** A cell while it is read. ISO/IEC 29500-1 18.3.1.4. */
interface OpenCell {
  readonly column: number;
  readonly type: string;
  readonly style: number;
  value: string | undefined;
  inline: string | undefined;
  hasFormula: boolean;
}

/** The rows of a workbook's first sheet. Throws when it is no sheet. @throws TableError */
export async function readSheetRows(workbook: Workbook, limits: TableLimits): Promise<readonly SheetRow[]> {
  const rows: SheetRow[] = [];
  const inline = createTextItem();
  let number = 0;
  let column = -1;
  let cells = new Map<number, CellValue>();
  let cell: OpenCell | undefined;
  await readXml(workbook.sheet, {
    open(name, attribute) {
      if (name === "row") {
        number = after(number, attribute("r"));
        column = -1;
        cells = new Map();
      } else if (name === "c") {
        column = after(column, columnOf(attribute("r")));
        const style = Number(attribute("s") ?? 0);
        const type = attribute("t") ?? "n";
        cell = { column, type, style, value: undefined, inline: undefined, hasFormula: false };
      } else if (name === "f" && cell !== undefined) cell.hasFormula = true;
      else if (name === "is") inline.begin();
      else inline.open(name);
    },
    close(name, text) {
      if (name === "v" && cell !== undefined) cell.value = text;
      else if (name === "is" && cell !== undefined) cell.inline = inline.end();
      else if (name === "c" && cell !== undefined) {
        keep(cells, cell, workbook, limits);
        cell = undefined;
      } else if (name === "row" && cells.size > 0) {
        // One more than the limit is the heading.
        if (rows.length > limits.rows) throw new TableError("too-many-rows");
        rows.push({ number, cells });
      } else inline.close(name, text);
    },
  });
  return rows;
}

/** Rows and columns that are not numbered follow the one before; none comes twice. @throws TableError */
function after(last: number, written: string | number | undefined): number {
  const next = written === undefined ? last + 1 : Number(written);
  if (!Number.isInteger(next) || next <= last) throw new TableError("xlsx-malformed");
  return next;
}

/** `AA12`: 26. @throws TableError */
function columnOf(reference: string | undefined): number | undefined {
  if (reference === undefined) return undefined;
  const letters = /^([A-Z]{1,3})\d+$/.exec(reference)?.[1];
  if (letters === undefined) throw new TableError("xlsx-malformed");
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

function keep(cells: Map<number, CellValue>, cell: OpenCell, workbook: Workbook, limits: TableLimits): void {
  const value = cellValue(cell, workbook);
  if (value === undefined) throw new TableError("xlsx-malformed");
  if (value.text.trim() === "" && !value.isDoubtful) return;
  if (cell.column >= limits.columns) throw new TableError("too-many-columns");
  if (value.text.length > limits.cellCharacters) throw new TableError("cell-too-long");
  cells.set(cell.column, value);
}

const plain = (text: string): CellValue => ({ text, isDoubtful: false });
const doubtful = (text: string): CellValue => ({ text, isDoubtful: true });

/** A value by the type of its cell, ISO/IEC 29500-1 18.18.11; undefined: what stands there is not of this type. */
const VALUES: Readonly<Record<string, (value: string, cell: OpenCell, workbook: Workbook) => CellValue | undefined>> = {
  s: (value, _, { sharedStrings }) => {
    const text = sharedStrings[Number(value)];
    return text === undefined ? undefined : plain(text);
  },
  str: (value) => plain(unescaped(value)),
  b: (value) => doubtful(value === "1" ? "true" : "false"),
  e: (value) => doubtful(value),
  d: (value) => doubtful(dayText(value)),
  n: (value, { style }, { formats, isFrom1904 }) =>
    numberValue(value.trim(), formats[style] ?? { kind: style === 0 ? "plain" : "other" }, isFrom1904),
};

function cellValue(cell: OpenCell, workbook: Workbook): CellValue | undefined {
  const { type, value, inline, hasFormula } = cell;
  if (type === "inlineStr") return plain(inline ?? "");
  if (value !== undefined && value !== "") return VALUES[type]?.(value, cell, workbook);
  // Nobody has worked out yet what the formula gives. A text that a formula gives may be empty.
  return hasFormula && !(type === "str" && value === "") ? doubtful("") : NOTHING;
}
