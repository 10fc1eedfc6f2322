import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { type Authenticator, type Identity, proofOf, sessionOf } from "./authenticate.ts";
import { beginSession, SESSION_MS, setSessionCookie } from "./begin-session.ts";
import { addOidcRoutes, OIDC_PATH } from "./oidc/routes.ts";
import { LogInNeeded, type WayIn } from "./problem.ts";
import type { ApiServices } from "./services.ts";
import { validated } from "./validation.ts";

const logIn = z.strictObject({ token: z.string().min(1).max(200) });

/** A browser's log-in: the token is typed in once, or the issuer says who it is, and a cookie that no script can read stands for it. */
export function addSessionRoutes(
  server: FastifyInstance,
  services: ApiServices,
  { authenticator, readJson }: { readonly authenticator: Authenticator; readonly readJson: ReadJson },
): void {
  const { store, clock, oidc } = services;
  const ways: readonly WayIn[] = [
    { by: "token", name: "Token", url: "/session" },
    ...(oidc === undefined ? [] : [{ by: "openid connect", name: oidc.name, url: OIDC_PATH } as const]),
  ];
  server.post("/session", async (request, reply) => {
    const { token: typed } = validated(logIn, await readJson(request), "body");
    const { token, actor } = await authenticator.check(typed, request);
    if (token.kind !== "token") throw new GatewayError("API_TOKEN_INVALID");
    const { name, role, projects, id: parent } = token;
    const expiresAtMs = Math.min(token.expiresAtMs, clock.nowMs() + SESSION_MS);
    const grant = { name, role, projects, expiresAtMs, parent };
    const secret = await beginSession(request, reply, { services, grant, by: "token" });
    return reply.code(201).send({ ...describe({ actor, token: { ...token, expiresAtMs } }, secret), ways });
  });
  server.get("/session", async (request) => {
    const identity = await authenticator.identify(request).catch((thrown: unknown) => {
      const error = toGatewayError(thrown);
      const isNobody = error.code === "API_TOKEN_MISSING" || error.code === "API_TOKEN_INVALID";
      throw isNobody ? new LogInNeeded(error.code, ways) : error;
    });
    return { ...describe(identity, sessionOf(request) ?? ""), ways };
  });
  server.delete("/session", async (request, reply) => {
    const { actor, token } = await authenticator.identify(request);
    if (token.kind === "session") {
      await store.revokeToken(token.id, { event: "session-ended", actor, outcome: "success" }, clock.nowMs());
    }
    setSessionCookie(request, reply, { value: "", seconds: 0 });
    return reply.code(204).send();
  });
  addOidcRoutes(server, services);
}

export type ReadJson = (request: FastifyRequest) => Promise<unknown>;

function describe({ actor, token }: Identity, secret: string) {
  const { name, role, projects } = actor;
  const expiresAt = new Date(token.expiresAtMs).toISOString();
  return { name, role, projects: projects ?? null, expiresAt, proof: proofOf(secret) };
}
