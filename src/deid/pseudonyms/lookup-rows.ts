export const LOOKUP_KINDS = ["patient", "accession", "study", "ae-title"] as const;
export type LookupKind = (typeof LOOKUP_KINDS)[number];

/** Replacements that a site made itself: they win over keyed ones. Originals stay in memory. */
export interface LookupTable {
  replacementOf(kind: LookupKind, original: string): string | undefined;
  /** Whether the table speaks of the kind at all. */
  has(kind: LookupKind): boolean;
}

/** Replacements by original, of each kind: plain data. */
export type LookupRows = Readonly<Record<LookupKind, ReadonlyMap<string, string>>>;

const rowsByTable = new WeakMap<LookupTable, LookupRows>();

export function lookupTableOfRows(rows: LookupRows): LookupTable {
  const table: LookupTable = {
    replacementOf: (kind, original) => rows[kind].get(normalizeIdentifier(original)),
    has: (kind) => rows[kind].size > 0,
  };
  rowsByTable.set(table, rows);
  return table;
}

/** The rows of a table, to be sent to another thread; undefined for a table that was not made of rows. */
export function rowsOf(table: LookupTable): LookupRows | undefined {
  return rowsByTable.get(table);
}

/** Without padding, in Unicode's composed form: the same identifier may come in several spellings. */
export function normalizeIdentifier(text: string): string {
  return text.normalize("NFC").replaceAll("\0", "").trim();
}
