import { createHash } from "node:crypto";
import { JOB_STATES } from "../../src/store/job-states.ts";
import type { JobChange } from "../../src/store/records.ts";
import type { HospitalStudy } from "./hospital.ts";
import { watchLeases } from "./leases.ts";
import type { SentInstance } from "./simulated-destination.ts";
import type { SimulatedDatabase, StoreCall } from "./simulated-store.ts";

export const INVARIANTS = {
  "one visible state": "every accepted request ends in exactly one visible state",
  "verified only": "nothing is delivered that was not verified",
  "delivered once": "nothing is delivered twice without a recorded reason",
  "ledger equals destination": "what the ledger says is delivered is what destinations hold",
  "one holder": "no lease is held by two",
  "within limits": "associations, windows and rates are never exceeded",
  settles: "once nothing goes wrong any more, all work comes to its end",
} as const;

export type Invariant = keyof typeof INVARIANTS;

export class Violation extends Error {
  readonly invariant: Invariant;
  constructor(invariant: Invariant, what: string) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
  }
}

/** What destinations hold, by name: SOP Instance UID to content. */
export type Holdings = () => ReadonlyMap<string, ReadonlyMap<string, Buffer>>;

export interface Watch {
  onStoreCall(call: StoreCall): void;
  onSent(sent: SentInstance): void;
  /** Looks at everything that the last step changed. @throws Violation */
  check(): Promise<void>;
  /** At the end: everything at once. @throws Violation */
  conclude(): Promise<void>;
  /** Undefined: nothing waits. */
  nextDueAtMs(): number | undefined;
  isDone(): boolean;
}

interface Sought {
  readonly database: SimulatedDatabase;
  readonly sql: ReturnType<typeof prepared>;
  readonly studies: readonly HospitalStudy[];
  readonly holdings: Holdings;
  /** Contents that an engine vouched for, by the UID of the copy. */
  readonly verified: Map<string, Set<string>>;
  /** How many tries had ended when a destination was first sent an instance. */
  readonly firstSent: Map<string, number>;
}

/** Methods that end a job. */
const SETTLING: ReadonlySet<string> = new Set(["settle", "settleAndClaim"]);

export function watchStore(
  database: SimulatedDatabase,
  { studies, holdings }: { readonly studies: readonly HospitalStudy[]; readonly holdings: Holdings },
): Watch {
  const sql = prepared(database);
  const sought: Sought = { database, sql, studies, holdings, verified: new Map(), firstSent: new Map() };
  const leases = watchLeases();
  const settled = new Set<string>();
  const sent: SentInstance[] = [];
  let isChanged = true;
  return {
    onStoreCall(call) {
      isChanged = true;
      const jobId = leases.onStoreCall(call);
      if (jobId !== undefined && SETTLING.has(call.method)) settled.add(jobId);
      if (jobId !== undefined && call.method === "change") noteVerified(sought, call.args[1] as JobChange);
    },
    onSent: (instance) => void sent.push(instance),
    async check() {
      leases.check();
      for (const instance of sent.splice(0)) checkSent(sought, instance);
      if (!isChanged) return;
      isChanged = false;
      checkStates(sought);
      for (const jobId of settled) await checkDelivered(sought, jobId);
      settled.clear();
    },
    conclude: () => conclude(sought),
    nextDueAtMs: sql.nextDueAtMs,
    isDone: () => sql.states().every(({ state }) => isDone(state)),
  };
}

function noteVerified({ verified }: Sought, { ledger = [] }: JobChange): void {
  for (const line of ledger) {
    if (line.kind !== "deidentified") continue;
    const sums = verified.get(line.pseudoSopInstanceUid) ?? new Set();
    verified.set(line.pseudoSopInstanceUid, sums.add(line.sha256));
  }
}

function checkSent({ verified, studies, sql, firstSent }: Sought, instance: SentInstance): void {
  const { destination, sopInstanceUid, studyInstanceUid, bytes, isAgain } = instance;
  if (verified.get(sopInstanceUid)?.has(sha256Of(bytes)) !== true)
    throw new Violation("verified only", `${destination} was sent an instance that no engine vouched for`);
  const isTold = studies.some(({ identifiers }) => identifiers.some((text) => bytes.includes(text, 0, "latin1")));
  if (isTold) throw new Violation("verified only", `${destination} was sent what tells a patient`);
  const job = sql.jobOfPseudoStudy(studyInstanceUid);
  if (job === undefined || job.verdict === null)
    throw new Violation("verified only", `${destination} was sent a study without a verdict`);
  const key = `${destination} ${sopInstanceUid}`;
  const tries = sql.endedAttempts(job.jobNo);
  const before = firstSent.get(key);
  if (isAgain && before !== undefined && tries <= before)
    throw new Violation("delivered once", `${destination} was sent an instance twice in one try`);
  firstSent.set(key, tries);
}

function checkStates({ sql }: Sought): void {
  for (const { state } of sql.states())
    if (!(state in JOB_STATES)) throw new Violation("one visible state", `a job is ${state}`);
  if (sql.orphans() > 0) throw new Violation("one visible state", "an accepted request has no job");
  if (sql.running().some(({ token, until }) => token === null || until === null))
    throw new Violation("one holder", "a running job has no lease");
}

async function checkDelivered({ database, holdings }: Sought, jobId: string): Promise<void> {
  const { state } = await database.ask("job", jobId);
  if (state !== "delivered") return;
  const ledger = await database.ask("ledger", jobId);
  const told = ledger.filter((entry) => entry.deliveredAtMs !== undefined && entry.excludedAtMs === undefined);
  if (told.length === 0) throw new Violation("ledger equals destination", "a study was delivered without instances");
  for (const [name, held] of holdings())
    for (const { pseudoSopInstanceUid = "", sha256 } of told) {
      const bytes = held.get(pseudoSopInstanceUid);
      if (bytes === undefined)
        throw new Violation("ledger equals destination", `${name} lacks what it is said to hold`);
      if (sha256Of(bytes) !== sha256) throw new Violation("ledger equals destination", `${name} holds other bytes`);
    }
}

async function conclude(sought: Sought): Promise<void> {
  for (const { id, state, code } of await sought.database.ask("listJobs", { limit: 1_000 })) {
    if (!JOB_STATES[state].done) throw new Violation("settles", `a study is ${state} for ever (${code})`);
    await checkDelivered(sought, id);
  }
  for (const [name, held] of sought.holdings())
    for (const sopInstanceUid of held.keys())
      if (!sought.verified.has(sopInstanceUid))
        throw new Violation("ledger equals destination", `${name} holds what no ledger tells of`);
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function isDone(state: string): boolean {
  return Object.entries(JOB_STATES).some(([name, { done }]) => name === state && done);
}

/** The tables themselves, so that nothing hides behind the methods that are under test. */
function prepared({ session }: SimulatedDatabase) {
  const { database } = session;
  const states = database.prepare("SELECT state FROM study_jobs");
  const orphans = database.prepare(
    `SELECT count(*) AS count FROM requests WHERE refused_code IS NULL
       AND NOT EXISTS (SELECT 1 FROM request_jobs WHERE request_jobs.request_no = requests.request_no)`,
  );
  const running = database.prepare(
    "SELECT lease_token AS token, lease_until AS until FROM study_jobs WHERE state = 'running'",
  );
  const ofPseudoStudy = database.prepare(
    "SELECT job_no AS jobNo, verdict FROM study_jobs WHERE pseudo_study_instance_uid = ?",
  );
  const ended = database.prepare(
    "SELECT count(*) AS count FROM job_attempts WHERE job_no = ? AND ended_at IS NOT NULL",
  );
  const due = database.prepare(
    `SELECT min(CASE state WHEN 'queued' THEN 0 WHEN 'waiting' THEN due_at WHEN 'running' THEN lease_until END) AS at
       FROM study_jobs`,
  );
  return {
    states: () => states.all().map(({ state }) => ({ state: String(state) })),
    orphans: () => Number(orphans.get()?.count),
    running: () => running.all(),
    jobOfPseudoStudy(uid: string) {
      const row = ofPseudoStudy.get(uid);
      return row === undefined ? undefined : { jobNo: Number(row.jobNo), verdict: row.verdict };
    },
    endedAttempts: (jobNo: number) => Number(ended.get(jobNo)?.count),
    nextDueAtMs() {
      const at = due.get()?.at;
      return typeof at === "number" ? at : undefined;
    },
  };
}
