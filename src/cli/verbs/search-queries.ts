import { resolve } from "node:path";
import { comparable } from "../../cohort/columns.ts";
import { readTable, TableError, unreadableTable } from "../../cohort/table-file.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { SearchQuery } from "../../operations/search/documents.ts";
import type { Cli } from "../cli.ts";

/** How verbs are told what to look for. */
export interface QueryOptions {
  readonly from?: string;
  readonly to?: string;
  readonly modality?: string;
  readonly description?: string;
  /** A file of queries, in the place of all others. */
  readonly queries?: string;
}

type Words = Omit<QueryOptions, "queries">;

function queryOf(keys: readonly string[], { from, to, modality, description }: Words): SearchQuery {
  return { keys, from: dateText(from), to: dateText(to), modality, description };
}

/** 2026-01-31 as DICOM writes it; what is neither is refused by the search. */
function dateText(text: string | undefined): string | undefined {
  return text?.replace(/^(\d{4})-(\d{2})-(\d{2})$/, "$1$2$3");
}

const WORDS = ["from", "to", "modality", "description"] as const;
const QUERY_LIMITS = { sizeBytes: 1 << 20, rows: 2_000, columns: 50, cellCharacters: 400 };

/** @throws GatewayError USAGE_INVALID, COHORT_FILE_MISSING, COHORT_UNREADABLE */
export async function queriesOf(
  { world }: Cli,
  keys: readonly string[],
  options: QueryOptions,
): Promise<readonly SearchQuery[]> {
  if (options.queries === undefined) return [queryOf(keys, options)];
  const given = WORDS.filter((word) => options[word] !== undefined);
  if (keys.length + given.length > 0)
    throw new GatewayError("USAGE_INVALID", {
      problem: "queries come from the file or from the command line, not both",
    });
  try {
    const path = resolve(world.workingFolder, options.queries);
    const { columns, rows } = await readTable(path, (names) => names.length, QUERY_LIMITS);
    return rows.map(({ cells }) => rowQuery(columns, cells));
  } catch (thrown) {
    if (!(thrown instanceof TableError)) throw thrown;
    throw unreadableTable(thrown);
  }
}

const KEYWORDS: Readonly<Record<string, string>> = {
  patientid: "PatientID",
  accessionnumber: "AccessionNumber",
  studyinstanceuid: "StudyInstanceUID",
};

/** Empty cells are not asked about. */
function rowQuery(columns: readonly string[], row: readonly string[]): SearchQuery {
  const cells = columns.map((name, index): [string, string] => [name.trim(), (row[index] ?? "").trim()]);
  const filled = cells.filter(([, cell]) => cell !== "");
  const words: Partial<Record<(typeof WORDS)[number], string>> = {};
  const keys: string[] = [];
  for (const [name, cell] of filled) {
    const word = WORDS.find((one) => one === comparable(name));
    if (word === undefined) keys.push(`${KEYWORDS[comparable(name)] ?? name}=${cell}`);
    else words[word] = cell;
  }
  return queryOf(keys, words);
}
