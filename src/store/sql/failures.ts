import { errorRegistry } from "../../errors/registry.ts";
import type { CodeCount, FailureSelection, RetriedFailures } from "../failures.ts";
import { JOB_STATES, RETRYABLE_STATES } from "../job-states.ts";
import { integer, keyOf, recordReader, text } from "./columns.ts";
import { startOver } from "./join.ts";
import { cohortNumber, jobNumber } from "./look.ts";
import type { Row, Session } from "./session.ts";

const codeCount = recordReader<CodeCount>({
  project: text,
  code: keyOf(errorRegistry, "INTERNAL"),
  state: keyOf(JOB_STATES),
  jobs: integer,
});

export async function codeCounts(session: Session): Promise<readonly CodeCount[]> {
  return (await session.all("codeCounts")).map(codeCount);
}

/** See `Store.retryFailures`. */
export async function retryFailures(
  session: Session,
  selection: FailureSelection,
  page: { readonly after?: string; readonly limit: number },
  nowMs: number,
): Promise<RetriedFailures> {
  if (!RETRYABLE_STATES.has(selection.state)) return { retried: 0, last: undefined };
  const rows = await failures(session, selection, page);
  for (const { jobNo } of rows) await startOver(session, Number(jobNo), "retried", nowMs);
  return { retried: rows.length, last: rows.length < page.limit ? undefined : String(rows.at(-1)?.id) };
}

async function failures(
  session: Session,
  { code, state, project, cohort }: FailureSelection,
  { after, limit }: { readonly after?: string; readonly limit: number },
): Promise<readonly Row[]> {
  const of = { code, state, after: after === undefined ? 0 : await jobNumber(session, after, "jobPlace"), limit };
  if (cohort !== undefined) {
    const cohortNo = await cohortNumber(session, cohort);
    // As a retry of the whole cohort does: its jobs are wanted again.
    await session.run("markCohortWanted", { cohortNo });
    return await session.all("failuresOfCohort", { ...of, cohortNo, project });
  }
  return project === undefined
    ? await session.all("failuresOfCode", of)
    : await session.all("failuresOfProject", { ...of, project });
}
