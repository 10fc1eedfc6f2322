import { deletePrearchived, listPrearchive, type PrearchiveSession } from "../../network/rest/xnat/prearchive.ts";
import { deleteSession, findSession, findSessionsOfStudy } from "../../network/rest/xnat/sessions.ts";
import type { DeliveredStudy } from "../inspection/inspection.ts";
import type { Remains } from "../removal/removal.ts";
import { placeOf, type XnatDestinationOptions } from "./place.ts";

/** Sessions of the archive and of the prearchive, whoever archived or renamed them within the project. */
export async function remainsInXnat(
  options: XnatDestinationOptions,
  study: DeliveredStudy,
  signal: AbortSignal,
): Promise<Remains> {
  const { archived, prearchived, others } = await lookForAll(options, study, signal);
  return { ours: archived.size + prearchived.length, others };
}

/** With their scans and what was derived from them: of a session nothing stays. */
export async function removeFromXnat(
  options: XnatDestinationOptions,
  study: DeliveredStudy,
  signal: AbortSignal,
): Promise<void> {
  const { archived, prearchived } = await lookForAll(options, study, signal);
  // The prearchive first: what waits there could else be archived meanwhile.
  for (const session of prearchived) await deletePrearchived(options.client, session, signal);
  for (const id of archived) await deleteSession(options.client, id, signal);
}

interface FoundEverywhere {
  /** Ids of sessions. */
  readonly archived: ReadonlySet<string>;
  readonly prearchived: readonly PrearchiveSession[];
  /** Sessions of our label that are of another study. */
  readonly others: number;
}

async function lookForAll(
  options: XnatDestinationOptions,
  study: DeliveredStudy,
  signal: AbortSignal,
): Promise<FoundEverywhere> {
  const { client } = options;
  const { project, session: label } = placeOf(options, study);
  const archived = new Set<string>();
  for (const { ID } of await findSessionsOfStudy(client, project, study.studyInstanceUid, signal)) archived.add(ID);
  const labelled = await findSession(client, project, label, signal);
  const isOurs = labelled?.uid === undefined || labelled.uid === study.studyInstanceUid;
  if (labelled !== undefined && isOurs) archived.add(labelled.id);
  const waiting = await listPrearchive(client, project, signal);
  const prearchived = waiting.filter(({ name, tag }) => tag === study.studyInstanceUid || (!tag && name === label));
  return { archived, prearchived, others: Number(!isOurs) };
}
