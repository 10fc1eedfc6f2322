import type { JobRecord } from "../../store/records.ts";
import { concurrently } from "../../units/concurrently.ts";
import type { OperationsContext } from "../context.ts";
import type { CheckDocument } from "../inquiries.ts";
import { canBeMended, checkStudy, mendingOf } from "./check-study.ts";
import type { CheckedStudy, CheckSummary, CheckVerdict } from "./documents.ts";

/** Archives and destinations are asked beside the work itself. */
const STUDIES_AT_ONCE = 2;
const PAGE = 200;

/**
 * Begins to compare archives, ledger and destinations for every study of a cohort.
 * @param queue has the difference retrieved and delivered where that can be
 * @throws GatewayError COHORT_NOT_FOUND, INQUIRIES_EXHAUSTED
 */
export async function checkCohortDelivery(
  context: OperationsContext,
  cohort: string,
  { queue }: { readonly queue: boolean },
): Promise<CheckDocument> {
  const { store, audit, actor, inquiries } = context;
  const { project, total } = await store.cohortStatus(cohort);
  await audit.record({ event: "cohort-checked", actor, outcome: "success", project, detail: { cohort, queue } });
  return inquiries.beginCheck({ project, cohort, total }, async (tell, signal) => {
    const totals = createTotals();
    let number = 0;
    for await (const jobs of pagesOf(context, cohort)) {
      const numbered = jobs.map((job) => {
        number += 1;
        return { job, number };
      });
      await concurrently(numbered, STUDIES_AT_ONCE, async (one) => {
        signal.throwIfAborted();
        const checked = await checkStudy(context, one.job, signal);
        const queued = queue && canBeMended(checked) && (await queueAgain(context, one.job, mendingOf(checked)));
        const found = { number: one.number, ...checked, queued };
        totals.add(found);
        tell(found);
      });
    }
    return totals.summary();
  });
}

async function* pagesOf({ store }: OperationsContext, cohort: string): AsyncGenerator<readonly JobRecord[]> {
  let after: string | undefined;
  for (;;) {
    const page = await store.listJobs({ cohort, ...(after === undefined ? {} : { after }), limit: PAGE });
    yield page;
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

/** From the start: what is staged is not fetched again, and what a destination holds is not sent again. */
function queueAgain(
  { store, clock, actor }: OperationsContext,
  { id, project }: JobRecord,
  detail: Readonly<Record<string, string | number>>,
): Promise<boolean> {
  const audit = { event: "study-mended", actor, outcome: "success", job: id, project, detail } as const;
  return store.queueDelivered(id, detail, audit, clock.nowMs());
}

function createTotals() {
  const verdicts: Partial<Record<CheckVerdict, number>> = {};
  const sums = { studies: 0, later: 0, vanishedFromArchive: 0, vanishedFromDestinations: 0, differing: 0, queued: 0 };
  return {
    add({ verdict, archive, destinations, queued }: CheckedStudy): void {
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
      sums.studies += 1;
      sums.later += archive.later ?? 0;
      sums.vanishedFromArchive += archive.vanished ?? 0;
      for (const { vanished, differing } of destinations) {
        sums.vanishedFromDestinations += vanished;
        sums.differing += differing;
      }
      sums.queued += queued ? 1 : 0;
    },
    summary: (): CheckSummary => ({ ...sums, verdicts }),
  };
}
