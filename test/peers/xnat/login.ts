import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Answer, XnatRequest } from "./http.ts";
import { json, textAnswer } from "./http.ts";
import type { User, XnatState } from "./state.ts";
import type { XnatSwitches } from "./switches.ts";

interface LoginSession {
  readonly username: string;
  readonly csrf: string;
}

interface Alias {
  readonly username: string;
  readonly secret: string;
}

/** What somebody who asks is, or the answer that turns them away. */
export type Caller =
  | { readonly user: User | undefined; readonly session: string | undefined; readonly isNew: boolean }
  | { readonly refusal: Answer };

export interface Logins {
  caller(message: IncomingMessage, url: URL): Caller;
  end(session: string | undefined): void;
  /** Every session is over, as after a restart or the site's time-out. */
  expire(): void;
  issueAlias(username: string): Readonly<Record<string, unknown>>;
  readonly count: number;
  /** Times somebody logged in. */
  readonly made: number;
}

/** Failures within an hour that lock an account. */
const FAILURES_THAT_LOCK = 20;
const BROWSER = /mozilla|chrome|safari|opera|msie|firefox/i;
const EXEMPT = /java|xnatdesktopclient/i;
const CHANGES: ReadonlySet<string> = new Set(["POST", "PUT", "DELETE"]);

export function createLogins(state: XnatState, switches: XnatSwitches): Logins {
  const sessions = new Map<string, LoginSession>();
  const aliases = new Map<string, Alias>();
  const failures = new Map<string, number>();
  let made = 0;

  const userOfBasic = (header: string): User | undefined => {
    const [name = "", ...rest] = Buffer.from(header.slice("Basic ".length), "base64").toString("utf8").split(":");
    const alias = aliases.get(name);
    const user = state.users.get(alias?.username ?? name);
    const isRight = alias === undefined ? user?.password === rest.join(":") : alias.secret === rest.join(":");
    const failed = failures.get(name) ?? 0;
    if (user?.enabled !== true || switches.accountLocked || failed >= FAILURES_THAT_LOCK) return undefined;
    if (isRight) return user;
    failures.set(name, failed + 1);
    return undefined;
  };
  const begin = (user: User): string => {
    const id = randomBytes(16).toString("hex").toUpperCase();
    sessions.set(id, { username: user.username, csrf: randomUUID() });
    user.lastSuccessfulLogin = Date.now();
    made += 1;
    return id;
  };
  return {
    caller(message, url) {
      const { authorization = "", cookie = "" } = message.headers;
      if (authorization.startsWith("Basic ")) {
        const user = userOfBasic(authorization);
        return user === undefined ? { refusal: unauthorised() } : { user, session: begin(user), isNew: true };
      }
      const id = /JSESSIONID=([^;]+)/.exec(cookie)?.[1];
      const session = id === undefined ? undefined : sessions.get(id);
      if (session === undefined || id === undefined)
        return switches.requireLogin
          ? { refusal: unauthorised() }
          : { user: undefined, session: undefined, isNew: false };
      if (lacksToken(message, url, session, switches)) return { refusal: forbiddenByToken() };
      return { user: state.users.get(session.username), session: id, isNew: false };
    },
    end(id) {
      if (id !== undefined) sessions.delete(id);
    },
    expire: () => sessions.clear(),
    issueAlias(username) {
      const alias = randomUUID();
      const secret = createHash("sha256").update(randomBytes(32)).digest("base64url");
      aliases.set(alias, { username, secret });
      const estimatedExpirationTime = Date.now() + 2 * 86_400_000;
      return { alias, secret, singleUse: false, xdatUserId: username, estimatedExpirationTime };
    },
    get count() {
      return sessions.size;
    },
    get made() {
      return made;
    },
  };
}

/** Checked for sessions by cookie whose user agent looks like a browser's. */
function lacksToken(message: IncomingMessage, url: URL, { csrf }: LoginSession, switches: XnatSwitches): boolean {
  const agent = message.headers["user-agent"] ?? "";
  if (!switches.checksCsrf || !CHANGES.has(message.method ?? "") || !BROWSER.test(agent) || EXEMPT.test(agent))
    return false;
  const token = [...url.searchParams].find(([name]) => name.toUpperCase() === "XNAT_CSRF")?.[1];
  return token?.toLowerCase() !== csrf;
}

const UNAUTHORISED_PAGE =
  '<!doctype html><html lang="en"><head><title>HTTP Status 401 – Unauthorized</title></head><body><h1>HTTP Status 401 – Unauthorized</h1></body></html>';

function unauthorised(): Answer {
  return {
    status: 401,
    type: "text/html;charset=utf-8",
    body: UNAUTHORISED_PAGE,
    headers: { "WWW-Authenticate": 'Basic realm="XNAT Protected Area"' },
  };
}

function forbiddenByToken(): Answer {
  return { status: 403, type: "text/html;charset=utf-8", body: "<html><body>INVALID CSRF</body></html>" };
}

/** JSESSION, /auth, alias tokens and who one is. */
export function answerLogin(request: XnatRequest, logins: Logins, session: string | undefined): Answer | undefined {
  const { method, user } = request;
  const path = request.segments.join("/");
  if (path === "data/JSESSION") {
    if (method === "DELETE") {
      logins.end(session);
      return textAnswer(200, "");
    }
    return textAnswer(200, session ?? "");
  }
  if (path === "data/auth") return textAnswer(200, `User '${user?.username ?? "guest"}' is logged in`);
  if (path === "xapi/users/username") return textAnswer(200, user?.username ?? "guest");
  const issue = /^data\/services\/tokens\/issue(?:\/user\/(?<other>[^/]+))?$/.exec(path);
  if (issue !== null && user !== undefined) {
    const other = issue.groups?.other ?? user.username;
    if (other !== user.username && !user.roles.has("Administrator"))
      return textAnswer(403, "Only administrators may do so.");
    return json(logins.issueAlias(other));
  }
  return undefined;
}
