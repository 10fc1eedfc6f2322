import { join } from "node:path";
import { openShredding, plainRemoval } from "./removal.ts";

/** Where a home keeps copies of studies: identifiable ones in staging, de-identified ones on their way. */
export interface LocalPlaces {
  readonly staging: string;
  readonly outbox: string;
  /** Whether bytes are overwritten first. */
  readonly shred: boolean;
}

/** Removes what lies of a study, beside a running service too. What is there no more is no fault. @throws what the disk says */
export async function removeLocalCopies(
  { staging, outbox, shred }: LocalPlaces,
  { job, studyInstanceUid }: { readonly job: string; readonly studyInstanceUid: string | undefined },
): Promise<void> {
  await plainRemoval.remove(join(outbox, job));
  if (studyInstanceUid === undefined) return;
  const folder = join(staging, "studies", studyInstanceUid);
  if (!shred) return await plainRemoval.remove(folder);
  // A folder of its own: what leaves through the service is the service's to overwrite.
  const shredding = await openShredding(join(staging, "withdrawn"));
  await shredding.remove(folder);
}
