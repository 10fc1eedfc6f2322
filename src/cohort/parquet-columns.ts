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
import {
  elementsOfTable,
  type ParquetCell,
  parquetCell,
  parquetCellOfAny,
  parquetColumn,
  withPlainColumns,
} from "./parquet-value.ts";
import { numbered, type Table, TableError, type TableLimits, type TableRow } from "./table-file.ts";

/** An extract has a row for every procedure, of which few are wanted. */
const ROWS_READ_FOR_EACH_KEPT = 10;
const FILE_LIMIT_BYTES = 1 << 30;
/** One page, unpacked. Writers make them of a mebibyte. */
const PAGE_LIMIT_BYTES = 256 << 20;

/**
 * The named columns of a Parquet file as texts, a row for each of its rows; undefined where there is no value. Whole numbers are written
 * without a fraction, also those that come as floating-point or decimal numbers; days as `YYYY-MM-DD`. A file that was made to be read for ever is: whoever
 * does not know where it is from reads it in a thread that can be ended.
 * @param onFile told how large it is, before it is read
 * @param onDoubt told of each text of a floating-point number that may have been another one
 * @throws TableError
 */
export async function readParquetColumns(
  path: string,
  columns: readonly string[],
  limits: TableLimits,
  onFile?: (sizeBytes: number) => void,
  onDoubt: (text: string) => void = () => undefined,
): Promise<readonly (readonly (string | undefined)[])[]> {
  const maximumRows = limits.rows * ROWS_READ_FOR_EACH_KEPT;
  const { rows } = await readParquet(path, { columns, limits, maximumRows, onFile });
  return rows.map((row) =>
    row.map((cell) => {
      if (cell?.isDoubtful === true) onDoubt(cell.text);
      return cell?.text;
    }),
  );
}

/** All columns, as `readParquetColumns` has them; empty where there is no value. @throws TableError */
export async function readParquetTable(
  path: string,
  limits: TableLimits,
  onFile?: (sizeBytes: number) => void,
): Promise<Table> {
  const { columns, rows } = await readParquet(path, { columns: undefined, limits, maximumRows: limits.rows, onFile });
  const table = numbered(rows.map((row) => row.map((cell) => cell?.text ?? "")));
  return { columns, rows: table.map((row, index) => ({ ...row, ...doubtIn(rows[index] ?? []) })) };
}

/** In which columns a floating-point number stands that may have been another one. */
function doubtIn(cells: readonly (ParquetCell | undefined)[]): Pick<TableRow, "doubtful"> {
  const doubtful = cells.flatMap((cell, index) => (cell?.isDoubtful === true ? [index] : []));
  return doubtful.length === 0 ? {} : { doubtful: new Set(doubtful) };
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
  const known = columns.map((name) => ({ name, column: parquetColumn(metadata, name) }));
  const plain = { metadata: withPlainColumns(metadata), utf8: false };
  const rows = await attempt(() =>
    parquetReadObjects({ file, ...plain, columns: [...columns], compressors: COMPRESSORS }),
  );
  // Who names his columns looks for identifiers and days there.
  const read = wanted === undefined ? parquetCellOfAny : parquetCell;
  const cells = rows.map((row: Readonly<Record<string, unknown>>) =>
    known.map(({ name, column }) => limitedTo(limits, read(row[name], column))),
  );
  return { columns, rows: cells };
}

/** @throws TableError */
function columnsOf(metadata: FileMetaData, limits: TableLimits): readonly string[] {
  const names = elementsOfTable(metadata).map(({ name }) => name);
  if (names.length > limits.columns) throw new TableError("too-many-columns");
  if (names.length === 0) throw new TableError("empty");
  return names;
}

/** What is said before anything is unpacked. @throws TableError */
function checkMetadata(metadata: FileMetaData, columns: readonly string[], maximumRows: number): void {
  const { num_rows: rows } = metadata;
  const names = new Set(elementsOfTable(metadata).map(({ name }) => name));
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
function limitedTo({ cellCharacters }: TableLimits, cell: ParquetCell | undefined): ParquetCell | undefined {
  if (cell !== undefined && cell.text.length > cellCharacters) throw new TableError("cell-too-long");
  return cell;
}
