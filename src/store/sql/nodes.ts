import { GatewayError } from "../../errors/gateway-error.ts";
import type { IntakeStore } from "../intake.ts";
import { type NodeRecord, type NodeStore, type PermitWish, SILENT_MS } from "../nodes.ts";
import { integer, list, optional, recordReader, text } from "./columns.ts";
import { addIntakeInstances as addToIntake } from "./intake.ts";
import type { Session } from "./session.ts";

/** The node itself wakes what waits for it; this is for the case that it never comes back, and somebody sends it again. */
const LOOK_AGAIN_MS = 900_000;

const nodeRecord = recordReader<NodeRecord>({
  name: text,
  version: text,
  roles: list,
  address: optional(text),
  startedAtMs: integer,
  seenAtMs: integer,
});

export async function beatNode(session: Session, node: Omit<NodeRecord, "seenAtMs">, nowMs: number): Promise<void> {
  await session.run("beatNode", { ...node, roles: JSON.stringify(node.roles), nowMs });
  const silent = { seenAfterMs: nowMs - SILENT_MS };
  await session.run("parkHeld", { ...silent, dueAt: nowMs + LOOK_AGAIN_MS });
  await session.run("freeHeld", silent);
}

export async function leaveNodes(session: Session, node: string): Promise<void> {
  await session.run("freeHeldBy", { node });
  await session.run("leaveNodes", { node });
}

export async function listNodes(session: Session): Promise<readonly NodeRecord[]> {
  return (await session.all("listNodes")).map(nodeRecord);
}

export async function nodeOfStudy(
  session: Session,
  { resource, studyInstanceUid }: Parameters<NodeStore["nodeOfStudy"]>[0],
  nowMs: number,
): Promise<NodeRecord | undefined> {
  const row = await session.get("nodeOfStudy", { resource, studyInstanceUid, nowMs });
  return row && nodeRecord(row);
}

export async function intakeNodeOf(session: Session, studyInstanceUid: string): Promise<string | undefined> {
  return optional(text)((await session.get("intakeNodeOf", { studyInstanceUid }))?.node);
}

/** See `IntakeStore.addIntakeInstances`. All instances are the same node's. */
export async function addIntakeInstances(
  session: Session,
  ...args: Parameters<IntakeStore["addIntakeInstances"]>
): Promise<readonly boolean[]> {
  const [instances] = args;
  const node = instances[0]?.node;
  if (node === undefined) return await addToIntake(session, ...args);
  const studies = new Set(instances.map(({ studyInstanceUid }) => studyInstanceUid));
  for (const studyInstanceUid of studies) {
    const other = await intakeNodeOf(session, studyInstanceUid);
    if (other !== undefined && other !== node) throw new GatewayError("STUDY_ON_OTHER_NODE", { node: other });
  }
  const added = await addToIntake(session, ...args);
  for (const studyInstanceUid of studies) await session.run("placeIntakeStudy", { studyInstanceUid, node });
  return added;
}

export async function forgetNodes(session: Session, seenBeforeMs: number): Promise<number> {
  return await session.run("forgetNodes", { seenBeforeMs });
}

/** See `NodeStore.takePermit`. */
export async function takePermit(
  session: Session,
  { resource, limit, holder, node }: PermitWish,
  leaseMs: number,
  nowMs: number,
): Promise<boolean> {
  await session.run("forgetLapsedPermits", { resource, nowMs });
  const others = Number((await session.get("countOtherPermits", { resource, holder }))?.permits ?? 0);
  if (others >= limit) return false;
  await session.run("takePermit", { resource, holder, node, until: nowMs + leaseMs });
  return true;
}

export async function renewPermits(session: Session, node: string, leaseMs: number, nowMs: number): Promise<number> {
  return await session.run("renewPermits", { node, until: nowMs + leaseMs });
}

export async function returnPermit(session: Session, resource: string, holder: string): Promise<boolean> {
  return (await session.run("returnPermit", { resource, holder })) === 1;
}

export async function returnPermitsOf(session: Session, node: string): Promise<number> {
  return await session.run("returnPermitsOf", { node });
}
