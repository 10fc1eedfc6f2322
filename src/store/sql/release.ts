import type { AuditEvent } from "../../units/audit.ts";
import type { NewRelease, PseudonymLink, Release } from "../records.ts";
import { appendAudit } from "./audit.ts";
import { addEvent, listText } from "./join.ts";
import { jobNumber } from "./look.ts";
import { parseList } from "./row-records.ts";
import type { Session } from "./session.ts";

/** See `Store.releaseJob`. */
export async function releaseJob(
  session: Session,
  id: string,
  release: NewRelease,
  audit: AuditEvent,
  nowMs: number,
): Promise<boolean> {
  const jobNo = await jobNumber(session, id, "jobOfId");
  if ((await session.get("quarantinedJob", { jobNo })) === undefined) return false;
  const { actor, reason, leaveOut, allowTags } = release;
  const lists = { leaveOut: listText(leaveOut), allowTags: listText(allowTags) };
  const inserted = await session.get("insertRelease", { jobNo, nowMs, actor, reason, ...lists });
  await session.run("releaseJob", { jobNo, releaseNo: Number(inserted?.releaseNo) });
  const detail = { by: actor, reason, leftOut: leaveOut.length, allowedTags: allowTags.join(" ") };
  await addEvent(session, jobNo, { event: "released", detail }, nowMs);
  await appendAudit(session, audit, nowMs);
  return true;
}

export async function releaseOf(session: Session, id: string): Promise<Release | undefined> {
  const row = await session.get("releaseOfJob", { jobNo: await jobNumber(session, id) });
  if (row === undefined) return undefined;
  const { atMs, actor, reason, leaveOut, allowTags } = row;
  return {
    atMs: Number(atMs),
    actor: String(actor),
    reason: String(reason),
    leaveOut: parseList(leaveOut) ?? [],
    allowTags: parseList(allowTags) ?? [],
  };
}

/** See `Store.linkPseudonyms`. */
export async function linkPseudonyms(
  session: Session,
  project: string,
  keyId: string,
  links: readonly PseudonymLink[],
): Promise<readonly PseudonymLink["kind"][]> {
  const digests = new Map<string, string>();
  const collisions = new Set<PseudonymLink["kind"]>();
  for (const { kind, replacement, digest } of links) {
    const name = `${kind} ${replacement}`;
    const known =
      digests.get(name) ?? (await session.get("pseudonymLink", { project, keyId, kind, replacement }))?.digest;
    digests.set(name, digest);
    if (known !== undefined && known !== digest) collisions.add(kind);
  }
  if (collisions.size === 0)
    for (const link of links) await session.run("insertPseudonymLink", { project, keyId, ...link });
  return [...collisions];
}
