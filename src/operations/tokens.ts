import { createHash } from "node:crypto";
import { GatewayError } from "../errors/gateway-error.ts";
import type { TokenRecord } from "../store/access.ts";
import type { Actor, Role } from "../units/actor.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";
import type { NewTokenDocument, TokenDocument } from "./documents.ts";

export interface TokenWish {
  /** Stands in the audit trail for whoever uses it. */
  readonly name: string;
  readonly role: Role;
  /** Undefined: every project. */
  readonly projects?: readonly string[] | undefined;
  readonly days: number;
}

const DAY_MS = 86_400_000;
const SECRET_BYTES = 32;
/** Tells people, and scanners for secrets, what it is. */
const PREFIX = "radferry_";

/** Nobody can guess 32 random bytes: a plain digest is enough to keep them by. */
export function hashOfSecret(secret: string): string {
  return createHash("sha256").update(secret, "utf8").digest("hex");
}

export function newSecret({ random }: Pick<OperationsContext, "random">): string {
  return PREFIX + Buffer.from(random.bytes(SECRET_BYTES)).toString("base64url");
}

/** The secret is in the answer and nowhere else. @throws GatewayError TOKEN_NAME_TAKEN, PROJECT_UNKNOWN */
export async function createToken(context: OperationsContext, wish: TokenWish): Promise<NewTokenDocument> {
  const { store, clock, actor, projects: known } = context;
  const { name, role, projects, days } = wish;
  for (const project of projects ?? []) if (!known.has(project)) throw new GatewayError("PROJECT_UNKNOWN", { project });
  const secret = newSecret(context);
  const nowMs = clock.nowMs();
  const facts = { kind: "token", name, role, projects, expiresAtMs: nowMs + days * DAY_MS } as const;
  const detail = { token: name, role, days, ...(projects === undefined ? {} : { projects: projects.join(" ") }) };
  const audit = { event: "token-created", actor, outcome: "success", detail } as const;
  const id = await store.addToken({ ...facts, hash: hashOfSecret(secret) }, audit, nowMs);
  if (id === undefined) throw new GatewayError("TOKEN_NAME_TAKEN", { name });
  return { ...describeToken({ ...facts, id, createdAtMs: nowMs, revokedAtMs: undefined }, nowMs), token: secret };
}

export async function listTokens({ store, clock }: OperationsContext): Promise<readonly TokenDocument[]> {
  const nowMs = clock.nowMs();
  return (await store.listTokens()).map((token) => describeToken(token, nowMs));
}

/** @param which id, or the name of one that is good. @throws GatewayError TOKEN_UNKNOWN */
export async function revokeToken({ store, clock, actor }: OperationsContext, which: string): Promise<TokenDocument> {
  const nowMs = clock.nowMs();
  const tokens = await store.listTokens();
  const isGood = ({ revokedAtMs, expiresAtMs }: TokenRecord): boolean =>
    revokedAtMs === undefined && expiresAtMs > nowMs;
  const token = tokens.find(({ id }) => id === which) ?? tokens.find((each) => each.name === which && isGood(each));
  const detail = { token: token?.name ?? "" };
  const audit = { event: "token-revoked", actor, outcome: "success", detail } as const;
  if (token === undefined || !(await store.revokeToken(token.id, audit, nowMs)))
    throw new GatewayError("TOKEN_UNKNOWN");
  return describeToken({ ...token, revokedAtMs: nowMs }, nowMs);
}

function describeToken(token: Omit<TokenRecord, "kind">, nowMs: number): TokenDocument {
  const { id, name, role, projects, createdAtMs, expiresAtMs, revokedAtMs } = token;
  return {
    id,
    name,
    role,
    projects: projects ?? null,
    state: revokedAtMs !== undefined ? "revoked" : expiresAtMs <= nowMs ? "expired" : "good",
    createdAt: isoTime(createdAtMs),
    expiresAt: isoTime(expiresAtMs),
  };
}

/** Whoever holds the secret; undefined when it opens nothing any more. */
export async function actorOfSecret(
  { store, clock }: Pick<OperationsContext, "store" | "clock">,
  secret: string,
): Promise<{ readonly actor: Actor; readonly token: TokenRecord } | undefined> {
  const token = await store.tokenOfHash(hashOfSecret(secret));
  if (token === undefined || token.revokedAtMs !== undefined || token.expiresAtMs <= clock.nowMs()) return undefined;
  const { name, role, projects } = token;
  return { actor: { name, kind: token.kind === "session" ? "browser" : "token", role, projects }, token };
}
