import { errorRegistry } from "../../errors/registry.ts";
import type { AuditEvent } from "../../units/audit.ts";
import {
  COPY_STATES,
  PLACE_STATES,
  PLACES_OVER,
  type PlaceState,
  type WithdrawalRecord,
  type WithdrawalStore,
  type WithdrawalWish,
  type WithdrawnCopy,
  type WithdrawnPlace,
} from "../withdrawals.ts";
import { appendAudit } from "./audit.ts";
import { flag, integer, keyOf, oneOf, optional, recordReader, text } from "./columns.ts";
import { inTurn } from "./in-turn.ts";
import { addEvent } from "./join.ts";
import { listLinks } from "./linkage.ts";
import type { Row, Session } from "./session.ts";
import { keepThumbnail } from "./thumbnails.ts";
import { keepListKey, listKey } from "./withdrawn-list.ts";
import { nodesWithStudies, nodesWithUnasked, withdrawUnasked } from "./withdrawn-places.ts";

/** Links of one patient that are read at a time. */
const PAGE = 1_000;
const CODE = "PATIENT_WITHDRAWN";

const readHead = recordReader({
  number: integer,
  project: text,
  digest: text,
  state: oneOf(["open", "done"]),
  createdAtMs: integer,
});
const readCopy = recordReader({
  number: integer,
  job: text,
  pseudonym: text,
  pseudoStudyInstanceUid: text,
  destination: text,
  state: oneOf(COPY_STATES),
  code: optional(keyOf(errorRegistry, "INTERNAL")),
});
const readJob = recordReader({ job: text, studyInstanceUid: optional(text), quietAtMs: integer });
const readPlace = recordReader({ node: text, state: oneOf(PLACE_STATES) });
const readWithdrawable = recordReader({
  job: text,
  studyInstanceUid: optional(text),
  state: text,
  code: optional(text),
  leaseUntilMs: optional(integer),
  pseudonym: optional(text),
  pseudoStudyInstanceUid: optional(text),
});

/** What one study became. */
type Made = Pick<WithdrawnCopy, "pseudonym" | "pseudoStudyInstanceUid">;

interface FoundJob extends ReturnType<typeof readWithdrawable> {
  readonly jobNo: number;
  readonly copies: readonly (Made & { readonly destination: string })[];
}

/** See `WithdrawalStore.withdrawPatient`. */
export async function withdrawPatient(
  session: Session,
  wish: WithdrawalWish,
  audit: AuditEvent,
  nowMs: number,
): Promise<WithdrawalRecord> {
  const { project, digest, keyId, patientId } = wish;
  await keepListKey(session, keyId, nowMs);
  const isNew = (await session.run("insertWithdrawal", { project, digest, nowMs })) === 1;
  const { number } = readHead((await session.get("withdrawal", { project, digest })) ?? {});
  const found = await findJobs(session, wish);
  const news: FoundJob[] = [];
  for (const job of found) if (await stop(session, number, job, nowMs)) news.push(job);
  const nodes = [...(await withdrawUnasked(session, wish)), ...(await nodesWithStudies(session, wish, news))];
  for (const node of new Set(nodes)) await session.run("insertWithdrawnPlace", { number, node, nowMs });
  await session.run("forgetRequestsOfPatient", { project, patientId, cell: cellOf(patientId) });
  const record = await recordOf(session, number);
  if (isNew) await appendAudit(session, { ...audit, detail: { ...audit.detail, ...countsOf(record) } }, nowMs);
  // What was done is begun again where more was found than there was.
  if (record.state === "done" && (news.length > 0 || !isAllDone(record)))
    await session.run("reopenWithdrawal", { number });
  return await recordOf(session, number);
}

/** As it stands among others; blanks around it, which people type, do not hide it. */
function cellOf(patientId: string): string {
  return `,${JSON.stringify(patientId.replaceAll(" ", ""))},`;
}

/** Answers whether the withdrawal did not have it yet. */
async function stop(session: Session, number: number, job: FoundJob, nowMs: number): Promise<boolean> {
  const { jobNo } = job;
  const line = { number, jobNo, quietAtMs: job.leaseUntilMs ?? nowMs };
  const isNew = (await session.run("insertWithdrawnJob", line)) === 1;
  for (const copy of job.copies) await session.run("insertWithdrawnCopy", { number, jobNo, ...copy, nowMs });
  await session.run("forgetRequestsOfJob", { jobNo });
  if (job.state === "excluded" && job.code === CODE) return isNew;
  await session.run("stopWithdrawnJob", { jobNo, nowMs });
  await session.run("endAttempt", { jobNo, nowMs, outcome: "cancelled", code: CODE });
  await addEvent(session, jobNo, { event: "withdrawn", detail: {} }, nowMs);
  return isNew;
}

/** By the patient's id in the store, and by the links of the linkage. */
async function findJobs(session: Session, { project, patientId, linkDigest }: WithdrawalWish) {
  const made = new Map<number, Made[]>();
  for (const { jobNo } of await session.all("jobsOfPatient", { project, patientId })) made.set(integer(jobNo), []);
  if (linkDigest !== undefined) {
    for (const { job, pseudonym, pseudoStudyInstanceUid } of await linksOf(session, project, linkDigest)) {
      const row = await session.get("jobNumber", { id: job });
      if (row === undefined) continue;
      const jobNo = integer(row.jobNo);
      made.set(jobNo, [...(made.get(jobNo) ?? []), { pseudonym, pseudoStudyInstanceUid }]);
    }
  }
  return await inTurn([...made], ([jobNo, links]) => foundJob(session, jobNo, links));
}

async function linksOf(session: Session, project: string, patientDigest: string) {
  const links = [];
  let after = 0;
  for (;;) {
    const page = await listLinks(session, project, { patientDigest }, { after, limit: PAGE });
    links.push(...page);
    after = page.at(-1)?.number ?? after;
    if (page.length < PAGE) return links;
  }
}

async function foundJob(session: Session, jobNo: number, links: readonly Made[]): Promise<FoundJob> {
  const job = readWithdrawable((await session.get("withdrawableJob", { jobNo })) ?? {});
  const { pseudonym, pseudoStudyInstanceUid } = job;
  const own =
    pseudonym === undefined || pseudoStudyInstanceUid === undefined ? [] : [{ pseudonym, pseudoStudyInstanceUid }];
  const deliveries = await session.all("deliveries", { jobNo });
  const copies = [...links, ...own].flatMap((made) =>
    deliveries.map(({ destination }) => ({ ...made, destination: text(destination) })),
  );
  return { jobNo, ...job, copies };
}

/** See `WithdrawalStore.findWithdrawable`. */
export async function findWithdrawable(session: Session, wish: WithdrawalWish) {
  const { project, digest, keyId } = wish;
  await listKey(session, keyId);
  const before = await withdrawal(session, project, digest);
  const found = await findJobs(session, wish);
  const keys = new Set(before?.copies.map(keyOfCopy));
  const copies = found.flatMap(({ job, copies: each }) =>
    each.map((copy) => ({ number: 0, job, ...copy, state: "waiting" as const, code: undefined })),
  );
  const fresh = copies.filter((copy) => !keys.has(keyOfCopy(copy)) && keys.add(keyOfCopy(copy)));
  const known = new Set(before?.jobs.map(({ job }) => job));
  const news = found.filter(({ job }) => !known.has(job));
  const jobs = news.map(({ job, studyInstanceUid, leaseUntilMs = 0 }) => ({
    ...{ job, studyInstanceUid, quietAtMs: leaseUntilMs },
  }));
  const nodes = [...(await nodesWithStudies(session, wish, news)), ...(await nodesWithUnasked(session, wish))];
  const places = await placesOf(session, before?.places ?? [], nodes);
  return { jobs: [...(before?.jobs ?? []), ...jobs], copies: [...(before?.copies ?? []), ...fresh], places };
}

/** What would be waited for, and what would be given up; what a node has removed is told no more, unless it would be asked again. */
async function placesOf(
  session: Session,
  before: readonly WithdrawnPlace[],
  nodes: readonly string[],
): Promise<readonly WithdrawnPlace[]> {
  const states = new Map<string, PlaceState>();
  for (const { node, state } of before)
    if (state !== "done") states.set(node, state === "given-up" ? state : "stopping");
  for (const node of new Set(nodes)) {
    const isForgotten = flag((await session.get("isForgotten", { node }))?.answer);
    states.set(node, isForgotten ? "given-up" : "stopping");
  }
  return [...states].sort(([a], [b]) => (a < b ? -1 : 1)).map(([node, state]) => ({ node, state }));
}

function keyOfCopy({
  pseudonym,
  pseudoStudyInstanceUid,
  destination,
}: Made & { readonly destination: string }): string {
  return `${pseudonym} ${pseudoStudyInstanceUid} ${destination}`;
}

/** See `WithdrawalStore.withdrawal`. */
export async function withdrawal(
  session: Session,
  project: string,
  digest: string,
): Promise<WithdrawalRecord | undefined> {
  const row = await session.get("withdrawal", { project, digest });
  return row === undefined ? undefined : await whole(session, row);
}

/** See `WithdrawalStore.openWithdrawals`. */
export async function openWithdrawals(session: Session, limit: number): Promise<readonly WithdrawalRecord[]> {
  return await inTurn(await session.all("openWithdrawals", { limit }), (row) => whole(session, row));
}

async function recordOf(session: Session, number: number): Promise<WithdrawalRecord> {
  return await whole(session, (await session.get("withdrawalByNumber", { number })) ?? {});
}

async function whole(session: Session, row: Row): Promise<WithdrawalRecord> {
  const head = readHead(row);
  const jobs = (await session.all("withdrawnJobs", { number: head.number })).map(readJob);
  const copies = (await session.all("withdrawnCopies", { number: head.number })).map(readCopy);
  const places = (await session.all("withdrawnPlaces", { number: head.number })).map(readPlace);
  return { ...head, jobs, copies, places };
}

/** See `WithdrawalStore.isWithdrawn`. */
export async function isWithdrawn(
  session: Session,
  { project, digest, keyId }: Parameters<WithdrawalStore["isWithdrawn"]>[0],
): Promise<boolean> {
  await listKey(session, keyId);
  return (await session.get("withdrawal", { project, digest })) !== undefined;
}

/** See `WithdrawalStore.settleCopy`. */
export async function settleCopy(
  session: Session,
  copy: number,
  { state, code }: Pick<WithdrawnCopy, "state" | "code">,
  nowMs: number,
): Promise<void> {
  await session.run("settleWithdrawnCopy", { copy, state, code, nowMs });
}

/** See `WithdrawalStore.forgetWithdrawn`. */
export async function forgetWithdrawn(
  session: Session,
  number: number,
  audit: AuditEvent,
  nowMs: number,
): Promise<WithdrawalRecord["state"]> {
  const record = await recordOf(session, number);
  const hasNoCopy = !record.copies.some(isLeft);
  for (const { jobNo } of await session.all("withdrawnJobs", { number })) {
    await session.run("forgetStandingStudyOfJob", { jobNo: integer(jobNo) });
    await session.run("forgetIdentityOfJob", { jobNo: integer(jobNo) });
    await session.run("deleteKeys", { jobNo: integer(jobNo) });
    await session.run("forgetDeliveredOfJob", { jobNo: integer(jobNo) });
    await session.run("deleteInstances", { jobNo: integer(jobNo) });
    await keepThumbnail(session, integer(jobNo), null);
    // The list of what was delivered: by it a later try knows what is there.
    if (hasNoCopy) await session.run("deleteStudyReports", { jobNo: integer(jobNo) });
  }
  if (!isAllDone(record)) return "open";
  if ((await session.run("endWithdrawal", { number, nowMs })) === 1)
    await appendAudit(session, { ...audit, detail: { ...audit.detail, ...countsOf(record) } }, nowMs);
  return "done";
}

function isLeft({ state }: WithdrawnCopy): boolean {
  return state !== "removed" && state !== "absent";
}

function isAllDone({ copies, places }: WithdrawalRecord): boolean {
  return !copies.some(isLeft) && places.every(({ state }) => PLACES_OVER.has(state));
}

function countsOf({ jobs, copies, places }: WithdrawalRecord) {
  const givenUp = places.filter(({ state }) => state === "given-up").length;
  return { jobs: jobs.length, copies: copies.length, ...(givenUp === 0 ? {} : { nodesGivenUp: givenUp }) };
}
