import { GatewayError } from "../errors/gateway-error.ts";
import { type ErrorCode, errorRegistry } from "../errors/registry.ts";
import type { Verdict } from "../store/job-states.ts";
import type { JobChange } from "../store/records.ts";
import { account, expectedCount, fetchMissing, type Inventory, takeInventory } from "./inventory.ts";
import { type EndState, pauseFor, type RunRecall, type StepContext, type StepResult, studyOf } from "./step.ts";

/** Rounds of asking for the missing within one try; each must bring something, or the rest waits. */
const MAXIMUM_ROUNDS = 8;
/** An archive that keeps withholding an instance is not asked for ever: after these tries the study is partial. */
const MAXIMUM_TRIES_FOR_MISSING = 5;

/** Compares what arrived with what the archive lists, by UID, and asks for the missing only. */
export async function verify(context: StepContext): Promise<StepResult> {
  using _single = await context.services.studyLocks.acquire(studyOf(context.job), context.signal);
  const known = justListed(context);
  let inventory = await takeInventory(context, known);
  let missingBefore = Number.POSITIVE_INFINITY;
  for (let round = 0; round < MAXIMUM_ROUNDS && isShort(inventory); round += 1) {
    if (missingCount(inventory) >= missingBefore) break;
    missingBefore = missingCount(inventory);
    await context.write({ events: [{ event: "fetching missing instances", detail: { missing: missingBefore } }] });
    await context.write({ ledger: await fetchMissing(context, inventory, "instance") });
    inventory = await takeInventory(context);
  }
  // Late ones may have come since.
  const isAccounted = inventory.staged.every(({ sopInstanceUid }) => known?.accounted.has(sopInstanceUid) ?? false);
  if (!isAccounted) await context.write({ ledger: await account(context, inventory) });
  return await conclude(context, inventory);
}

/** A listing that is no older is not asked for again: what the archive gets from now on it might get a moment later, too. */
const LISTING_HOLDS_MS = 10_000;

/** What the step before was told and has accounted for. */
function justListed({ recall, services }: StepContext): RunRecall["listed"] {
  const { listed } = recall;
  return listed === undefined || services.clock.nowMs() - listed.listedAtMs > LISTING_HOLDS_MS ? undefined : listed;
}

function isShort(inventory: Inventory): boolean {
  return missingCount(inventory) > 0;
}

/** Of an archive that counts and names none, what its count lacks. */
function missingCount({ listing, missing, staged }: Inventory): number {
  return listing.kind === "count" ? Math.max(0, listing.count - staged.length) : missing.length;
}

function verdictOf(inventory: Inventory): Verdict {
  if (inventory.listing.kind === "unknown") return "unknown";
  return isShort(inventory) || unlistedOf(inventory) > 0 || inventory.absentSeries > 0 ? "partial" : "complete";
}

function unlistedOf({ listing }: Inventory): number {
  return listing.kind === "instances" ? (listing.unlisted ?? 0) : 0;
}

/** Why we took nothing of what is missing; `isWhole`: nothing else is missing. */
function refusalOf(
  { services, job }: StepContext,
  inventory: Inventory,
): { readonly refusal: ErrorCode | undefined; readonly isWhole: boolean } {
  const { missing, staged } = inventory;
  const ofMissing = services.refusals.takeReason(missing.map(({ sopInstanceUid }) => sopInstanceUid));
  // Of those that were sent under a UID which the archive does not list.
  const ofStudy = services.refusals.takeReason([studyOf(job)]);
  if (verdictOf(inventory) === "complete") return { refusal: undefined, isWhole: false };
  const isWhole =
    ofMissing === undefined
      ? ofStudy !== undefined && (missing.length === 0 || staged.length === 0)
      : ofMissing.refused === missing.length;
  return { refusal: (ofMissing ?? ofStudy)?.code, isWhole };
}

async function conclude(context: StepContext, inventory: Inventory): Promise<StepResult> {
  const { job, project, services } = context;
  const verdict = verdictOf(inventory);
  const { refusal, isWhole } = refusalOf(context, inventory);
  // It was we who could not take it, and may soon: no fault of the study.
  if (refusal !== undefined && errorRegistry[refusal].class === "transient") return pauseFor(refusal, services.retry);
  const tries = Math.min(services.retry.attempts, MAXIMUM_TRIES_FOR_MISSING);
  // What was sent and could not be taken will be no better next time; what was not sent may still come.
  if (isShort(inventory) && !isWhole && job.attempts + 1 < tries) {
    throw new GatewayError("INSTANCES_MISSING", { missing: missingCount(inventory) });
  }
  const received = inventory.staged.length;
  const missing = missingCount(inventory) + unlistedOf(inventory);
  const { absentSeries } = inventory;
  const change: JobChange = {
    verdict,
    expected: expectedCount(inventory.listing) ?? null,
    events: [
      { event: "verified", detail: { verdict, received, missing, ...(absentSeries > 0 ? { absentSeries } : {}) } },
    ],
  };
  const end = (state: EndState, code: ErrorCode): StepResult => ({ kind: "end", state, code, change });
  if (expectedCount(inventory.listing) === 0) return end("not-found", "SERIES_NOT_FOUND");
  if (received === 0) return end("failed", refusal ?? "NOTHING_RECEIVED");
  if (verdict === "complete" || project.partial === "deliver") return { kind: "next", stage: "deidentifying", change };
  if (refusal !== undefined) return end("failed", refusal);
  if (verdict === "unknown") return end("held", "COMPLETENESS_UNKNOWN");
  return end("held", missing === 0 ? "SERIES_MISSING" : "INSTANCES_MISSING");
}
