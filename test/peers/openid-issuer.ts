import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Configuration, Provider } from "oidc-provider";

/** A user as the issuer knows him; claims as they stand in his token. */
export interface IssuerUser {
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface IssuerOptions {
  /** Where browsers are sent back to. */
  readonly redirectUrl: string;
  readonly secret?: string;
  /** As browsers know it: another name of this machine makes it another site. @default 127.0.0.1 */
  readonly host?: string;
  /** A free one when absent. */
  readonly port?: number;
  /** Of ID tokens. */
  readonly idTokenSeconds?: number;
  /** Claims are in the user information alone, and not in the ID token. */
  readonly claimsElsewhere?: boolean;
}

/** `oidc-provider` on a free port of this machine; whoever comes is logged in as the user that is set, without a question. */
export interface OpenIdIssuer extends AsyncDisposable {
  readonly url: string;
  readonly clientId: string;
  readonly secret: string;
  /** Undefined: nobody is let in. */
  user: IssuerUser | undefined;
  /** Requests that were answered, by path. */
  readonly asked: readonly string[];
}

export async function startOpenIdIssuer(options: IssuerOptions): Promise<OpenIdIssuer> {
  const { secret = "a client's secret of some length" } = options;
  const clientId = "radferry";
  const asked: string[] = [];
  let provider: Provider | undefined;
  const server = createServer((request, response) => void answer(request, response));
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://${options.host ?? "127.0.0.1"}:${(server.address() as AddressInfo).port}`;
  const issuer: OpenIdIssuer = {
    url,
    clientId,
    secret,
    user: undefined,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split("?")[0] ?? "";
    asked.push(path);
    if (provider === undefined) return void response.writeHead(503).end();
    if (path.startsWith("/interaction/")) await letIn(provider, request, response, issuer.user);
    else await provider.callback()(request, response);
  }
  provider = new Provider(url, configurationOf(options, { clientId, secret, issuer }));
  // It warns of settings that are for trying out alone.
  provider.on("server_error", () => undefined);
  return issuer;
}

interface Registered {
  readonly clientId: string;
  readonly secret: string;
  readonly issuer: OpenIdIssuer;
}

function configurationOf(options: IssuerOptions, { clientId, secret, issuer }: Registered): Configuration {
  const { redirectUrl, idTokenSeconds = 3_600, claimsElsewhere = false } = options;
  return {
    clients: [{ client_id: clientId, client_secret: secret, redirect_uris: [redirectUrl] }],
    claims: { openid: ["sub"], profile: ["preferred_username", "groups", "realm_access"] },
    conformIdTokenClaims: claimsElsewhere,
    ttl: {
      IdToken: idTokenSeconds,
      AccessToken: 600,
      AuthorizationCode: 60,
      Grant: 600,
      Interaction: 600,
      Session: 600,
    },
    cookies: { keys: ["a key for cookies"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: async (_, subject) => ({
      accountId: subject,
      claims: async () => ({ ...issuer.user?.claims, sub: subject }),
    }),
  };
}

async function letIn(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  user: IssuerUser | undefined,
): Promise<void> {
  if (user === undefined) {
    const refusal = { error: "access_denied", error_description: "not here" };
    return await provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false });
  }
  const { prompt, params, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    const login = { login: { accountId: user.subject } };
    return await provider.interactionFinished(request, response, login, { mergeWithLastSubmission: false });
  }
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant = known ?? new provider.Grant({ accountId: user.subject, clientId: String(params.client_id) });
  grant.addOIDCScope(String(params.scope));
  const consent = { consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, consent, { mergeWithLastSubmission: true });
}
