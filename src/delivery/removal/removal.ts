import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { Destination } from "../destination.ts";
import type { DeliveredStudy, Inspect } from "../inspection/inspection.ts";

/** What lies in the place of a study at a destination: files, objects or studies, as it counts them. */
export interface Remains {
  /** What was delivered, and what deliveries left when they were cut short. */
  readonly ours: number;
  /** What nobody here delivered: it is left as it is. */
  readonly others: number;
}

/** How a destination takes back what was delivered. */
export interface StudyRemoval {
  /** Looks, and changes nothing. */
  remains(study: DeliveredStudy, signal: AbortSignal): Promise<Remains>;
  /** Removes all of ours; what is gone already is no fault. @throws GatewayError with the class that tells what may be retried */
  remove(study: DeliveredStudy, signal: AbortSignal): Promise<void>;
}

/** How a removal ended, by read-back. `person`: somebody has to look there, for the reason of the code. */
export type RemovalEnd =
  | { readonly kind: "removed" | "absent" }
  | { readonly kind: "person"; readonly code: ErrorCode; readonly left: number };

export interface RemovalPlace {
  readonly destination: Pick<Destination, "name" | "removal">;
  readonly inspect?: Inspect | undefined;
}

/**
 * Takes a study back and proves it: asks what is there, removes it, and asks again. Doing it again changes nothing.
 * @param inspect how one is looked at that cannot remove; what a person removed there is found absent
 * @throws GatewayError REMOVAL_UNCONFIRMED when it says that it removed what is still there; errors of the destination
 */
export async function removeStudy(
  { destination, inspect }: RemovalPlace,
  study: DeliveredStudy,
  signal: AbortSignal,
): Promise<RemovalEnd> {
  const { removal } = destination;
  if (removal === undefined) return await lookAlone(inspect, study, signal);
  const before = await removal.remains(study, signal);
  if (before.ours === 0) return endOf(before, "absent");
  await removal.remove(study, signal);
  const after = await removal.remains(study, signal);
  if (after.ours > 0)
    throw new GatewayError("REMOVAL_UNCONFIRMED", { destination: destination.name, remaining: after.ours });
  return endOf(after, "removed");
}

function endOf({ others }: Remains, kind: "removed" | "absent"): RemovalEnd {
  return others === 0 ? { kind } : { kind: "person", code: "REMOVAL_OTHERS_LEFT", left: others };
}

async function lookAlone(
  inspect: Inspect | undefined,
  study: DeliveredStudy,
  signal: AbortSignal,
): Promise<RemovalEnd> {
  const inspection = await inspect?.(study, signal);
  const standing = study.files.filter((file) => inspection?.standing(file) !== "absent");
  // Without a list of what was delivered nothing proves that it is gone.
  if (inspection !== undefined && study.files.length > 0 && standing.length === 0) return { kind: "absent" };
  return { kind: "person", code: "REMOVAL_NOT_OFFERED", left: standing.length };
}
