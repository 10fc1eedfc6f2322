import { STATES_WORST_FIRST } from "../store/job-states.ts";
import type { ExportRow, JobRecord } from "../store/records.ts";
import { comparable } from "./columns.ts";

type Count = "expected" | "received" | "delivered";

/** What became of a row: one cell for each column, from the jobs it led to. Sites' scripts rely on these names and their order. */
const OUTCOME_COLUMNS: Readonly<Record<string, (row: ExportRow) => string>> = {
  radferry_job: ({ jobs }) => joined(jobs, ({ id }) => id),
  radferry_state: worstState,
  radferry_code: ({ jobs, refusedCode }) => refusedCode ?? joined(jobs, ({ code }) => code),
  radferry_verdict: ({ jobs }) => joined(jobs, ({ verdict }) => verdict),
  radferry_expected: ({ jobs }) => sum(jobs, "expected"),
  radferry_received: ({ jobs }) => sum(jobs, "received"),
  radferry_delivered: ({ jobs }) => sum(jobs, "delivered"),
  radferry_pseudonym: ({ jobs }) => joined(jobs, ({ pseudonym }) => pseudonym),
  radferry_pseudo_study_uid: ({ jobs }) => joined(jobs, ({ pseudoStudyInstanceUid }) => pseudoStudyInstanceUid),
  radferry_finished_at: ({ jobs }) => joined(jobs, ({ finishedAtMs }) => isoTime(finishedAtMs)),
  radferry_left_out: ({ jobs, leftOut = {} }) => joined(jobs, ({ id }) => reasonsText(leftOut[id])),
};

const OURS = new Set(Object.keys(OUTCOME_COLUMNS).map(comparable));

/**
 * CSV lines of a cohort, the header first: the submitter's columns as they wrote them, then ours. Columns of an earlier export
 * are replaced. Cells are given back unchanged, also those a spreadsheet would take for formulas; ours never begin like one.
 */
export async function* exportCohort(cohort: {
  readonly columns: readonly string[];
  readonly rows: AsyncIterable<ExportRow>;
}): AsyncGenerator<string> {
  const theirs = [...cohort.columns.entries()].filter(([, name]) => !OURS.has(comparable(name)));
  const outcomes = Object.values(OUTCOME_COLUMNS);
  yield csvLine([...theirs.map(([, name]) => name), ...Object.keys(OUTCOME_COLUMNS)]);
  for await (const row of cohort.rows) {
    yield csvLine([...theirs.map(([index]) => row.cells[index] ?? ""), ...outcomes.map((outcome) => outcome(row))]);
  }
}

function worstState({ jobs, refusedCode }: ExportRow): string {
  if (refusedCode !== undefined) return "refused";
  return STATES_WORST_FIRST.find((state) => jobs.some((job) => job.state === state)) ?? "";
}

/** One part for each job, in the same order in every column; empty when no job has one. */
function joined(jobs: readonly JobRecord[], part: (job: JobRecord) => string | undefined): string {
  const parts = jobs.map((job) => part(job) ?? "");
  return parts.every((text) => text === "") ? "" : parts.join(";");
}

/** Empty when a job's count is not known: a sum without it would be wrong. */
function sum(jobs: readonly JobRecord[], count: Count): string {
  const counts = jobs.map((job) => job[count]);
  if (counts.length === 0 || counts.includes(undefined)) return "";
  return String(counts.reduce<number>((total, one) => total + (one ?? 0), 0));
}

/** `modality 3, released-without 1`: why instances were left out, and how many. */
function reasonsText(counts: Readonly<Record<string, number>> = {}): string | undefined {
  const reasons = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  return reasons.length === 0 ? undefined : reasons.map(([reason, count]) => `${reason} ${count}`).join(", ");
}

function isoTime(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : new Date(atMs).toISOString();
}

/** RFC 4180, but with the line end that command-line tools expect. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(quoted).join(",")}\n`;
}

/** RFC 4180; quotes also keep blanks around a cell. */
function quoted(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
