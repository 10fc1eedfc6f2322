import { INTAKE_STATES } from "../intake.ts";
import type { PlaceToClear, WithdrawalStore, WithdrawalWish } from "../withdrawals.ts";
import { integer, oneOf, optional, recordReader, text } from "./columns.ts";
import { forgetWhose } from "./forget-node.ts";
import { inTurn } from "./in-turn.ts";
import type { Session } from "./session.ts";
import { listKey } from "./withdrawn-list.ts";

const readUnasked = recordReader({
  studyNo: integer,
  state: oneOf([...INTAKE_STATES, "given-up"]),
  project: optional(text),
  node: optional(text),
});
const readPlace = recordReader({ withdrawal: integer, project: text, digest: text, node: text });
const readJob = recordReader({ job: text, studyDigest: optional(text) });

type Wish = Pick<WithdrawalWish, "project" | "patientId" | "soleNode" | "isEverywhere">;

/** What was sent unasked for the project, and is nobody else's; what is held only once no project is left to give it to. */
async function unaskedOf(session: Session, { project, patientId, isEverywhere = false }: Wish) {
  const studies = (await session.all("intakeOfPatient", { patientId })).map(readUnasked);
  return studies.filter((study) =>
    study.state === "held" || study.project === undefined ? isEverywhere : study.project === project,
  );
}

/** See `IntakeStore.discardUnasked`. */
export async function discardUnasked(session: Session, project: string, studyInstanceUid: string): Promise<void> {
  await session.run("discardUnasked", { project, studyInstanceUid });
}

/** Answers the nodes on whose disks it lies. */
export async function withdrawUnasked(session: Session, wish: Wish): Promise<readonly string[]> {
  const studies = await unaskedOf(session, wish);
  for (const { studyNo } of studies) {
    await session.run("withdrawIntake", { studyNo });
    await forgetWhose(session, studyNo);
  }
  return studies.flatMap(({ node }) => node ?? wish.soleNode ?? []);
}

export async function nodesWithUnasked(session: Session, wish: Wish): Promise<readonly string[]> {
  return (await unaskedOf(session, wish)).flatMap(({ node }) => node ?? wish.soleNode ?? []);
}

/** Whose workers ever began one of the studies, whatever came of it. Of a store that is one node's own, who withdraws removes them himself. */
export async function nodesWithStudies(
  session: Session,
  { soleNode }: Wish,
  jobs: readonly { readonly jobNo: number; readonly studyInstanceUid: string | undefined }[],
): Promise<readonly string[]> {
  if (soleNode !== undefined) return [];
  const rows = await inTurn(jobs, ({ jobNo, studyInstanceUid }) =>
    studyInstanceUid === undefined
      ? session.all("workersOfJob", { jobNo })
      : session.all("workersOfStudy", { studyInstanceUid }),
  );
  return rows.flat().flatMap(({ worker }) => nodeOfWorker(text(worker)));
}

/** A worker is named `<node>/<worker>`. */
function nodeOfWorker(worker: string): string[] {
  const end = worker.indexOf("/");
  return end > 0 ? [worker.slice(0, end)] : [];
}

/** See `WithdrawalStore.askPlaces`. */
export async function askPlaces(
  session: Session,
  number: number,
  studies: Parameters<WithdrawalStore["askPlaces"]>[1],
  nowMs: number,
): Promise<void> {
  for (const { job, studyDigest } of studies) await session.run("digestWithdrawnStudy", { number, job, studyDigest });
  await session.run("askWithdrawnPlaces", { number, nowMs });
}

/** See `WithdrawalStore.isAwaited`. */
export async function isAwaited(session: Session, node: string): Promise<boolean> {
  return (await session.all("waitingPlacesOfNode", { node, limit: 1 })).length > 0;
}

/** See `WithdrawalStore.placesToClear`. */
export async function placesToClear(
  session: Session,
  { node, keyId }: Parameters<WithdrawalStore["placesToClear"]>[0],
  limit: number,
): Promise<readonly PlaceToClear[]> {
  const places = (await session.all("waitingPlacesOfNode", { node, limit })).map(readPlace);
  if (places.length > 0) await listKey(session, keyId);
  return await inTurn(places, async (place) => ({
    ...place,
    jobs: (await session.all("digestedJobs", { number: place.withdrawal })).map(readJob),
  }));
}

/** See `WithdrawalStore.settlePlace`. */
export async function settlePlace(session: Session, number: number, node: string, nowMs: number): Promise<boolean> {
  return (await session.run("settleWithdrawnPlace", { number, node, nowMs })) === 1;
}

/** See `IntakeStore.heldIntakeOf`. */
export async function heldIntakeOf(session: Session, patientId: string): Promise<number> {
  return integer((await session.get("heldIntakeOfPatient", { patientId }))?.studies ?? 0);
}
