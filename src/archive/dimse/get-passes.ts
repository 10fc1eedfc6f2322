import { GatewayError } from "../../errors/gateway-error.ts";
import { singleSyntaxGroups, sopClassGroups, storageContextGroups } from "../../network/dimse/get-contexts.ts";
import type { ProposedContext, RetrieveResult } from "../../network/dimse/service-types.ts";
import { STATUS } from "../../network/dimse/status.ts";
import type { ListedInstance, RetrieveOutcome, RetrieveRequest } from "../archive.ts";
import { totalOf } from "./fetch.ts";
import type { Received } from "./watched-store.ts";

/** One association of a C-GET: what it proposes to take, and what is asked for over it. */
export interface GetPass {
  readonly contexts: readonly ProposedContext[];
  readonly request: RetrieveRequest;
}

type CarryOut = (pass: GetPass) => Promise<RetrieveOutcome>;

/**
 * Carries a C-GET out over as many associations as it needs. The first proposes what is likeliest for everything. What could not be sent
 * over it, for want of a context perhaps, is asked for again over others: instance by instance where the request names them, so that each
 * has a context in whatever syntax it is held, else as a whole.
 * @throws GatewayError ARCHIVE_UNABLE when nothing came of it, and what else `carryOut` throws
 */
export function getInPasses(
  request: RetrieveRequest,
  received: Received,
  carryOut: CarryOut,
): Promise<RetrieveOutcome> {
  return request.instances === undefined
    ? getOverGroups(groupsFor(request), received, (contexts) => carryOut({ contexts, request }))
    : getInstances(request, request.instances, received, carryOut);
}

/** Who knows the instances will ask for the missing ones by name: the whole study is not asked for once for each syntax then. */
function groupsFor({ sopClassUids = [], wanted }: RetrieveRequest): readonly (readonly ProposedContext[])[] {
  return [...storageContextGroups(sopClassUids), ...(wanted === undefined ? singleSyntaxGroups(sopClassUids) : [])];
}

/** What is looked at of the end of a C-GET. */
type Ended = Pick<RetrieveResult, "status" | "completed" | "failed"> & Partial<Pick<RetrieveResult, "remaining">>;

/** Final statuses of a C-GET that got to its end: every instance that it selects is in its counts. PS3.4 C.4.3.1.4. */
const COUNTED: ReadonlySet<number> = new Set([
  STATUS.success,
  STATUS.subOperationsCompleteWithFailures,
  STATUS.unableToPerformSubOperations,
]);

/**
 * The same query over each group of contexts, until as many have come as had failed over the first. There what came before fails, for want
 * of a context: only arrivals count. Of a first one that was given up half-way nobody knows how much it left out: its status stands.
 */
export async function getOverGroups<R extends Ended>(
  groups: readonly (readonly ProposedContext[])[],
  { arrived, refused }: Received,
  carryOut: (contexts: readonly ProposedContext[]) => Promise<R>,
): Promise<R> {
  const [first = [], ...others] = groups;
  const outcome = await carryOut(first);
  const { status, completed, failed, remaining = 0 } = outcome;
  // Without counts only the warning says that something failed.
  if (failed === undefined && status !== STATUS.subOperationsCompleteWithFailures) return outcome;
  const isCounted = COUNTED.has(status) && remaining === 0 && failed !== undefined;
  const arrivedAtFirst = arrived.size;
  const late = (): number => arrived.size - arrivedAtFirst;
  for (const contexts of others) {
    if (isCounted && late() + refused.size >= failed) break;
    if ((await outcomeOrUnable(carryOut(contexts))) instanceof GatewayError) break;
  }
  if (late() === 0) return outcome;
  const sum = completed === undefined ? undefined : completed + late();
  if (!isCounted) return { ...outcome, completed: sum };
  const left = Math.max(0, failed - late());
  return { ...outcome, status: left === 0 ? STATUS.success : status, completed: sum, failed: left };
}

/**
 * Everything at once; then what is left, class by class; then what is left of instances whose class is not known; then what is left,
 * syntax by syntax.
 */
async function getInstances(
  request: RetrieveRequest,
  instances: readonly ListedInstance[],
  { arrived, refused }: Received,
  carryOut: CarryOut,
): Promise<RetrieveOutcome> {
  const left = (): readonly ListedInstance[] =>
    instances.filter(({ sopInstanceUid }) => !arrived.has(sopInstanceUid) && !refused.has(sopInstanceUid));
  const outcomes: RetrieveOutcome[] = [];
  let unable: GatewayError | undefined;
  const pass = async (contexts: readonly ProposedContext[], some: readonly ListedInstance[]): Promise<void> => {
    if (some.length === 0) return;
    const outcome = await outcomeOrUnable(carryOut({ contexts, request: { ...request, instances: some } }));
    if (outcome instanceof GatewayError) unable = outcome;
    else outcomes.push(outcome);
  };

  const [first = [], ...others] = storageContextGroups(request.sopClassUids ?? []);
  await pass(first, instances);
  // What the archive keeps back without a word lacks no context.
  const isFailed = unable !== undefined || outcomes.some(saysFailed);
  if (isFailed && others.length > 0) {
    const classes = left().flatMap(({ sopClassUid }) => sopClassUid ?? []);
    for (const group of sopClassGroups(classes)) {
      const ofGroup = left().filter(({ sopClassUid = "" }) => group.includes(sopClassUid));
      await pass(storageContextGroups(group)[0] ?? [], ofGroup);
    }
  }
  for (const contexts of isFailed ? others : []) {
    await pass(
      contexts,
      left().filter(({ sopClassUid }) => sopClassUid === undefined),
    );
  }
  for (const contexts of isFailed ? singleSyntaxGroups(left().flatMap(({ sopClassUid }) => sopClassUid ?? [])) : []) {
    await pass(contexts, left());
  }
  if (unable !== undefined && (arrived.size === 0 || outcomes.length === 0)) throw unable;
  return {
    status: outcomes.at(-1)?.status ?? STATUS.success,
    completed: totalOf(outcomes.map(({ completed }) => completed)),
    failed: instances.filter(({ sopInstanceUid }) => !arrived.has(sopInstanceUid)).length,
  };
}

/** Without counts only the status tells. */
function saysFailed({ status, failed }: RetrieveOutcome): boolean {
  return failed === undefined ? status !== STATUS.success : failed > 0;
}

/** An archive that is unable over one association may be able over another. */
async function outcomeOrUnable<R>(outcome: Promise<R>): Promise<R | GatewayError> {
  try {
    return await outcome;
  } catch (thrown) {
    if (thrown instanceof GatewayError && thrown.code === "ARCHIVE_UNABLE") return thrown;
    throw thrown;
  }
}
