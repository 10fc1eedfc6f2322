import type { AuditEvent } from "../../units/audit.ts";
import type { NewRelease, PseudonymLink, Release } from "../records.ts";
import { appendAudit } from "./audit.ts";
import { addEvent, listText } from "./join.ts";
import { jobNumber } from "./look.ts";
import { parseList } from "./row-records.ts";
import type { Session } from "./session.ts";

/** See `Store.releaseJob`. */
export function releaseJob(
  session: Session,
  id: string,
  release: NewRelease,
  audit: AuditEvent,
  nowMs: number,
): boolean {
  const jobNo = jobNumber(session, id, "jobOfId");
  if (session.get("quarantinedJob", { jobNo }) === undefined) return false;
  const { actor, reason, leaveOut, allowTags } = release;
  const lists = { leaveOut: listText(leaveOut), allowTags: listText(allowTags) };
  const inserted = session.get("insertRelease", { jobNo, nowMs, actor, reason, ...lists });
  session.run("releaseJob", { jobNo, releaseNo: Number(inserted?.releaseNo) });
  const detail = { by: actor, reason, leftOut: leaveOut.length, allowedTags: allowTags.join(" ") };
  addEvent(session, jobNo, { event: "released", detail }, nowMs);
  appendAudit(session, audit, nowMs);
  return true;
}

export function releaseOf(session: Session, id: string): Release | undefined {
  const row = session.get("releaseOfJob", { jobNo: jobNumber(session, id) });
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
export function linkPseudonyms(
  session: Session,
  project: string,
  keyId: string,
  links: readonly PseudonymLink[],
): readonly PseudonymLink["kind"][] {
  const digests = new Map<string, string>();
  const collisions = links.filter(({ kind, replacement, digest }) => {
    const name = `${kind} ${replacement}`;
    const known = digests.get(name) ?? session.get("pseudonymLink", { project, keyId, kind, replacement })?.digest;
    digests.set(name, digest);
    return known !== undefined && known !== digest;
  });
  if (collisions.length === 0)
    for (const link of links) session.run("insertPseudonymLink", { project, keyId, ...link });
  return [...new Set(collisions.map(({ kind }) => kind))];
}
