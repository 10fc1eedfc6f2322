import { nameResource } from "../nodes.ts";
import type { MethodName } from "../sql/methods.ts";
import type { Store } from "../store.ts";
import type { OwnStatementName } from "./statements.ts";

/** First of the two numbers of an advisory lock. https://www.postgresql.org/docs/15/explicit-locking.html 13.3.5 */
export const LOCKS = {
  migrations: 0x5241_0001,
  slots: 0x5241_0002,
  joins: 0x5241_0003,
  archive: 0x5241_0004,
  tasks: 0x5241_0005,
  notices: 0x5241_0006,
  projectKeys: 0x5241_0007,
  pseudonyms: 0x5241_0008,
  tokens: 0x5241_0009,
  transfers: 0x5241_000a,
  scanResults: 0x5241_000b,
  moving: 0x5241_000c,
  permits: 0x5241_000d,
} as const;

/** What a method holds from its beginning to its commit, beside the rows that it changes. */
export interface Hold {
  readonly statement: Extract<OwnStatementName, "hold" | "holdOfJob" | "holdOfCohort">;
  readonly parameters: Readonly<Record<string, string | number>>;
}

type Holds = { readonly [N in MethodName]?: (...args: Parameters<Store[N]>) => Hold | undefined };

const hold = (lock: keyof typeof LOCKS, key: string): Hold => ({
  statement: "hold",
  parameters: { lock: LOCKS[lock], key },
});
const joinsOfJob = (job: string): Hold => ({ statement: "holdOfJob", parameters: { lock: LOCKS.joins, job } });
const joinsOf = (selection: { readonly cohort: string } | { readonly job: string }): Hold =>
  "job" in selection
    ? joinsOfJob(selection.job)
    : { statement: "holdOfCohort", parameters: { lock: LOCKS.joins, cohort: selection.cohort } };

/**
 * Methods that look whether something is there and write when it is not: a row cannot be held that does not exist yet. Whatever is not
 * here is held by the rows it reads (HOLDING), by one statement, or by a unique index and a second try: see
 * docs/decisions/2026-11-22-postgresql-store.md.
 */
export const holds: Holds = {
  submitCohort: ({ project }) => hold("joins", project),
  located: ({ jobId }) => joinsOfJob(jobId),
  retryJobs: joinsOf,
  cancelJobs: joinsOf,
  setPriority: joinsOf,
  withdrawPatient: ({ project }) => hold("joins", project),
  assignIntake: (_id, project) => hold("joins", project),
  endStandingRun: (_name, _number, { cohort }) => cohort && hold("joins", cohort.project),
  setArchiveControls: (archive) => hold("archive", archive),
  admitToArchive: (archive) => hold("archive", archive),
  judgeArchive: (archive) => hold("archive", archive),
  takeStudySlot: (archive) => hold("archive", archive),
  spareArchive: (archive) => hold("archive", archive),
  addTask: ({ kind }) => hold("tasks", kind),
  claimTask: (kind) => hold("tasks", kind),
  addNotices: () => hold("notices", ""),
  forgetNotices: () => hold("notices", ""),
  useProjectKey: ({ project }) => hold("projectKeys", project),
  linkPseudonyms: (project) => hold("pseudonyms", project),
  takePermit: ({ resource }) => hold("permits", resource),
  giveUpNode: (node) => hold("permits", nameResource(node)),
  addToken: ({ name }) => hold("tokens", name),
  addTransfer: ({ acquisitionId }) => hold("transfers", acquisitionId),
  addScanResult: ({ taskId }) => hold("scanResults", taskId),
};

/** What a replica may answer: a moment behind, it tells of no lease and nothing that is decided upon. */
export const LISTINGS_ELSEWHERE: ReadonlySet<MethodName> = new Set<MethodName>([
  "listCohorts",
  "listJobs",
  "listDeliveries",
  "listTasks",
  "listInboxMessages",
  "listIntake",
  "listLinks",
  "listWorkers",
  "exportRows",
  "throughput",
  "archiveVolumes",
]);
