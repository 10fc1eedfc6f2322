import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { GatewayError } from "../errors/gateway-error.ts";
import { actorOfSecret } from "../operations/tokens.ts";
import type { TokenRecord } from "../store/access.ts";
import type { Actor } from "../units/actor.ts";
import { type Buckets, createBuckets } from "./buckets.ts";
import { cookieOf } from "./cookies.ts";
import type { ApiServices } from "./services.ts";

export const SESSION_COOKIE = "radferry_session";
/** Proves that a request comes from a page of ours (see `proofOf`): a page of another site cannot set this header. */
const SESSION_HEADER = "x-radferry-session";
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const SECRET = /^radferry_[A-Za-z0-9_-]{43}$/;

export interface Identity {
  readonly actor: Actor;
  readonly token: TokenRecord;
}

/** Tells who asks, and holds back who asks too often. */
export interface Authenticator {
  /** @throws GatewayError API_TOKEN_MISSING, API_TOKEN_INVALID, API_SESSION_UNPROVEN, API_RATE_LIMITED with `retryAfterMs` */
  identify(request: FastifyRequest): Promise<Identity>;
  /** Whether the token or session that a request came with is still valid. */
  isStillGood(request: FastifyRequest): Promise<boolean>;
  /** Of a secret that was typed in. @throws GatewayError API_TOKEN_INVALID, API_RATE_LIMITED */
  check(secret: string, request: FastifyRequest): Promise<Identity>;
}

const MINUTE_SECONDS = 60;

export function createAuthenticator(services: ApiServices): Authenticator {
  const { limits, clock } = services;
  const { requestsPerSecond, burst, failuresPerMinute } = limits;
  const requests = createBuckets(clock, { perSecond: requestsPerSecond, burst });
  const failures = createBuckets(clock, { perSecond: failuresPerMinute / MINUTE_SECONDS, burst: failuresPerMinute });

  async function check(secret: string, request: FastifyRequest): Promise<Identity> {
    const found = SECRET.test(secret) ? await actorOfSecret(services, secret) : undefined;
    if (found === undefined) throw await refusal(services, failures, request.ip);
    return found;
  }
  return {
    check,
    async isStillGood(request) {
      const secret = bearerOf(request) ?? sessionOf(request);
      return secret !== undefined && (await actorOfSecret(services, secret)) !== undefined;
    },
    async identify(request) {
      const bearer = bearerOf(request);
      const cookie = bearer === undefined ? sessionOf(request) : undefined;
      const secret = bearer ?? cookie;
      if (secret === undefined) throw new GatewayError("API_TOKEN_MISSING");
      const identity = await check(secret, request);
      // A session is taken from a cookie only, a token from the header only.
      if ((identity.token.kind === "session") !== (cookie !== undefined)) throw new GatewayError("API_TOKEN_INVALID");
      if (cookie !== undefined && !SAFE_METHODS.has(request.method)) requireProof(request, cookie);
      const retryAfterMs = requests.take(identity.token.id);
      if (retryAfterMs > 0) throw new GatewayError("API_RATE_LIMITED", { retryAfterMs });
      return identity;
    },
  };
}

/** The audit trail tells of the first refusal of an address, not of those that follow soon: nobody can fill it by guessing. */
async function refusal(
  { audit }: Pick<ApiServices, "audit">,
  failures: Buckets,
  address: string,
): Promise<GatewayError> {
  if (failures.isFull(address)) {
    const actor = { name: "unknown", kind: "token" } as const;
    await audit.record({ event: "token-refused", actor, outcome: "refused", detail: { address } });
  }
  const retryAfterMs = failures.take(address);
  return retryAfterMs > 0
    ? new GatewayError("API_RATE_LIMITED", { retryAfterMs })
    : new GatewayError("API_TOKEN_INVALID");
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
}

export function sessionOf(request: FastifyRequest): string | undefined {
  return cookieOf(request, SESSION_COOKIE);
}

/** What our pages send with a session, whose secret they cannot read: derived from the secret, which cannot be had from it. */
export function proofOf(secret: string): string {
  return createHash("sha256").update("page of ours\n").update(secret).digest("base64url");
}

/** @throws GatewayError API_SESSION_UNPROVEN */
function requireProof({ headers }: FastifyRequest, secret: string): void {
  const given = headers[SESSION_HEADER];
  const expected = Buffer.from(proofOf(secret));
  const proof = Buffer.from(typeof given === "string" ? given : "");
  const isOurs = proof.length === expected.length && timingSafeEqual(proof, expected);
  const site = headers["sec-fetch-site"];
  if (!isOurs || (site !== undefined && site !== "same-origin" && site !== "none"))
    throw new GatewayError("API_SESSION_UNPROVEN");
}
