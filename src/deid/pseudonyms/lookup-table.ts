import { open } from "node:fs/promises";
import { CsvError } from "csv-parse";
import { parse } from "csv-parse/sync";
import { isUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { parsePseudonym } from "../../staging/deidentified-file.ts";
import {
  LOOKUP_KINDS,
  type LookupKind,
  type LookupTable,
  lookupTableOfRows,
  normalizeIdentifier,
} from "./lookup-rows.ts";

export interface LookupOptions {
  /** Rows with another project in their column `project` are not ours. */
  readonly project: string;
  /** Two patients may become one. */
  readonly merge: boolean;
}

/** What is wrong with a row; the row itself is never shown. */
type RowProblem =
  | "columns"
  | "kind-unknown"
  | "original-empty"
  | "replacement-invalid"
  | "original-twice"
  | "replacement-twice"
  | "same-as-original";

const COLUMNS = ["kind", "original", "replacement"] as const;
const FILE_LIMIT_BYTES = 64 * 2 ** 20;
/** LO, PS3.5 6.2. */
const ORIGINAL_LIMIT = 64;
/** SH, PS3.5 6.2: 16 printable characters, no backslash; no caret, which would make parts of it. */
const ACCESSION = /^(?! )[\x20-\x5b\x5d\x5f-\x7e]{1,16}(?<! )$/;

/** AE, PS3.5 6.2. */
const AE_TITLE = /^(?! )[\x20-\x5b\x5d-\x7e]{1,16}(?<! )$/;

const IS_VALID: Readonly<Record<LookupKind, (replacement: string) => boolean>> = {
  patient: isPseudonym,
  accession: (replacement) => ACCESSION.test(replacement),
  study: isUid,
  "ae-title": (replacement) => AE_TITLE.test(replacement),
};

/**
 * Reads a table with the columns `kind,original,replacement` and, if need be, `project` (CSV, UTF-8). All of it must be right.
 * @throws GatewayError LOOKUP_TABLE_UNREADABLE; LOOKUP_TABLE_INVALID with the number of the first bad data row, counted from 1
 */
export async function loadLookupTable(path: string, options: LookupOptions): Promise<LookupTable> {
  return lookupTableOf(await readText(path), options);
}

/** @throws GatewayError LOOKUP_TABLE_INVALID */
export function lookupTableOf(csv: string, options: LookupOptions): LookupTable {
  const [header = [], ...rows] = records(csv);
  const columns = header.map((name) => name.trim().toLowerCase());
  const isKnown = COLUMNS.every((name, index) => columns[index] === name) && (columns[3] ?? "project") === "project";
  if (!isKnown || columns.length > COLUMNS.length + 1) throw invalid(0, "columns");
  const tables: Record<LookupKind, KindTable> = {
    patient: newTable(),
    accession: newTable(),
    study: newTable(),
    "ae-title": newTable(),
  };
  for (const [index, row] of rows.entries()) {
    const problem = addRow(tables, row, options);
    if (problem !== undefined) throw invalid(index + 1, problem);
  }
  const { patient, accession, study, "ae-title": aeTitle } = tables;
  return lookupTableOfRows({
    patient: patient.replacements,
    accession: accession.replacements,
    study: study.replacements,
    "ae-title": aeTitle.replacements,
  });
}

interface KindTable {
  readonly replacements: Map<string, string>;
  readonly taken: Set<string>;
}

function newTable(): KindTable {
  return { replacements: new Map(), taken: new Set() };
}

function addRow(
  tables: Readonly<Record<LookupKind, KindTable>>,
  [kindText = "", originalText = "", replacementText = "", project = ""]: readonly string[],
  options: LookupOptions,
): RowProblem | undefined {
  const kind = LOOKUP_KINDS.find((one) => one === kindText.trim().toLowerCase());
  if (kind === undefined) return "kind-unknown";
  const original = normalizeIdentifier(originalText);
  const replacement = replacementText.trim();
  if (original === "" || original.length > ORIGINAL_LIMIT) return "original-empty";
  if (!IS_VALID[kind](replacement)) return "replacement-invalid";
  if (original === replacement) return "same-as-original";
  if (project.trim() !== "" && project.trim() !== options.project) return undefined;
  const { replacements, taken } = tables[kind];
  const known = replacements.get(original);
  if (known !== undefined) return known === replacement ? undefined : "original-twice";
  if (taken.has(replacement) && !(kind === "patient" && options.merge)) return "replacement-twice";
  replacements.set(original, replacement);
  taken.add(replacement);
  return undefined;
}

function records(csv: string): string[][] {
  try {
    return parse(csv, { bom: true, skip_empty_lines: true });
  } catch (thrown) {
    // Its message may quote the file.
    if (thrown instanceof CsvError) throw invalid(0, "columns");
    throw thrown;
  }
}

function isPseudonym(text: string): boolean {
  try {
    return parsePseudonym(text) === text;
  } catch {
    return false;
  }
}

async function readText(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    if ((await file.stat()).size > FILE_LIMIT_BYTES)
      throw new GatewayError("LOOKUP_TABLE_UNREADABLE", { reason: "too-large" });
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.readFile());
  } catch (thrown) {
    throw thrown instanceof GatewayError ? thrown : new GatewayError("LOOKUP_TABLE_UNREADABLE", {}, thrown);
  }
}

function invalid(row: number, problem: RowProblem): GatewayError {
  return new GatewayError("LOOKUP_TABLE_INVALID", { row, problem });
}
