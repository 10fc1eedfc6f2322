import { ROLES } from "../../units/actor.ts";
import type { AuditEvent } from "../../units/audit.ts";
import type { NewToken, RepeatableRequest, RequestBegun, TokenRecord } from "../access.ts";
import { appendAudit } from "./audit.ts";
import { integer, list, oneOf, optional, recordReader, text } from "./columns.ts";
import { newTokenId } from "./names.ts";
import type { Session } from "./session.ts";

const KEPT_MS = 86_400_000;
const KEPT_REQUESTS = 5_000;

export function addToken(
  session: Session,
  token: NewToken,
  audit: AuditEvent | undefined,
  nowMs: number,
): string | undefined {
  const { kind, name, role, projects, hash, parent, expiresAtMs } = token;
  if (kind === "token" && session.get("tokenOfName", { name, nowMs }) !== undefined) return undefined;
  if (kind === "session") session.run("forgetSessions", { nowMs });
  const id = newTokenId();
  const listed = projects === undefined ? undefined : JSON.stringify(projects);
  session.run("insertToken", { id, kind, name, role, projects: listed, hash, parent, expiresAtMs, nowMs });
  if (audit !== undefined) appendAudit(session, audit, nowMs);
  return id;
}

export function tokenOfHash(session: Session, hash: string): TokenRecord | undefined {
  const row = session.get("tokenOfHash", { hash });
  return row === undefined ? undefined : tokenRecord(row);
}

export function listTokens(session: Session): readonly TokenRecord[] {
  return session.all("listTokens").map(tokenRecord);
}

const tokenRecord = recordReader<TokenRecord>({
  id: text,
  kind: oneOf(["token", "session"]),
  name: text,
  role: oneOf(ROLES),
  projects: optional(list),
  createdAtMs: integer,
  expiresAtMs: integer,
  revokedAtMs: optional(integer),
});

export function revokeToken(session: Session, id: string, audit: AuditEvent | undefined, nowMs: number): boolean {
  if (session.run("revokeToken", { id, nowMs }) === 0) return false;
  session.run("revokeSessions", { id, nowMs });
  if (audit !== undefined) appendAudit(session, audit, nowMs);
  return true;
}

export function beginRequest(session: Session, { asker, key, digest }: RepeatableRequest, nowMs: number): RequestBegun {
  session.run("forgetOldRequests", { beforeMs: nowMs - KEPT_MS });
  const known = session.get("requestOfKey", { asker, key });
  if (known === undefined) {
    const begun = session.get("beginRequest", { asker, key, digest, nowMs });
    session.run("forgetManyRequests", { upTo: Number(begun?.requestNo) - KEPT_REQUESTS });
    return { kind: "begun" };
  }
  if (known.digest !== digest) return { kind: "other" };
  const { status, body } = known;
  if (status === null) return { kind: "unfinished" };
  return { kind: "answered", status: Number(status), body: String(body) };
}

export function endRequest(
  session: Session,
  { asker, key }: RepeatableRequest,
  answer: { readonly status: number; readonly body: string } | undefined,
): void {
  if (answer === undefined) session.run("forgetRequest", { asker, key });
  else session.run("answerRequest", { asker, key, ...answer });
}
