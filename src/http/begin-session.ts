import type { FastifyReply, FastifyRequest } from "fastify";
import { hashOfSecret, newSecret } from "../operations/tokens.ts";
import type { Actor, Role } from "../units/actor.ts";
import { SESSION_COOKIE } from "./authenticate.ts";
import type { ApiServices } from "./services.ts";

/** A working day; what a session is begun with may end it before. */
export const SESSION_MS = 12 * 3_600_000;

export interface SessionGrant {
  /** Stands in the audit trail. */
  readonly name: string;
  readonly role: Role;
  /** Undefined: every project. */
  readonly projects: readonly string[] | undefined;
  readonly expiresAtMs: number;
  /** The token it is begun with, and ends with. */
  readonly parent?: string;
}

interface Beginning {
  readonly services: Pick<ApiServices, "store" | "clock" | "random">;
  readonly grant: SessionGrant;
  /** How the user proved who he is. */
  readonly by: "token" | "openid connect";
  /** The browser came by HTTPS, whatever the request says. */
  readonly isSecure?: boolean;
}

/** A cookie that no script can read stands for whoever has logged in. Answers its secret, of which the page's proof is made. */
export async function beginSession(
  request: FastifyRequest,
  reply: FastifyReply,
  { services, grant, by, isSecure = false }: Beginning,
): Promise<string> {
  const { store, clock } = services;
  const secret = newSecret(services);
  const nowMs = clock.nowMs();
  const { name, role, projects, expiresAtMs } = grant;
  const actor: Actor = { name, kind: "browser", role, projects };
  const begun = { event: "session-begun", actor, outcome: "success", detail: { by } } as const;
  await store.addToken({ ...grant, kind: "session", hash: hashOfSecret(secret) }, begun, nowMs);
  setSessionCookie(request, reply, { value: secret, seconds: Math.floor((expiresAtMs - nowMs) / 1_000), isSecure });
  return secret;
}

/** @param cookie without a value: it is taken away */
export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  cookie: { readonly value: string; readonly seconds: number; readonly isSecure?: boolean },
): void {
  const { value, seconds } = cookie;
  const isSecure =
    cookie.isSecure === true || request.protocol === "https" || request.headers["x-forwarded-proto"] === "https";
  const parts = [`${SESSION_COOKIE}=${value}`, "Path=/", "HttpOnly", "SameSite=Strict", `Max-Age=${seconds}`];
  reply.header("set-cookie", [...parts, ...(isSecure ? ["Secure"] : [])].join("; "));
}
