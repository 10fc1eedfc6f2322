import { JOB_STATES } from "../job-states.ts";
import type { CohortRecord, JobRecord } from "../records.ts";
import type { JobFilter, Store } from "../store.ts";
import { inTurn } from "./in-turn.ts";
import { cohortNumber, cohortRow, jobNumber } from "./look.ts";
import { cohortRecord, jobRecord } from "./row-records.ts";
import type { Row, Session, StatementName } from "./session.ts";

type Values = Readonly<Record<string, string | number | undefined>>;
/** A statement and what it is asked with, beside the page. */
type Asked = readonly [name: StatementName, values: Values];

/** The first rows of several lists, each of which is in order. */
export async function merged(
  session: Session,
  lists: readonly Asked[],
  page: Values & { readonly limit: number },
  compare: (one: Row, other: Row) => number,
): Promise<readonly Row[]> {
  const rows = (await inTurn(lists, ([name, values]) => session.all(name, { ...values, ...page }))).flat();
  return lists.length < 2 ? rows : rows.sort(compare).slice(0, page.limit);
}

export function byNumber(name: string): (one: Row, other: Row) => number {
  return (one, other) => Number(one[name]) - Number(other[name]);
}

export async function listJobs(session: Session, filter: JobFilter): Promise<readonly JobRecord[]> {
  const page = { after: await placeOf(session, filter.after), limit: filter.limit };
  const lists = filter.cohort === undefined ? listsOf(filter) : await listsOfCohort(session, filter.cohort, filter);
  return (await merged(session, lists, page, byNumber("jobNo"))).map(jobRecord);
}

async function placeOf(session: Session, after: string | undefined): Promise<number> {
  return after === undefined ? 0 : await jobNumber(session, after, "jobPlace");
}

/** The statement for each set of conditions, named in this order: each has an index. */
const BY: Readonly<Record<string, StatementName>> = {
  "": "listJobs",
  state: "listJobsByState",
  project: "listJobsByProject",
  code: "listJobsByCode",
  "project state": "listJobsByProjectAndState",
  "project code": "listJobsByProjectAndCode",
  "code state": "listJobsByCodeAndState",
  "project code state": "listJobsByProjectCodeAndState",
};

function listsOf({ state, projects, code }: JobFilter): readonly Asked[] {
  return (projects ?? [undefined]).map((project) => {
    if (state === "running" && code === undefined)
      return project === undefined ? ["listRunningJobs", {}] : ["listRunningJobsOfProject", { project }];
    const conditions = defined({ project, code, state });
    return [BY[Object.keys(conditions).join(" ")] ?? "listJobs", conditions];
  });
}

/** All of a cohort is of one project. */
async function listsOfCohort(
  session: Session,
  cohort: string,
  { state, projects, code }: JobFilter,
): Promise<readonly Asked[]> {
  const row = await cohortRow(session, cohort);
  const cohortNo = Number(row.cohortNo);
  if (projects !== undefined && !projects.includes(String(row.project))) return [];
  if (state === undefined && code === undefined) return [["listJobsOfCohort", { cohortNo }]];
  const states = state === undefined ? Object.keys(JOB_STATES) : [state];
  return states.map((each): Asked => {
    if (each === "running") return ["listRunningJobsOfCohort", { cohortNo, code }];
    if (code === undefined) return ["listJobsOfCohortByState", { cohortNo, state: each }];
    return ["listJobsOfCohortByCodeAndState", { cohortNo, code, state: each }];
  });
}

function defined(conditions: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(conditions).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

export async function listCohorts(
  session: Session,
  { after, limit, newestFirst = false, projects }: Parameters<Store["listCohorts"]>[0],
): Promise<readonly CohortRecord[]> {
  const end = newestFirst ? Number.MAX_SAFE_INTEGER : 0;
  const page = { after: after === undefined ? end : await cohortNumber(session, after), limit };
  const [every, ofProject] = newestFirst
    ? (["listNewestCohorts", "listNewestCohortsOfProject"] as const)
    : (["listCohorts", "listCohortsOfProject"] as const);
  const lists = projects?.map((project): Asked => [ofProject, { project }]) ?? [[every, {}] satisfies Asked];
  const upwards = byNumber("cohortNo");
  const rows = await merged(session, lists, page, newestFirst ? (one, other) => upwards(other, one) : upwards);
  return rows.map(cohortRecord);
}
