import { archiveHolder } from "./arrivals.ts";
import { type Answer, htmlError, isSet, readBody, table, textAnswer, type XnatRequest } from "./http.ts";
import type { PrearchiveSession, Project, XnatState } from "./state.ts";

/** In which a session is nobody's to change. */
const LOCKED: ReadonlySet<string> = new Set(["BUILDING", "ARCHIVING", "MOVING", "DELETING", "SEPARATING"]);

export async function answerPrearchive(request: XnatRequest): Promise<Answer | undefined> {
  const { segments, method, state, query } = request;
  const path = segments.join("/");
  if (path === "data/services/archive" && method === "POST") return await archiveService(request);
  if (segments[0] !== "data" || segments[1] !== "prearchive") return undefined;
  const [, , , project, timestamp, name, more] = segments;
  if (timestamp === undefined) return listing(request, project);
  if (more !== undefined || name === undefined) return undefined;
  const session = state.prearchive.find(
    (each) => each.project === project && each.timestamp === timestamp && each.name === name,
  );
  if (session === undefined) return htmlError(404, "Unable to find the specified session.");
  if (method === "DELETE") {
    remove(state, session);
    return { status: 200 };
  }
  if (method === "POST") return act(request, session, query.get("action"));
  return table(query, [rowOf(session)]);
}

function listing({ state, query, switches }: XnatRequest, projects: string | undefined): Answer {
  const tag = query.get("tag");
  if (!switches.hasAllDataAccess && (projects === undefined || tag !== null))
    return htmlError(403, "User is not allowed to list all of the prearchive.");
  const wanted = projects === undefined ? undefined : new Set(projects.split(","));
  const found = state.prearchive
    .filter(({ project }) => wanted === undefined || wanted.has(project))
    .filter((session) => tag === null || session.tag === tag);
  return table(query, found.map(rowOf));
}

function rowOf(session: PrearchiveSession) {
  const { project, timestamp, name, subject, tag, status, preventAnon } = session;
  return {
    autoarchive: "",
    folderName: name,
    lastmod: "2024-01-01 00:00:00.0",
    name,
    prevent_anon: `${preventAnon}`,
    prevent_auto_commit: "false",
    project,
    PROTOCOL: "",
    scan_date: "",
    scan_time: "",
    SOURCE: "",
    status,
    subject,
    tag,
    timestamp,
    TIMEZONE: "",
    uploaded: "2024-01-01 00:00:00.0",
    url: uriOf(session),
    VISIT: "",
  };
}

export function uriOf({ project, timestamp, name }: PrearchiveSession): string {
  return `/prearchive/projects/${project}/${timestamp}/${name}`;
}

function remove(state: XnatState, session: PrearchiveSession): void {
  const at = state.prearchive.indexOf(session);
  if (at !== -1) state.prearchive.splice(at, 1);
}

function act(request: XnatRequest, session: PrearchiveSession, action: string | null): Answer {
  const { state, query } = request;
  const project = state.projects.get(session.project);
  if (action === "set-status") {
    session.status = query.get("status") ?? session.status;
    return { status: 200 };
  }
  if (action === "reset-status") {
    session.status = "READY";
    return { status: 200 };
  }
  if (action !== "build" && action !== "commit" && action !== "move") return htmlError(400, "unsupported action");
  if (LOCKED.has(session.status)) return htmlError(409, "session document locked");
  if (action === "build") {
    if (session.status === "RECEIVING") session.status = "READY";
    return { status: 200, type: "text/uri-list", body: `/data${uriOf(session)}` };
  }
  if (action === "move") return move(request, session);
  if (project === undefined || project.prearchiveCode === 0) {
    session.status = "READY";
    return { status: 200, type: "text/uri-list", body: `/data${uriOf(session)}` };
  }
  return archived(state, project, session, project.prearchiveCode === 5 ? "delete" : "append", 301);
}

function move({ state, query }: XnatRequest, session: PrearchiveSession): Answer {
  const target = state.projects.get(query.get("newProject") ?? "");
  if (target === undefined) return htmlError(400, "Unknown project");
  remove(state, session);
  const moved = { ...session, project: target.id };
  state.prearchive.push(moved);
  return {
    status: 301,
    headers: { Location: `/data${uriOf(moved)}` },
    type: "text/uri-list",
    body: `/data${uriOf(moved)}`,
  };
}

/** Into the archive, or left behind as a conflict. */
export function archived(
  state: XnatState,
  project: Project,
  session: PrearchiveSession,
  overwrite: string,
  status = 200,
): Answer {
  const isThere = [...project.experiments.values()].some(({ label }) => label === session.name);
  if (isThere && overwrite === "none") {
    session.status = "CONFLICT";
    return htmlError(409, "Session already exists, retry with overwrite enabled");
  }
  const experiment = archiveHolder(state, project, session, overwrite === "delete" || overwrite === "replace");
  remove(state, session);
  const uri = `/data/archive/projects/${project.id}/subjects/${experiment.subject}/experiments/${experiment.label}`;
  const headers = status === 301 ? { headers: { Location: uri } } : {};
  return { status, type: "text/uri-list", body: `${uri}\r\n`, ...headers };
}

/** What may happen to a session that is there, and to files in it. */
export function overwriteOf(query: URLSearchParams): string {
  const overwrite = isSet(query, "overwrite") ? (query.get("overwrite") ?? "append") : "none";
  return overwrite === "append" && isSet(query, "overwrite_files") ? "replace" : overwrite;
}

async function archiveService(request: XnatRequest): Promise<Answer> {
  const { state } = request;
  const form = new URLSearchParams((await readBody(request)).toString("utf8"));
  for (const [name, value] of request.query) form.append(name, value);
  const sources = form.getAll("src");
  const overwrite = overwriteOf(form);
  const [source] = sources;
  if (source === undefined) return htmlError(400, "Unknown prearchive session.");
  const session = state.prearchive.find((each) => source.replace(/^\/data/, "") === uriOf(each));
  if (session === undefined) return htmlError(404, "Unknown prearchive session.");
  const project = state.projects.get(session.project);
  if (project === undefined) return htmlError(400, "Unassigned sessions cannot be archived.");
  if (LOCKED.has(session.status)) return htmlError(409, "session document locked");
  return textOf(archived(state, project, session, overwrite));
}

function textOf(answer: Answer): Answer {
  return answer.status === 200 ? textAnswer(200, `${answer.body}`) : answer;
}
