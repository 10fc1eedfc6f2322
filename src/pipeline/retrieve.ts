import { expectedCount, fetchMissing, takeInventory } from "./inventory.ts";
import { pauseFor, type StepContext, type StepResult, studyOf } from "./step.ts";

/** Writes down what the archive lists, then fetches what staging lacks of it. */
export async function retrieve(context: StepContext): Promise<StepResult> {
  const { services, job, signal } = context;
  if (await services.staging.isBelowReserve()) return pauseFor("STAGING_FULL", services.retry);
  using _single = await services.studyLocks.acquire(studyOf(job), signal);

  const inventory = await takeInventory(context);
  const { listing } = inventory;
  await context.write({
    expected: expectedCount(listing) ?? null,
    events: [
      {
        event: "retrieving",
        detail: { archive: inventory.archive.name, listed: listing.kind, staged: inventory.staged.length },
      },
    ],
    ledger:
      listing.kind === "instances"
        ? listing.instances.map(({ sopInstanceUid, seriesInstanceUid }) => ({
            kind: "expected",
            sopInstanceUid,
            seriesInstanceUid,
          }))
        : [],
  });
  const ledger = await fetchMissing(context, inventory, "study");
  const accounted = new Set(ledger.map(({ sopInstanceUid }) => sopInstanceUid));
  context.recall.listed = { listing, listedAtMs: inventory.listedAtMs, accounted };
  return { kind: "next", stage: "verifying", change: { ledger } };
}
