import { createHash } from "node:crypto";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { AuditEvent } from "../../units/audit.ts";
import type { LinkageKeeping, LinkageProof, LinkFilter, LinkRecord, NewLink } from "../linkage.ts";
import { appendAudit } from "./audit.ts";
import { blob, integer, optional, recordReader, text } from "./columns.ts";
import type { Row, Session } from "./session.ts";

/** Links read at a time while they are summed up. */
const PAGE = 1_000;

const readLink = recordReader({
  number: integer,
  job: text,
  pseudonym: text,
  pseudoStudyInstanceUid: text,
  studyDigest: text,
  patientDigest: optional(text),
  sealed: blob,
  atMs: integer,
});
const readProof = recordReader({ links: integer, digest: text, atMs: integer });

/** See `Store.openLinkage`. */
export async function openLinkage(
  session: Session,
  project: string,
  wrapped: Uint8Array,
  nowMs: number,
): Promise<LinkageKeeping> {
  await session.run("insertLinkageKey", { project, wrapped, nowMs });
  const row = (await session.get("linkageKey", { project })) ?? {};
  const proof = proofOf(row);
  return proof === undefined ? { kind: "kept", wrappedKey: blob(row.wrapped) } : { kind: "destroyed", proof };
}

function proofOf(row: Row): LinkageProof | undefined {
  return row.wrapped === null ? readProof(row) : undefined;
}

export async function linkageOf(session: Session, project: string) {
  const row = await session.get("linkageKey", { project });
  if (row === undefined) return undefined;
  return { links: integer((await session.get("countLinks", { project }))?.links), proof: proofOf(row) };
}

export async function listLinks(
  session: Session,
  project: string,
  { pseudonym, patientDigest }: LinkFilter,
  page: { readonly after: number; readonly limit: number },
): Promise<readonly LinkRecord[]> {
  if (pseudonym !== undefined)
    return (await session.all("linksOfPseudonym", { project, pseudonym, ...page })).map(readLink);
  if (patientDigest !== undefined)
    return (await session.all("linksOfPatient", { project, patientDigest, ...page })).map(readLink);
  return (await session.all("listLinks", { project, ...page })).map(readLink);
}

export async function keepLink(session: Session, jobNo: number, link: NewLink, nowMs: number): Promise<void> {
  await session.run("keepLink", { ...link, jobNo, nowMs });
}

/** See `Store.destroyLinkage`. */
export async function destroyLinkage(
  session: Session,
  project: string,
  audit: AuditEvent,
  nowMs: number,
): Promise<LinkageProof> {
  const row = await session.get("linkageKey", { project });
  if (row === undefined) throw new GatewayError("LINKAGE_NOT_KEPT", { project });
  const before = proofOf(row);
  if (before !== undefined) return before;
  const { links, digest } = await sumOf(session, project);
  await session.run("deleteLinks", { project });
  await session.run("destroyLinkageKey", { project, links, digest, nowMs });
  await appendAudit(session, { ...audit, detail: { links, digest } }, nowMs);
  return { links, digest, atMs: nowMs };
}

async function sumOf(session: Session, project: string): Promise<Omit<LinkageProof, "atMs">> {
  const hash = createHash("sha256");
  let links = 0;
  let after = 0;
  for (;;) {
    const page = await listLinks(session, project, {}, { after, limit: PAGE });
    for (const { pseudonym, pseudoStudyInstanceUid, sealed } of page)
      hash.update(`${pseudonym}\n${pseudoStudyInstanceUid}\n`).update(sealed);
    links += page.length;
    after = page.at(-1)?.number ?? after;
    if (page.length < PAGE) return { links, digest: hash.digest("hex") };
  }
}
