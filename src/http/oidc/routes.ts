import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { errorFields } from "../../observe/error-fields.ts";
import { beginSession } from "../begin-session.ts";
import { createBuckets } from "../buckets.ts";
import { cookieOf } from "../cookies.ts";
import type { ApiServices } from "../services.ts";
import { createFlowCookies, type FlowCookies, LOG_IN_MS } from "./flow-cookie.ts";
import type { LoggedIn } from "./issuer.ts";
import type { OidcLogIn } from "./log-in.ts";
import { mapUser } from "./map-user.ts";

export const OIDC_PATH = "/session/oidc";
export const OIDC_CALLBACK_PATH = `${OIDC_PATH}/callback`;

const FLOW_COOKIE = "radferry_oidc";
const MINUTE_SECONDS = 60;

/** Sends a browser to the issuer, and begins a session for whom the issuer sends back. */
export function addOidcRoutes(server: FastifyInstance, services: ApiServices): void {
  const { oidc, limits, clock } = services;
  const cookies = createFlowCookies(services);
  // Each costs the issuer a question.
  const { failuresPerMinute } = limits;
  const rate = { perSecond: failuresPerMinute / MINUTE_SECONDS, burst: failuresPerMinute };
  const tries = createBuckets(clock, rate);
  // By themselves: whoever comes back has just been sent away, which is a try.
  const refusals = createBuckets(clock, rate);
  const take = (request: FastifyRequest): OidcLogIn => {
    if (oidc === undefined) throw new GatewayError("OIDC_NOT_CONFIGURED");
    const retryAfterMs = tries.take(request.ip);
    if (retryAfterMs > 0) throw new GatewayError("API_RATE_LIMITED", { retryAfterMs });
    return oidc;
  };
  server.get(OIDC_PATH, (request, reply) =>
    answered({ request, reply, services }, async () => {
      const logIn = take(request);
      const { url, secrets } = await logIn.issuer.begin();
      setFlowCookie(reply, logIn, cookies.seal(secrets), LOG_IN_MS / 1_000);
      return url;
    }),
  );
  server.get(OIDC_CALLBACK_PATH, (request, reply) =>
    answered({ request, reply, services }, async () => {
      const logIn = take(request);
      setFlowCookie(reply, logIn, "", 0);
      const loggedIn = await finished(request, logIn, cookies).catch(async (thrown: unknown) => {
        // Nobody fills the trail by coming back again and again.
        const isFirst = refusals.isFull(request.ip);
        refusals.take(request.ip);
        if (isFirst) await refused(services, "unknown", { code: toGatewayError(thrown).code, address: request.ip });
        throw thrown;
      });
      await admit({ request, reply, services }, logIn, loggedIn);
      return "/";
    }),
  );
}

interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly services: ApiServices;
}

/** A page is sent where it goes on, or back to the log-in page with the reason; a program is told the problem. */
async function answered({ request, reply, services }: Asked, next: () => Promise<string>): Promise<FastifyReply> {
  try {
    return reply.redirect(await next(), 303);
  } catch (thrown) {
    services.logger.warn("log-in failed", errorFields(thrown));
    if (!(request.headers.accept ?? "").includes("text/html")) throw thrown;
    return reply.redirect(`/?log-in=${toGatewayError(thrown).code}`, 303);
  }
}

async function refused(
  { audit }: Pick<ApiServices, "audit">,
  name: string,
  detail: Readonly<Record<string, string>>,
): Promise<void> {
  await audit.record({ event: "session-refused", actor: { name, kind: "browser" }, outcome: "refused", detail });
}

/** @throws GatewayError OIDC_… */
async function finished(request: FastifyRequest, { issuer }: OidcLogIn, cookies: FlowCookies): Promise<LoggedIn> {
  const { searchParams, search } = new URL(request.url, "http://localhost");
  const secrets = cookies.open(cookieOf(request, FLOW_COOKIE) ?? "");
  if (secrets === "expired") throw new GatewayError("OIDC_LOG_IN_EXPIRED");
  // Whoever is sent here by somebody else's log-in is turned away before the issuer is asked. RFC 6749 10.12.
  if (secrets === undefined || searchParams.get("state") !== secrets.state)
    throw new GatewayError("OIDC_ANSWER_INVALID", { what: "state" });
  return await issuer.finish(search, secrets);
}

/** @throws GatewayError OIDC_USER_UNMAPPED, OIDC_LOG_IN_EXPIRED */
async function admit(
  { request, reply, services }: Asked,
  { mapping, sessionMs, endWithIdToken, isSecure }: OidcLogIn,
  loggedIn: LoggedIn,
): Promise<void> {
  const { name, role, projects } = mapUser(loggedIn, mapping);
  if (role === undefined) {
    await refused(services, name, { code: "OIDC_USER_UNMAPPED" });
    throw new GatewayError("OIDC_USER_UNMAPPED");
  }
  const nowMs = services.clock.nowMs();
  const expiresAtMs = Math.min(nowMs + sessionMs, endWithIdToken ? loggedIn.endsAtMs : Number.POSITIVE_INFINITY);
  if (expiresAtMs <= nowMs) throw new GatewayError("OIDC_LOG_IN_EXPIRED");
  const grant = { name, role, projects, expiresAtMs };
  await beginSession(request, reply, { services, grant, by: "openid connect", isSecure });
}

/** Sent along when the issuer's page sends the browser back, which `Strict` is not. */
function setFlowCookie(reply: FastifyReply, { isSecure }: OidcLogIn, value: string, maxAgeSeconds: number): void {
  const parts = [
    `${FLOW_COOKIE}=${value}`,
    `Path=${OIDC_PATH}`,
    "HttpOnly",
    "SameSite=Lax",
    `Max-Age=${maxAgeSeconds}`,
  ];
  reply.header("set-cookie", [...parts, ...(isSecure ? ["Secure"] : [])].join("; "));
}
