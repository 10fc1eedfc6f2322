import { ROLES } from "../../units/actor.ts";
import type { AuditEvent } from "../../units/audit.ts";
import type { NewToken, RepeatableRequest, RequestBegun, TokenRecord } from "../access.ts";
import { appendAudit } from "./audit.ts";
import { integer, list, oneOf, optional, recordReader, text } from "./columns.ts";
import { newTokenId } from "./names.ts";
import type { Session } from "./session.ts";

const KEPT_MS = 86_400_000;
const KEPT_REQUESTS = 5_000;

export async function addToken(
  session: Session,
  token: NewToken,
  audit: AuditEvent | undefined,
  nowMs: number,
): Promise<string | undefined> {
  const { kind, name, role, projects, hash, parent, expiresAtMs } = token;
  if (kind === "token" && (await session.get("tokenOfName", { name, nowMs })) !== undefined) return undefined;
  if (kind === "session") await session.run("forgetSessions", { nowMs });
  const id = newTokenId();
  const listed = projects === undefined ? undefined : JSON.stringify(projects);
  await session.run("insertToken", { id, kind, name, role, projects: listed, hash, parent, expiresAtMs, nowMs });
  if (audit !== undefined) await appendAudit(session, audit, nowMs);
  return id;
}

export async function tokenOfHash(session: Session, hash: string): Promise<TokenRecord | undefined> {
  const row = await session.get("tokenOfHash", { hash });
  return row === undefined ? undefined : tokenRecord(row);
}

export async function listTokens(session: Session): Promise<readonly TokenRecord[]> {
  return (await session.all("listTokens")).map(tokenRecord);
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

export async function revokeToken(
  session: Session,
  id: string,
  audit: AuditEvent | undefined,
  nowMs: number,
): Promise<boolean> {
  if ((await session.run("revokeToken", { id, nowMs })) === 0) return false;
  await session.run("revokeSessions", { id, nowMs });
  if (audit !== undefined) await appendAudit(session, audit, nowMs);
  return true;
}

export async function beginRequest(
  session: Session,
  { asker, key, digest }: RepeatableRequest,
  nowMs: number,
): Promise<RequestBegun> {
  await session.run("forgetOldRequests", { beforeMs: nowMs - KEPT_MS });
  const known = await session.get("requestOfKey", { asker, key });
  if (known === undefined) {
    const begun = await session.get("beginRequest", { asker, key, digest, nowMs });
    await session.run("forgetManyRequests", { upTo: Number(begun?.requestNo) - KEPT_REQUESTS });
    return { kind: "begun" };
  }
  if (known.digest !== digest) return { kind: "other" };
  const { status, body } = known;
  if (status === null) return { kind: "unfinished" };
  return { kind: "answered", status: Number(status), body: String(body) };
}

export async function endRequest(
  session: Session,
  { asker, key }: RepeatableRequest,
  answer: { readonly status: number; readonly body: string } | undefined,
): Promise<void> {
  if (answer === undefined) await session.run("forgetRequest", { asker, key });
  else await session.run("answerRequest", { asker, key, ...answer });
}
