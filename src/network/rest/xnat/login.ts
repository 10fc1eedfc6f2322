import { createHash } from "node:crypto";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { abortAfter, neverAborted } from "../../../units/abort.ts";
import { type Clock, systemClock } from "../../../units/clock.ts";
import type { SessionHeaders } from "../../http-client/authentication.ts";
import { openHttpClient } from "../../http-client/http-client.ts";
import { HttpError } from "../../http-client/http-error.ts";
import { isHtml, readText } from "../../http-client/read-body.ts";
import type { HttpClient, HttpClientOptions } from "../../http-client/types.ts";

export interface XnatCredentials {
  readonly username: string;
  /** Read at every login, so that a changed password holds from then on. An alias token is a user name and a password too. */
  password(): Promise<string>;
}

export interface XnatClientOptions extends Omit<HttpClientOptions, "authentication"> {
  /** Absent: without a login. */
  readonly credentials?: XnatCredentials | undefined;
}

/** Not a browser's: those are asked for a token with every change. */
const USER_AGENT = "radferry";
const SESSION_ID = /^[A-Za-z0-9._-]{8,256}$/;
/** Twenty refusals within an hour lock the account: a password that was refused is not tried again for so long. */
const REFUSED_FOR_MS = 600_000;
const LOGOUT_TIMEOUT_MS = 2_000;
const SESSION_PATH = "data/JSESSION";

/**
 * One login for all requests, made anew when the session has ended, and ended with the client: XNAT counts open sessions.
 * @throws GatewayError as `openHttpClient`; requests throw XNAT_LOGIN_REFUSED
 */
export function openXnatClient(options: XnatClientOptions, clock: Clock = systemClock): HttpClient {
  const { credentials, ...connection } = options;
  if (credentials === undefined) {
    return openHttpClient({ ...connection, authentication: { logIn: () => Promise.resolve(AGENT) } }, clock);
  }
  let open: string | undefined;
  const refusals = createRefusals(clock);
  const logIn = async (signal: AbortSignal): Promise<SessionHeaders> => {
    const password = await credentials.password();
    refusals.check(password);
    open = await beginSession(connection, { username: credentials.username, password }, signal, clock).catch(
      (thrown: unknown) => {
        if (thrown instanceof HttpError && thrown.status === 401) refusals.note(password);
        throw thrown;
      },
    );
    return headersOf(open);
  };
  const hasLapsed = watchGuests(connection, clock);
  const client = openHttpClient({ ...connection, authentication: { logIn, hasLapsed } }, clock);
  return {
    request: (request) => client.request(request),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      if (open !== undefined) await endSession(connection, open, clock);
    },
  };
}

/** Cheap, and answered to everybody who may read anything. */
const WHO_PATH = "xapi/users/username";
const GUEST = "guest";

/** Sites that let guests in hide things from a lapsed session, instead of refusing it. Whether a site does is asked once. */
function watchGuests(connection: Omit<HttpClientOptions, "authentication">, clock: Clock) {
  let letsGuestsIn: boolean | undefined;
  const isGuest = async (headers: SessionHeaders, signal: AbortSignal): Promise<boolean> => {
    await using client = openHttpClient({ ...connection, connections: 1 }, clock);
    try {
      await using response = await client.request({ path: WHO_PATH, headers, signal });
      return (await readText(response, 4_096)).trim().toLowerCase() === GUEST;
    } catch (thrown) {
      // Refused, as usual: nobody is taken for a guest.
      if (thrown instanceof HttpError && thrown.status !== undefined) return false;
      throw thrown;
    }
  };
  return async (headers: SessionHeaders, signal: AbortSignal): Promise<boolean> => {
    try {
      letsGuestsIn ??= await isGuest(AGENT, signal);
      return letsGuestsIn && (await isGuest(headers, signal));
    } catch {
      // It cannot be told now: the answer that gave rise to the question stands.
      return false;
    }
  };
}

const AGENT: SessionHeaders = { "user-agent": USER_AGENT };

function headersOf(session: string): SessionHeaders {
  return { ...AGENT, cookie: `JSESSIONID=${session}` };
}

function createRefusals(clock: Clock) {
  let last: { readonly digest: string; readonly atMs: number } | undefined;
  const digestOf = (password: string): string => createHash("sha256").update(password).digest("hex");
  return {
    check(password: string) {
      const isRecent = last !== undefined && clock.nowMs() - last.atMs < REFUSED_FOR_MS;
      if (isRecent && last?.digest === digestOf(password))
        throw new GatewayError("XNAT_LOGIN_REFUSED", { asked: false });
    },
    note(password: string) {
      last = { digest: digestOf(password), atMs: clock.nowMs() };
    },
  };
}

/** @throws HttpError XNAT_LOGIN_REFUSED, XNAT_ANSWER_UNEXPECTED when no session id comes, and those of the exchange */
async function beginSession(
  connection: Omit<HttpClientOptions, "authentication">,
  { username, password }: { readonly username: string; readonly password: string },
  signal: AbortSignal,
  clock: Clock,
): Promise<string> {
  await using client = openHttpClient({ ...connection, connections: 1 }, clock);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const request = { method: "POST", path: SESSION_PATH, headers: { ...AGENT, authorization }, signal } as const;
  await using response = await client.request(request).catch((thrown: unknown) => {
    if (!(thrown instanceof HttpError) || thrown.status !== 401) throw thrown;
    throw new HttpError("XNAT_LOGIN_REFUSED", { asked: true }, { status: 401 });
  });
  const session = isHtml(response) ? "" : (await readText(response, 4_096)).trim();
  if (!SESSION_ID.test(session)) throw new HttpError("XNAT_ANSWER_UNEXPECTED", { what: "session id" });
  return session;
}

async function endSession(
  connection: Omit<HttpClientOptions, "authentication">,
  session: string,
  clock: Clock,
): Promise<void> {
  await using client = openHttpClient({ ...connection, connections: 1 }, clock);
  using limited = abortAfter(LOGOUT_TIMEOUT_MS, neverAborted());
  const accepts = () => true;
  const request = {
    method: "DELETE",
    path: SESSION_PATH,
    headers: headersOf(session),
    accepts,
    signal: limited,
  } as const;
  try {
    await using _ = await client.request(request);
  } catch {
    // It ends by itself, at the site's time-out.
  }
}
