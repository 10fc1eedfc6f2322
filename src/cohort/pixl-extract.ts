/** The columns every extract of PIXL has; others may stand beside them. */
export const PIXL_COLUMNS = [
  "procedure_id",
  "mrn",
  "accession_number",
  "project_name",
  "extract_generated_timestamp",
  "study_date",
  "study_uid",
  "participant_id",
] as const;

/** What the reader of the original takes for an empty cell. pandas.read_csv, na_values. */
const EMPTY: ReadonlySet<string> = new Set(
  "#N/A,#N/A N/A,#NA,-1.#IND,-1.#QNAN,-NaN,-nan,1.#IND,1.#QNAN,<NA>,N/A,NA,NULL,NaN,None,n/a,nan,null".split(","),
);

export function isPixlExtract(columns: readonly string[]): boolean {
  const names = new Set(columns.map((name) => name.trim()));
  return PIXL_COLUMNS.every((name) => names.has(name));
}

/** A cell as PIXL understands it. */
export function pixlCell(cell: string): string {
  const text = cell.trim();
  return EMPTY.has(text) ? "" : text;
}

/** As python-slugify makes it: `UCLH: Test of 1,000` becomes `uclh-test-of-1000`. */
export function slugOf(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/(?<=\d),(?=\d)/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
