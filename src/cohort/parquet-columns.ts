import { open } from "node:fs/promises";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  snappyUncompress,
} from "hyparquet";
import { numbered, type Table, TableError, type TableLimits } from "./table-file.ts";

/** An extract has a row for every procedure, of which few are wanted. */
const ROWS_READ_FOR_EACH_KEPT = 10;
const FILE_LIMIT_BYTES = 1 << 30;
/** One page, unpacked. Writers make them of a mebibyte. */
const PAGE_LIMIT_BYTES = 256 << 20;

/**
 * The named columns of a Parquet file as texts, a row for each of its rows; undefined where there is no value. Whole numbers are written
 * without a fraction, also those that come as floating-point numbers; days as `YYYY-MM-DD`. A file that was made to be read for ever is: whoever
 * does not know where it is from reads it in a thread that can be ended.
 * @param onFile told how large it is, before it is read
 * @throws TableError
 */
export async function readParquetColumns(
  path: string,
  columns: readonly string[],
  limits: TableLimits,
  onFile?: (sizeBytes: number) => void,
): Promise<readonly (readonly (string | undefined)[])[]> {
  return (await readParquet(path, { columns, limits, maximumRows: limits.rows * ROWS_READ_FOR_EACH_KEPT, onFile }))
    .rows;
}

/** All columns, as `readParquetColumns` has them; empty where there is no value. @throws TableError */
export async function readParquetTable(
  path: string,
  limits: TableLimits,
  onFile?: (sizeBytes: number) => void,
): Promise<Table> {
  const { columns, rows } = await readParquet(path, { columns: undefined, limits, maximumRows: limits.rows, onFile });
  return { columns, rows: numbered(rows.map((row) => row.map((cell) => cell ?? ""))) };
}

interface ParquetTask {
  /** Undefined: all there are. */
  readonly columns: readonly string[] | undefined;
  readonly limits: TableLimits;
  readonly maximumRows: number;
  readonly onFile: ((sizeBytes: number) => void) | undefined;
}

async function readParquet(path: string, { columns: wanted, limits, maximumRows, onFile }: ParquetTask) {
  await using handle = await open(path, "r").catch(() => {
    throw new TableError("folder-incomplete");
  });
  const { size } = await handle.stat();
  if (size > FILE_LIMIT_BYTES) throw new TableError("file-too-large");
  onFile?.(size);
  const file: AsyncBuffer = {
    byteLength: size,
    async slice(start, end = size) {
      if (!(start >= 0 && start <= end && end <= size)) throw new RangeError("outside of the file");
      const bytes = new Uint8Array(end - start);
      await handle.read(bytes, 0, bytes.length, start);
      return bytes.buffer;
    },
  };
  const metadata = await attempt(() => parquetMetadataAsync(file));
  const columns = wanted ?? columnsOf(metadata, limits);
  checkMetadata(metadata, columns, maximumRows);
  const rows = await attempt(() =>
    parquetReadObjects({ file, metadata, columns: [...columns], compressors: COMPRESSORS }),
  );
  const texts = rows.map((row: Readonly<Record<string, unknown>>) => columns.map((name) => textOf(row[name], limits)));
  return { columns, rows: texts };
}

/** Those that are no groups of others. @throws TableError */
function columnsOf({ schema }: FileMetaData, limits: TableLimits): readonly string[] {
  const [, ...elements] = schema;
  const names = elements.filter(({ num_children: children = 0 }) => children === 0).map(({ name }) => name);
  if (names.length > limits.columns) throw new TableError("too-many-columns");
  if (names.length === 0) throw new TableError("empty");
  return names;
}

/** What is said before anything is unpacked. @throws TableError */
function checkMetadata(
  { num_rows: rows, schema }: FileMetaData,
  columns: readonly string[],
  maximumRows: number,
): void {
  const names = new Set(schema.map(({ name }) => name));
  const missing = columns.find((name) => !names.has(name));
  if (missing !== undefined) throw new TableError("column-missing", undefined, missing);
  if (rows < 0 || rows > maximumRows) throw new TableError("too-many-rows");
}

const COMPRESSORS: Compressors = {
  SNAPPY: limited((input, outputBytes) => snappy(input, outputBytes)),
  GZIP: limited((input, maxOutputLength) => gunzipSync(input, { maxOutputLength })),
  BROTLI: limited((input, maxOutputLength) => brotliDecompressSync(input, { maxOutputLength })),
  ZSTD: limited((input, maxOutputLength) => zstdDecompressSync(input, { maxOutputLength })),
};

type Unpack = (input: Uint8Array, outputBytes: number) => Uint8Array;

function limited(unpack: Unpack): Unpack {
  return (input, outputBytes) => {
    if (outputBytes > PAGE_LIMIT_BYTES) throw new TableError("file-too-large");
    // A page without values, which zlib takes for no limit that it knows.
    return outputBytes === 0 ? new Uint8Array(0) : unpack(input, outputBytes);
  };
}

function snappy(input: Uint8Array, outputBytes: number): Uint8Array {
  const output = new Uint8Array(outputBytes);
  snappyUncompress(input, output);
  return output;
}

/** What the library throws of a file that is none: plain errors, and range errors of views. */
async function attempt<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    throw thrown instanceof TableError ? thrown : new TableError("parquet-malformed");
  }
}

/** @throws TableError */
function textOf(value: unknown, { cellCharacters }: TableLimits): string | undefined {
  if (value === undefined || value === null || Number.isNaN(value)) return undefined;
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TableError("parquet-malformed");
    return value.toISOString().replace("T00:00:00.000Z", "");
  }
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "bigint") {
    throw new TableError("parquet-malformed");
  }
  const text = String(value);
  if (text.length > cellCharacters) throw new TableError("cell-too-long");
  return text;
}
