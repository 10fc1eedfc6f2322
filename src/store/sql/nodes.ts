import type { NodeRecord, PermitWish } from "../nodes.ts";
import { integer, list, optional, recordReader, text } from "./columns.ts";
import type { Session } from "./session.ts";

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
}

export async function listNodes(session: Session): Promise<readonly NodeRecord[]> {
  return (await session.all("listNodes")).map(nodeRecord);
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
