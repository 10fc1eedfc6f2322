import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { GatewayError } from "../errors/gateway-error.ts";
import { hashOfSecret, newSecret } from "../operations/tokens.ts";
import { type Authenticator, type Identity, proofOf, SESSION_COOKIE, sessionOf } from "./authenticate.ts";
import type { ApiServices } from "./services.ts";
import { validated } from "./validation.ts";

/** A working day, and a token's own end before that. */
const SESSION_MS = 12 * 3_600_000;
const logIn = z.strictObject({ token: z.string().min(1).max(200) });

/** A browser's log-in: the token is typed in once, and a cookie that no script can read stands for it. */
export function addSessionRoutes(
  server: FastifyInstance,
  services: ApiServices,
  { authenticator, readJson }: { readonly authenticator: Authenticator; readonly readJson: ReadJson },
): void {
  const { store, clock } = services;
  server.post("/session", async (request, reply) => {
    const { token: typed } = validated(logIn, await readJson(request), "body");
    const { token, actor } = await authenticator.check(typed, request);
    if (token.kind !== "token") throw new GatewayError("API_TOKEN_INVALID");
    const secret = newSecret(services);
    const nowMs = clock.nowMs();
    const expiresAtMs = Math.min(token.expiresAtMs, nowMs + SESSION_MS);
    const { name, role, projects } = token;
    const session = {
      kind: "session",
      name,
      role,
      projects,
      expiresAtMs,
      hash: hashOfSecret(secret),
      parent: token.id,
    } as const;
    const begun = { event: "session-begun", actor, outcome: "success" } as const;
    await store.addToken(session, begun, nowMs);
    setCookie(request, reply, secret, Math.floor((expiresAtMs - nowMs) / 1_000));
    return reply.code(201).send(describe({ actor, token: { ...token, expiresAtMs } }, secret));
  });
  server.get("/session", async (request) => {
    const identity = await authenticator.identify(request);
    return describe(identity, sessionOf(request) ?? "");
  });
  server.delete("/session", async (request, reply) => {
    const { actor, token } = await authenticator.identify(request);
    if (token.kind === "session") {
      await store.revokeToken(token.id, { event: "session-ended", actor, outcome: "success" }, clock.nowMs());
    }
    setCookie(request, reply, "", 0);
    return reply.code(204).send();
  });
}

export type ReadJson = (request: FastifyRequest) => Promise<unknown>;

function describe({ actor, token }: Identity, secret: string) {
  const { name, role, projects } = actor;
  const expiresAt = new Date(token.expiresAtMs).toISOString();
  return { name, role, projects: projects ?? null, expiresAt, proof: proofOf(secret) };
}

function setCookie(request: FastifyRequest, reply: FastifyReply, value: string, maxAgeSeconds: number): void {
  const isSecure = request.protocol === "https" || request.headers["x-forwarded-proto"] === "https";
  const parts = [`${SESSION_COOKIE}=${value}`, "Path=/", "HttpOnly", "SameSite=Strict", `Max-Age=${maxAgeSeconds}`];
  reply.header("set-cookie", [...parts, ...(isSecure ? ["Secure"] : [])].join("; "));
}
