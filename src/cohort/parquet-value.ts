import type { FileMetaData, SchemaElement } from "hyparquet";
import { TableError } from "./table-file.ts";

/** Decimal numbers of databases have 38 digits, some 76. */
const LARGEST_SCALE = 76;
/** Whole numbers below are no other's: two may share a floating-point number above. IEEE 754-2019 table 3.5. */
const EXACT_BELOW: Readonly<Record<string, number>> = { FLOAT: 2 ** 24, DOUBLE: 2 ** 53 };

/** What the values of a column are. */
export interface ParquetColumn {
  readonly type: SchemaElement["type"];
  /** Of decimal numbers: how many of the digits stand behind the point. */
  readonly scale: number | undefined;
}

/** A value as text, and whether it is no identifier that somebody wrote down: it may have been another one then. */
export interface ParquetCell {
  readonly text: string;
  readonly isDoubtful: boolean;
}

/** The columns of the table, whatever lies within them. Parquet, nested encoding: every element is followed by those within it. */
export function elementsOfTable({ schema }: FileMetaData): readonly SchemaElement[] {
  const [, ...elements] = schema;
  let within = 0;
  return elements.filter(({ num_children: children = 0 }) => {
    const isOfTable = within === 0;
    within += children - (isOfTable ? 0 : 1);
    return isOfTable;
  });
}

/** @throws TableError */
export function parquetColumn(metadata: FileMetaData, wanted: string): ParquetColumn {
  const element = elementsOfTable(metadata).find(({ name }) => name === wanted);
  const scale = element === undefined || !isDecimal(element) ? undefined : scaleOf(element);
  if (scale !== undefined && !(scale >= 0 && scale <= LARGEST_SCALE)) throw new TableError("parquet-malformed");
  return { type: element?.type, scale };
}

function isDecimal({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return converted === "DECIMAL" || logical?.type === "DECIMAL";
}

function scaleOf({ scale, logical_type: logical }: SchemaElement): number {
  return scale ?? (logical?.type === "DECIMAL" ? logical.scale : undefined) ?? 0;
}

/**
 * With decimal numbers and JSON as what they are written as: the library makes floating-point numbers of the ones, of which 7 may be 7.000000000000001,
 * and objects of the others.
 */
export function withPlainColumns(metadata: FileMetaData): FileMetaData {
  const ofTable = new Set(elementsOfTable(metadata));
  const schema = metadata.schema.map((element) => {
    if (!ofTable.has(element) || !(isDecimal(element) || isJson(element))) return element;
    const { converted_type: _, logical_type: __, ...plain } = element;
    return plain;
  });
  return { ...metadata, schema };
}

function isJson({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return converted === "JSON" || logical?.type === "JSON";
}

/** As `parquetCell`, and what no identifier is but somebody may keep: a yes or no, and what has values within it, as JSON. @throws TableError */
export function parquetCellOfAny(value: unknown, column: ParquetColumn): ParquetCell | undefined {
  if (typeof value === "boolean") return { text: String(value), isDoubtful: true };
  const hasType = column.type !== undefined;
  if (value === undefined || value === null || hasType) return parquetCell(value, column);
  try {
    return { text: JSON.stringify(value, inJson), isDoubtful: true };
  } catch {
    // Deeper than anybody nests.
    throw new TableError("parquet-malformed");
  }
}

function inJson(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
}

/** @param value as the library has it where it leaves bytes as they are @returns undefined: there is none @throws TableError */
export function parquetCell(value: unknown, column: ParquetColumn): ParquetCell | undefined {
  if (value === undefined || value === null || Number.isNaN(value)) return undefined;
  if (column.scale !== undefined) return exact(decimalText(wholeOf(value), column.scale));
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TableError("parquet-malformed");
    return exact(value.toISOString().replace("T00:00:00.000Z", ""));
  }
  if (value instanceof Uint8Array && column.type === "BYTE_ARRAY") return exact(new TextDecoder().decode(value));
  if (typeof value === "string" || typeof value === "bigint") return exact(String(value));
  if (typeof value !== "number") throw new TableError("parquet-malformed");
  const most = EXACT_BELOW[column.type ?? ""];
  const isExact = most === undefined || (Number.isInteger(value) && Math.abs(value) < most);
  // Nobody takes it for the whole number that was written down.
  const isOther = !isExact && Number.isInteger(value);
  return { text: isOther ? value.toExponential() : String(value), isDoubtful: !isExact };
}

function exact(text: string): ParquetCell {
  return { text, isDoubtful: false };
}

/** Big-endian two's complement where it is bytes. Parquet, LogicalTypes: DECIMAL. */
function wholeOf(value: unknown): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (!(value instanceof Uint8Array) || value.length > MOST_DECIMAL_BYTES) throw new TableError("parquet-malformed");
  const digits = Buffer.from(value).toString("hex");
  return digits === "" ? 0n : BigInt.asIntN(value.length * 8, BigInt(`0x${digits}`));
}

/** 76 digits take 32. */
const MOST_DECIMAL_BYTES = 64;

/** Without zeros behind the point that say nothing. */
function decimalText(whole: bigint, scale: number): string {
  const digits = String(whole < 0n ? -whole : whole).padStart(scale + 1, "0");
  const point = digits.length - scale;
  const fraction = digits.slice(point).replace(/0+$/, "");
  const text = fraction === "" ? digits.slice(0, point) : `${digits.slice(0, point)}.${fraction}`;
  return whole < 0n ? `-${text}` : text;
}
