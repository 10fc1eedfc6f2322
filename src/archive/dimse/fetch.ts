import type { DataSet } from "../../dicom/data-set.ts";
import type { SopInstanceUid } from "../../dicom/uid.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { RetrieveResult } from "../../network/dimse/service-types.ts";
import type { RetrieveOutcome, RetrieveRequest } from "../archive.ts";
import { instancesQuery, type RetrieveQuery, retrieveQueries } from "./identifiers.ts";
import { checkRetrieveStatus } from "./retrieve-status.ts";

/** Sends one C-MOVE or C-GET and gives its final answer. */
export type Fetch = (identifier: DataSet) => Promise<RetrieveResult>;

/** An archive that fails this many instances in a row, and sent none, is unable altogether. */
const MAXIMUM_FAILURES_IN_A_ROW = 5;

/**
 * Carries a request out, query by query. Some archives give up a whole query at the first instance they cannot send: its other instances
 * are then asked for one by one, so that one bad object costs itself alone.
 * @param arrived what has arrived so far, growing while this runs
 * @throws GatewayError ARCHIVE_UNABLE and the other codes of a final status
 */
export async function fetchQueries(
  fetch: Fetch,
  request: RetrieveRequest,
  arrived: ReadonlySet<SopInstanceUid>,
): Promise<RetrieveOutcome> {
  const outcomes: RetrieveOutcome[] = [];
  for (const query of retrieveQueries(request)) outcomes.push(await fetchQuery(fetch, request, query, arrived));
  return sumOf(outcomes);
}

async function fetchQuery(
  fetch: Fetch,
  request: RetrieveRequest,
  query: RetrieveQuery,
  arrived: ReadonlySet<SopInstanceUid>,
): Promise<RetrieveOutcome> {
  try {
    return await fetchOnce(fetch, query);
  } catch (thrown) {
    if (toGatewayError(thrown).code !== "ARCHIVE_UNABLE" || query.instances.length < 2) throw thrown;
    return await fetchOneByOne(fetch, request, query, arrived);
  }
}

async function fetchOneByOne(
  fetch: Fetch,
  request: RetrieveRequest,
  query: RetrieveQuery,
  arrived: ReadonlySet<SopInstanceUid>,
): Promise<RetrieveOutcome> {
  const outcomes: RetrieveOutcome[] = [];
  let failuresInARow = 0;
  let failure: unknown;
  for (const instance of query.instances) {
    if (arrived.has(instance.sopInstanceUid)) continue;
    try {
      outcomes.push(await fetchOnce(fetch, instancesQuery(request.studyInstanceUid, [instance])));
      failuresInARow = 0;
    } catch (thrown) {
      if (toGatewayError(thrown).code !== "ARCHIVE_UNABLE") throw thrown;
      failure = thrown;
      failuresInARow += 1;
      if (failuresInARow >= MAXIMUM_FAILURES_IN_A_ROW && outcomes.length === 0) throw thrown;
    }
  }
  if (outcomes.length === 0 && failure !== undefined && arrived.size === 0) throw failure;
  return sumOf(outcomes);
}

async function fetchOnce(fetch: Fetch, { identifier }: RetrieveQuery): Promise<RetrieveOutcome> {
  const result = await fetch(identifier);
  checkRetrieveStatus(result);
  // What was stored with a warning has been sent, too.
  const completed = result.completed === undefined ? undefined : result.completed + (result.warning ?? 0);
  return { status: result.status, completed, failed: result.failed };
}

function sumOf(outcomes: readonly RetrieveOutcome[]): RetrieveOutcome {
  return {
    status: outcomes.at(-1)?.status ?? 0,
    completed: totalOf(outcomes.map(({ completed }) => completed)),
    failed: totalOf(outcomes.map(({ failed }) => failed)),
  };
}

/** Counts add up; one that an archive leaves out makes the sum unknown. */
export function totalOf(counts: readonly (number | undefined)[]): number | undefined {
  return counts.reduce<number | undefined>(
    (total, count) => (total === undefined || count === undefined ? undefined : total + count),
    0,
  );
}
