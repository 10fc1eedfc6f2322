import { JOB_STATES } from "../job-states.ts";
import type { CohortRecord, JobRecord } from "../records.ts";
import type { JobFilter, Store } from "../store.ts";
import { cohortNumber, cohortRow, jobNumber } from "./look.ts";
import { cohortRecord, jobRecord } from "./row-records.ts";
import type { Row, Session, StatementName } from "./session.ts";

type Values = Readonly<Record<string, string | number>>;
/** A statement and what it is asked with, beside the page. */
type Asked = readonly [name: StatementName, values: Values];

/** The first rows of several lists, each of which is in order. */
export function merged(
  session: Session,
  lists: readonly Asked[],
  page: Values & { readonly limit: number },
  compare: (one: Row, other: Row) => number,
): readonly Row[] {
  const rows = lists.flatMap(([name, values]) => session.all(name, { ...values, ...page }));
  return lists.length < 2 ? rows : rows.sort(compare).slice(0, page.limit);
}

export function byNumber(name: string): (one: Row, other: Row) => number {
  return (one, other) => Number(one[name]) - Number(other[name]);
}

export function listJobs(session: Session, filter: JobFilter): readonly JobRecord[] {
  const page = { after: placeOf(session, filter.after), limit: filter.limit };
  const lists = filter.cohort === undefined ? listsOf(filter) : listsOfCohort(session, filter.cohort, filter);
  return merged(session, lists, page, byNumber("jobNo")).map(jobRecord);
}

function placeOf(session: Session, after: string | undefined): number {
  return after === undefined ? 0 : jobNumber(session, after, "jobPlace");
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
    const conditions = defined({ project, code, state });
    return [BY[Object.keys(conditions).join(" ")] ?? "listJobs", conditions];
  });
}

/** All of a cohort is of one project. */
function listsOfCohort(session: Session, cohort: string, { state, projects, code }: JobFilter): readonly Asked[] {
  const row = cohortRow(session, cohort);
  const cohortNo = Number(row.cohortNo);
  if (projects !== undefined && !projects.includes(String(row.project))) return [];
  if (code === undefined)
    return [
      state === undefined ? ["listJobsOfCohort", { cohortNo }] : ["listJobsOfCohortByState", { cohortNo, state }],
    ];
  const states = state === undefined ? Object.keys(JOB_STATES) : [state];
  return states.map((each) => ["listJobsOfCohortByCodeAndState", { cohortNo, code, state: each }]);
}

function defined(conditions: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(conditions).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

export function listCohorts(
  session: Session,
  { after, limit, newestFirst = false, projects }: Parameters<Store["listCohorts"]>[0],
): readonly CohortRecord[] {
  const end = newestFirst ? Number.MAX_SAFE_INTEGER : 0;
  const page = { after: after === undefined ? end : cohortNumber(session, after), limit };
  const [every, ofProject] = newestFirst
    ? (["listNewestCohorts", "listNewestCohortsOfProject"] as const)
    : (["listCohorts", "listCohortsOfProject"] as const);
  const lists = projects?.map((project): Asked => [ofProject, { project }]) ?? [[every, {}] satisfies Asked];
  const upwards = byNumber("cohortNo");
  return merged(session, lists, page, newestFirst ? (one, other) => upwards(other, one) : upwards).map(cohortRecord);
}
