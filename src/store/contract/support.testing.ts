import { format } from "node:util";
import { expect } from "vitest";
import type { ErrorDetails } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { ClaimedJob, JobRecord, LocatedStudy, NewRequest, RefusedRow } from "../records.ts";
import type { Store } from "../store.ts";

/** What is to hold, by name, over an empty store. */
export type ContractCases = Readonly<Record<string, (store: Store) => Promise<void>>>;

/** One case for each row of a table; `%s` in the title stands for the row's values in turn. */
export function each<Row extends readonly unknown[]>(
  rows: readonly Row[],
  title: string,
  run: (store: Store, ...row: Row) => Promise<void>,
): ContractCases {
  return Object.fromEntries(rows.map((row) => [format(title, ...row), (store: Store) => run(store, ...row)]));
}

/** A store of the test's own. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: Store;
}

export const LEASE_MS = 1_000;

/** One row of a cohort; a test names what matters to it. */
export function request(facts: Partial<NewRequest>): NewRequest {
  return {
    rowNumber: 1,
    studyInstanceUid: undefined,
    patientId: undefined,
    accessionNumber: undefined,
    seriesInstanceUids: undefined,
    participantId: undefined,
    priority: 3,
    cells: ["cell"],
    ...facts,
  };
}

/** Submits rows, numbered as they come, and resolves with the cohort's id. */
export async function submit(
  store: Store,
  rows: readonly Partial<NewRequest>[],
  { project = "lung", nowMs = 0, refused = [] as readonly RefusedRow[] } = {},
): Promise<string> {
  const requests = rows.map((facts, index) => request({ rowNumber: index + 1, ...facts }));
  return (await store.submitCohort({ project, columns: ["column"], requests, refused }, nowMs)).cohort;
}

export async function claimed(store: Store, nowMs = 0): Promise<ClaimedJob> {
  const claim = await store.claim("worker-1", LEASE_MS, nowMs);
  if (claim === undefined) throw new Error("nothing was due");
  return claim;
}

export async function theJob(store: Store, cohort: string): Promise<JobRecord> {
  const [job, ...more] = await store.listJobs({ cohort, limit: 2 });
  if (job === undefined || more.length > 0) throw new Error("the cohort does not have one job");
  return job;
}

/** Brings the only due job to an end. */
export async function finish(
  store: Store,
  state: "delivered" | "failed" | "not-found" | "held" | "quarantined" | "excluded",
  nowMs = 0,
): Promise<string> {
  const { lease, job } = await claimed(store, nowMs);
  await store.settle(lease, { state, attempts: job.attempts }, nowMs);
  return job.id;
}

export function study(studyInstanceUid: string, facts: Partial<LocatedStudy> = {}): LocatedStudy {
  return { studyInstanceUid, patientId: "P1", accessionNumber: "A1", ...facts };
}

export function refusal(code: ErrorCode, details?: ErrorDetails): unknown {
  return expect.objectContaining({ code, ...(details === undefined ? {} : { details }) });
}
