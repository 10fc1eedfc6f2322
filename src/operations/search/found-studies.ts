import { createReadStream } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { csvLine } from "../../cohort/export.ts";
import type { FoundStudy } from "./documents.ts";
import { FOUND_COLUMNS } from "./question.ts";

/** Lines are written in pieces of about this. */
const PIECE_BYTES = 64 * 1024;
/** Every so many rows their place in the file is remembered, so that a page is found without reading what is before it. */
const ROWS_PER_MARK = 1_000;

/** Line ends to whoever reads the file, that JSON leaves as they are. */
const SEPARATOR = /[\u2028\u2029]/g;

/** How far what was found is kept. */
export interface FoundMark {
  readonly rows: number;
  readonly sizeBytes: number;
  readonly instances: number;
  readonly withoutCount: number;
}

/** Where a search puts what it finds: a line for each study, in a file or, where it only counts, nowhere. */
export interface FoundStudies {
  /** What holds so far. */
  readonly mark: FoundMark;
  /** @param row cells in the order of FOUND_COLUMNS */
  add(row: readonly string[]): Promise<void>;
  /** Forgets what came behind a mark. */
  backTo(mark: FoundMark): Promise<void>;
  /** Writes down what is still in memory. */
  flush(): Promise<void>;
  /** Rows behind a number, in order. Only when nothing is added any more. */
  after(number: number, signal?: AbortSignal): AsyncGenerator<FoundStudy>;
}

export interface FoundFile extends FoundStudies {
  /** Closes the file and removes it. */
  remove(): Promise<void>;
}

const NOTHING: FoundMark = { rows: 0, sizeBytes: 0, instances: 0, withoutCount: 0 };

function markAfter({ rows, sizeBytes, instances, withoutCount }: FoundMark, row: readonly string[], bytes: number) {
  const counted = row[FOUND_COLUMNS.indexOf("instances")] ?? "";
  return {
    rows: rows + 1,
    sizeBytes: sizeBytes + bytes,
    instances: instances + Number(counted),
    withoutCount: withoutCount + (counted === "" ? 1 : 0),
  };
}

/** Counts, and keeps nothing. */
export function countFound(): FoundStudies {
  let mark = NOTHING;
  return {
    get mark() {
      return mark;
    },
    async add(row) {
      mark = markAfter(mark, row, 0);
    },
    async backTo(earlier) {
      mark = earlier;
    },
    async flush() {},
    async *after() {},
  };
}

/** Only its owner may read it: it holds identifiers of patients. @param path of no file yet */
export async function createFoundFile(path: string): Promise<FoundFile> {
  const file = await open(path, "ax", 0o600);
  const places: number[] = [0];
  let mark = NOTHING;
  let pending: string[] = [];
  let pendingBytes = 0;
  const flush = async (): Promise<void> => {
    const text = pending.join("");
    pending = [];
    pendingBytes = 0;
    if (text !== "") await file.appendFile(text);
  };
  return {
    get mark() {
      return mark;
    },
    async add(row) {
      const line = `${JSON.stringify(row).replaceAll(SEPARATOR, escaped)}\n`;
      const bytes = Buffer.byteLength(line);
      mark = markAfter(mark, row, bytes);
      if (mark.rows % ROWS_PER_MARK === 0) places[mark.rows / ROWS_PER_MARK] = mark.sizeBytes;
      pending.push(line);
      pendingBytes += bytes;
      if (pendingBytes >= PIECE_BYTES) await flush();
    },
    async backTo(earlier) {
      await flush();
      await file.truncate(earlier.sizeBytes);
      places.length = Math.floor(earlier.rows / ROWS_PER_MARK) + 1;
      mark = earlier;
    },
    flush,
    async *after(number, signal) {
      const from = Math.min(Math.floor(number / ROWS_PER_MARK), places.length - 1);
      yield* studiesIn(path, { start: places[from] ?? 0, rows: from * ROWS_PER_MARK, after: number }, signal);
    },
    remove: () => removeFile(file, path),
  };
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16)}`;
}

async function removeFile(file: FileHandle, path: string): Promise<void> {
  await file.close();
  await rm(path, { force: true });
}

interface Place {
  readonly start: number;
  /** That lie before it. */
  readonly rows: number;
  readonly after: number;
}

async function* studiesIn(
  path: string,
  { start, rows, after }: Place,
  signal: AbortSignal | undefined,
): AsyncGenerator<FoundStudy> {
  const input = createReadStream(path, { start, encoding: "utf8", ...(signal === undefined ? {} : { signal }) });
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  let number = rows;
  try {
    for await (const line of lines) {
      number += 1;
      if (number > after) yield foundStudy(number, JSON.parse(line));
    }
  } finally {
    lines.close();
    input.destroy();
  }
}

function foundStudy(number: number, cells: readonly string[]): FoundStudy {
  const [studyInstanceUid = "", accessionNumber = "", patientId = "", studyDate = ""] = cells;
  const [, , , , modalities = "", description = "", instances = ""] = cells;
  return {
    ...{ number, studyInstanceUid, accessionNumber, patientId, studyDate, modalities, description },
    instances: instances === "" ? null : Number(instances),
  };
}

/** A cohort file of them, the header first, in pieces. */
export async function* cohortFileOf(studies: AsyncIterable<FoundStudy>): AsyncGenerator<string> {
  let piece = csvLine(FOUND_COLUMNS);
  for await (const study of studies) {
    const { studyInstanceUid, accessionNumber, patientId, studyDate, modalities, description, instances } = study;
    const cells = [studyInstanceUid, accessionNumber, patientId, studyDate, modalities, description];
    piece += csvLine([...cells, instances === null ? "" : `${instances}`]);
    if (piece.length < PIECE_BYTES) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
