import { GatewayError } from "../errors/gateway-error.ts";
import { type ErrorCode, errorRegistry } from "../errors/registry.ts";
import type { Verdict } from "../store/job-states.ts";
import { account, expectedCount, fetchMissing, type Inventory, takeInventory } from "./inventory.ts";
import { pauseFor, type StepContext, type StepResult, studyOf } from "./step.ts";

/** Rounds of asking for the missing within one try; each must bring something, or the rest waits. */
const MAXIMUM_ROUNDS = 8;
/** An archive that keeps withholding an instance is not asked for ever: after these tries the study is partial. */
const MAXIMUM_TRIES_FOR_MISSING = 5;

/** Compares what arrived with what the archive lists, by UID, and asks for the missing only. */
export async function verify(context: StepContext): Promise<StepResult> {
  using _single = await context.services.studyLocks.acquire(studyOf(context.job), context.signal);
  let inventory = await takeInventory(context);
  let missingBefore = Number.POSITIVE_INFINITY;
  for (let round = 0; round < MAXIMUM_ROUNDS && isShort(inventory); round += 1) {
    if (inventory.missing.length >= missingBefore) break;
    missingBefore = inventory.missing.length;
    await context.write({ events: [{ event: "fetching missing instances", detail: { missing: missingBefore } }] });
    await fetchMissing(context, inventory, "instance");
    inventory = await takeInventory(context);
  }
  await account(context, inventory);
  return await conclude(context, inventory);
}

function isShort({ listing, missing, staged }: Inventory): boolean {
  return listing.kind === "count" ? staged.length < listing.count : missing.length > 0;
}

function verdictOf(inventory: Inventory): Verdict {
  if (inventory.listing.kind === "unknown") return "unknown";
  return isShort(inventory) || unlistedOf(inventory) > 0 ? "partial" : "complete";
}

function unlistedOf({ listing }: Inventory): number {
  return listing.kind === "instances" ? (listing.unlisted ?? 0) : 0;
}

async function conclude(context: StepContext, inventory: Inventory): Promise<StepResult> {
  const { job, project, services } = context;
  const verdict = verdictOf(inventory);
  const refusal = services.refusals.takeReason(inventory.missing.map((instance) => instance.sopInstanceUid));
  // It was we who could not take it, and may soon: no fault of the study.
  if (refusal !== undefined && errorRegistry[refusal].class === "transient") return pauseFor(refusal, services.retry);
  const tries = Math.min(services.retry.attempts, MAXIMUM_TRIES_FOR_MISSING);
  // What was sent and could not be taken will be no better next time; what was not sent may still come.
  if (isShort(inventory) && refusal === undefined && job.attempts + 1 < tries) {
    throw new GatewayError("INSTANCES_MISSING", { missing: inventory.missing.length });
  }
  const received = inventory.staged.length;
  await context.write({
    verdict,
    expected: expectedCount(inventory.listing) ?? null,
    events: [
      { event: "verified", detail: { verdict, received, missing: inventory.missing.length + unlistedOf(inventory) } },
    ],
  });
  if (expectedCount(inventory.listing) === 0) return { kind: "end", state: "not-found", code: "SERIES_NOT_FOUND" };
  if (received === 0) return { kind: "end", state: "failed", code: refusal ?? "NOTHING_RECEIVED" };
  if (verdict === "complete" || project.partial === "deliver") return { kind: "next", stage: "deidentifying" };
  if (refusal !== undefined) return { kind: "end", state: "failed", code: refusal };
  const code: ErrorCode = verdict === "partial" ? "INSTANCES_MISSING" : "COMPLETENESS_UNKNOWN";
  return { kind: "end", state: "held", code };
}
