import { deletePrearchived, listPrearchive, type PrearchiveSession } from "../../network/rest/xnat/prearchive.ts";
import { deleteSession, findSession, findSessionsOfStudy } from "../../network/rest/xnat/sessions.ts";
import type { DeliveredStudy } from "../inspection/inspection.ts";
import type { StudyRemoval } from "../removal/removal.ts";
import { labelsOf } from "./labels.ts";
import type { XnatDestinationOptions } from "./place.ts";

/** Takes sessions out of an XNAT, of the archive and of the prearchive, whoever archived or renamed them within the project. */
export function xnatRemoval(xnat: XnatToClear): StudyRemoval {
  return {
    async remains(study, signal) {
      const { archived, prearchived, others } = await lookForAll(xnat, study, signal);
      return { ours: archived.size + prearchived.length, others };
    },
    // With their scans and what was derived from them: of a session nothing stays.
    async remove(study, signal) {
      const { archived, prearchived } = await lookForAll(xnat, study, signal);
      // The prearchive first: what waits there could else be archived meanwhile.
      for (const session of prearchived) await deletePrearchived(xnat.client, session, signal);
      for (const id of archived) await deleteSession(xnat.client, id, signal);
    },
  };
}

type XnatToClear = Pick<XnatDestinationOptions, "client" | "project">;

interface FoundEverywhere {
  /** Ids of sessions. */
  readonly archived: ReadonlySet<string>;
  readonly prearchived: readonly PrearchiveSession[];
  /** Sessions of our label that are of another study. */
  readonly others: number;
}

async function lookForAll(
  { client, project: named }: XnatToClear,
  study: DeliveredStudy,
  signal: AbortSignal,
): Promise<FoundEverywhere> {
  const project = named ?? study.project;
  const { session: label } = labelsOf(study);
  const archived = new Set<string>();
  for (const { ID } of await findSessionsOfStudy(client, project, study.studyInstanceUid, signal)) archived.add(ID);
  const labelled = await findSession(client, project, label, signal);
  const isOurs = labelled?.uid === undefined || labelled.uid === study.studyInstanceUid;
  if (labelled !== undefined && isOurs) archived.add(labelled.id);
  const waiting = await listPrearchive(client, project, signal);
  const prearchived = waiting.filter(({ name, tag }) => tag === study.studyInstanceUid || (!tag && name === label));
  return { archived, prearchived, others: Number(!isOurs) };
}
