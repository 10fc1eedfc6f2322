import type * as OpenIdClient from "openid-client";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { HttpClientOptions } from "../../network/http-client/types.ts";
import { type Clock, systemClock } from "../../units/clock.ts";
import { issuerError } from "./issuer-errors.ts";
import { peerFetch } from "./peer-fetch.ts";

export interface IssuerOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly redirectUrl: string;
  readonly scopes: readonly string[];
  /** Read at every log-in, so that a changed one holds from then on; undefined: a public client. */
  readonly clientSecret: (() => Promise<string>) | undefined;
  readonly tls: () => Promise<HttpClientOptions["tls"]>;
  readonly clock: Pick<Clock, "nowMs">;
}

/** What a browser keeps of a log-in while its user is at the issuer. */
export interface LogInSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface Claims {
  readonly [claim: string]: unknown;
}

export interface LoggedIn {
  /** Of the ID token, and of the user information where the issuer gives some. */
  readonly claims: Claims;
  readonly subject: string;
  /** When the ID token ends. */
  readonly endsAtMs: number;
}

/** The one side that people log in at: authorization code with PKCE. OpenID Connect Core 1.0 3.1, RFC 7636. */
export interface Issuer {
  /** Where to send the browser. @throws GatewayError OIDC_ISSUER_UNAVAILABLE */
  begin(): Promise<{ readonly url: string; readonly secrets: LogInSecrets }>;
  /**
   * @param query what the browser came back with
   * @throws GatewayError OIDC_ANSWER_INVALID, OIDC_CLIENT_REFUSED, OIDC_ISSUER_UNAVAILABLE, OIDC_LOG_IN_EXPIRED, OIDC_LOG_IN_REFUSED
   */
  finish(query: string, secrets: LogInSecrets): Promise<LoggedIn>;
  /** Asks it anew. @throws GatewayError OIDC_ISSUER_UNAVAILABLE, SECRET_FILE_… */
  check(): Promise<void>;
}

/** What the issuer offers is asked again after this: it may have moved, or have new keys. */
const KNOWN_MS = 3_600_000;
const TIMEOUT_SECONDS = 15;

interface Known {
  readonly configuration: OpenIdClient.Configuration;
  readonly secret: string | undefined;
  readonly atMs: number;
}

/** It is asked for the first time when somebody logs in: the gateway starts without it. */
export function createIssuer(options: IssuerOptions): Issuer {
  const { clientSecret, clock, redirectUrl, scopes } = options;
  let known: Known | undefined;
  let asking: Promise<Known> | undefined;

  /** However many log in at once, it is asked once. */
  async function current(): Promise<OpenIdClient.Configuration> {
    const secret = await clientSecret?.();
    const nowMs = clock.nowMs();
    if (known === undefined || known.secret !== secret || Math.abs(nowMs - known.atMs) > KNOWN_MS) {
      asking ??= discover(options, secret).finally(() => {
        asking = undefined;
      });
      known = await asking;
    }
    return known.configuration;
  }
  return {
    async begin() {
      const configuration = await current();
      const { buildAuthorizationUrl, calculatePKCECodeChallenge, ...make } = await library();
      const secrets = { state: make.randomState(), nonce: make.randomNonce(), verifier: make.randomPKCECodeVerifier() };
      const url = buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUrl,
        scope: scopes.join(" "),
        state: secrets.state,
        nonce: secrets.nonce,
        code_challenge: await calculatePKCECodeChallenge(secrets.verifier),
        code_challenge_method: "S256",
      });
      return { url: url.href, secrets };
    },
    async finish(query, { state, nonce, verifier }) {
      const configuration = await current();
      const { authorizationCodeGrant, fetchUserInfo } = await library();
      const returned = new URL(redirectUrl);
      returned.search = query;
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
      try {
        const tokens = await authorizationCodeGrant(configuration, returned, checks);
        const claims = tokens.claims();
        if (claims === undefined) throw new GatewayError("OIDC_ANSWER_INVALID", { what: "no ID token" });
        const more =
          configuration.serverMetadata().userinfo_endpoint === undefined
            ? {}
            : await fetchUserInfo(configuration, tokens.access_token, claims.sub);
        return { claims: { ...more, ...claims }, subject: claims.sub, endsAtMs: claims.exp * 1_000 };
      } catch (thrown) {
        throw issuerError(thrown);
      }
    },
    async check() {
      known = await discover(options, await clientSecret?.());
    },
  };
}

/** Loaded when somebody logs in. */
function library(): Promise<typeof OpenIdClient> {
  return import("openid-client");
}

async function discover(options: IssuerOptions, secret: string | undefined): Promise<Known> {
  const { issuer, clientId, tls, clock } = options;
  const client = await library();
  const url = new URL(issuer);
  const atMs = clock.nowMs();
  const execute = [client.enableNonRepudiationChecks];
  // The settings allow it on this machine alone.
  if (url.protocol === "http:") execute.push(client.allowInsecureRequests);
  // The library goes by the system's clock.
  const metadata = { [client.clockSkew]: Math.round((atMs - systemClock.nowMs()) / 1_000) };
  try {
    const configuration = await client.discovery(
      url,
      clientId,
      metadata,
      secret === undefined ? client.None() : secretOf(client, secret),
      { execute, timeout: TIMEOUT_SECONDS, [client.customFetch]: peerFetch(tls) },
    );
    return { configuration, secret, atMs };
  } catch (thrown) {
    throw new GatewayError("OIDC_ISSUER_UNAVAILABLE", {}, thrown);
  }
}

/** By the header, which every issuer must take that says nothing of it; else in the body. OpenID Connect Discovery 1.0 3. */
function secretOf(client: typeof OpenIdClient, secret: string): OpenIdClient.ClientAuth {
  const [inHeader, inBody] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    return (methods.includes("client_secret_basic") ? inHeader : inBody)(server, ...rest);
  };
}
