import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { answerAdmin } from "./admin.ts";
import { answerDqrQuery, type PacsContent } from "./dqr-query.ts";
import { answerDqrRequests } from "./dqr-requests.ts";
import { type Answer, type Handler, htmlError, textAnswer, type XnatRequest } from "./http.ts";
import { answerImports } from "./imports.ts";
import { answerLogin, createLogins, type Logins } from "./login.ts";
import { answerPacs } from "./pacs.ts";
import { answerPrearchive } from "./prearchive.ts";
import { answerExperiments, answerProjects } from "./projects.ts";
import { answerSessions } from "./sessions.ts";
import { initialState, newProject, type XnatState } from "./state.ts";
import { usualSwitches, type XnatSwitches } from "./switches.ts";
import { workOnce } from "./worker.ts";

export interface PracticeXnatOptions {
  /** What the PACS behind DQR holds. */
  readonly studies?: PacsContent;
  /** Made at the start. */
  readonly projects?: readonly string[];
  readonly username?: string;
  readonly password?: string;
  /** 0: any free port. */
  readonly port?: number;
  /** How often the queue is worked on, which XNAT does every minute. 0: by `work` alone. */
  readonly workEveryMs?: number;
}

export interface PracticeXnat extends AsyncDisposable {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly state: XnatState;
  readonly switches: XnatSwitches;
  readonly logins: Pick<Logins, "expire" | "count" | "made">;
  /** Method and path, with the query, of every request. */
  readonly requests: readonly string[];
  /** One round of the queue and of the direct archive. */
  work(): Promise<void>;
}

const USUAL_WORK_MS = 10;

/** An XNAT with DQR in memory, which tells no patient apart from a made-up one. To rehearse on, and to fail on purpose. */
export async function startXnat(options: PracticeXnatOptions = {}): Promise<PracticeXnat> {
  const { username = "radferry", password = "correct horse", studies = [], workEveryMs = USUAL_WORK_MS } = options;
  const state = initialState(username, password);
  for (const id of options.projects ?? []) state.projects.set(id, newProject(id, {}));
  const switches = usualSwitches();
  const logins = createLogins(state, switches);
  const requests: string[] = [];
  const handlers = handlersFor(studies);
  const server = createServer((message, response) => {
    requests.push(`${message.method} ${message.url}`);
    serve({ message, response, state, switches, logins, handlers }).catch(() => message.destroy());
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => socket.destroy()));
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const work = oneAtATime(() => workOnce({ state, switches, content: studies }));
  const timer = workEveryMs === 0 ? undefined : setInterval(() => void work(), workEveryMs);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    username,
    password,
    state,
    switches,
    logins,
    requests,
    work,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(work);
    return last;
  };
}

function handlersFor(content: PacsContent): readonly Handler[] {
  return [
    answerImports,
    answerPrearchive,
    answerExperiments,
    answerSessions,
    answerProjects,
    (request) => answerDqrQuery(request, content),
    (request) => answerDqrRequests(request, content),
    answerPacs,
    answerAdmin,
  ];
}

interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly state: XnatState;
  readonly switches: XnatSwitches;
  readonly logins: Logins;
  readonly handlers: readonly Handler[];
}

async function serve({ message, response, state, switches, logins, handlers }: Exchange): Promise<void> {
  const url = new URL(message.url ?? "/", "http://xnat");
  const method = message.method ?? "GET";
  if (switches.drops(method, url.pathname)) {
    message.destroy();
    return;
  }
  if (switches.delayMs > 0) await delay(switches.delayMs);
  const date = new Date(Date.now() + switches.clockSkewMs).toUTCString();
  const segments = segmentsOf(url.pathname);
  if (segments === undefined) return send(response, htmlError(400, "Bad Request"), { Date: date });
  if (!switches.isInitialised) return send(response, { status: 302, headers: { Location: "/setup" } }, { Date: date });
  const caller = logins.caller(message, url);
  if ("refusal" in caller) {
    message.resume();
    return send(response, caller.refusal, { Date: date });
  }
  const { user, session, isNew } = caller;
  const cookie = isNew ? { "Set-Cookie": `JSESSIONID=${session}; Path=/; HttpOnly` } : {};
  if (user === undefined && segments[0] === "data" && segments[1] !== "auth" && segments[1] !== "JSESSION") {
    message.resume();
    // Every project is private: to a guest it is not there.
    return send(response, htmlError(404, "The requested resource is not there for guests."), { Date: date });
  }
  const request: XnatRequest = { method, segments, query: url.searchParams, message, user, state, switches };
  const answer = answerLogin(request, logins, session) ?? (await firstAnswer(request, handlers));
  send(response, answer, { Date: date, ...cookie });
}

/** Whatever goes wrong inside is a 500, in the words of the interface that was asked. */
async function firstAnswer(request: XnatRequest, handlers: readonly Handler[]): Promise<Answer> {
  const isXapi = request.segments[0] === "xapi";
  try {
    for (const handler of handlers) {
      const answer = await handler(request);
      if (answer !== undefined) return answer;
    }
    return isXapi ? textAnswer(404, "Not found") : htmlError(404, "Not Found");
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : "unknown";
    return isXapi ? textAnswer(500, message) : htmlError(500, message);
  }
}

/** /REST, /data and /data/archive are the same. Undefined: an encoded slash, which Tomcat refuses. */
function segmentsOf(pathname: string): readonly string[] | undefined {
  if (/%2f|%5c/i.test(pathname)) return undefined;
  const segments = pathname.split("/").filter(Boolean).map(decodeURIComponent);
  if (segments[0] === "REST") return ["data", ...segments.slice(1)];
  return segments[0] === "data" && segments[1] === "archive" ? ["data", ...segments.slice(2)] : segments;
}

function send(
  response: ServerResponse,
  { status, type, body, headers }: Answer,
  more: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, { ...(type === undefined ? {} : { "Content-Type": type }), ...more, ...headers });
  response.end(body);
}
