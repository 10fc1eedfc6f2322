import { z } from "zod";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { errorRegistry } from "../../errors/registry.ts";
import type { ArchiveOverrides } from "../../store/archive-condition.ts";
import { abortAfter } from "../../units/abort.ts";
import { type RequestContext, type Route, route } from "../route.ts";
import { limitParameter, nameParameter, numberParameter } from "../schemas/fields.ts";
import { schemas } from "../schemas/schemas.ts";
import { archiveChange, nodeForgetWish, nodeName, tokenWish } from "../schemas/site-schemas.ts";

const archiveParams = z.object({ name: nameParameter });
const ARCHIVE_ERRORS = ["ARCHIVE_UNKNOWN", "PROJECTS_LIMITED"] as const;
const ECHO_MS = 15_000;

async function archiveOf({ operations }: RequestContext, name: string) {
  for await (const archive of operations.listArchives()) if (archive.name === name) return archive;
  throw new GatewayError("ARCHIVE_UNKNOWN", { archive: name });
}

/** What was not said stays; `configured`: as the settings say. */
function overridesOf(change: Omit<z.output<typeof archiveChange>, "paused">): ArchiveOverrides {
  const { studiesPerMinute, bytesPerSecond, windows, timeZone } = change;
  const limitOf = (limit: number | "unlimited" | "configured") =>
    limit === "configured" ? undefined : limit === "unlimited" ? null : limit;
  return {
    ...(studiesPerMinute === undefined ? {} : { studiesPerMinute: limitOf(studiesPerMinute) }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond: limitOf(bytesPerSecond) }),
    ...(windows === undefined
      ? {}
      : { windows: windows === "configured" ? undefined : windows === "always" ? null : windows, timeZone }),
    ...(windows === undefined && timeZone !== undefined ? { timeZone } : {}),
  };
}

const archiveRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/archives",
    tag: "Archives",
    summary: "List archives, each with its state, windows and rate",
    operation: "listArchives",
    answer: schemas.ArchiveList,
    handle: async (_, { operations }) => ({ items: await Array.fromAsync(operations.listArchives()) }),
  }),
  route({
    method: "GET",
    path: "/archives/{name}",
    tag: "Archives",
    summary: "Show an archive",
    operation: "listArchives",
    params: archiveParams,
    answer: schemas.Archive,
    errors: ["ARCHIVE_UNKNOWN"],
    handle: ({ path: { name } }, context) => archiveOf(context, name),
  }),
  route({
    method: "PATCH",
    path: "/archives/{name}",
    tag: "Archives",
    summary: "Pause or resume an archive, or change its rate or windows, at once",
    operation: "controlArchive",
    params: archiveParams,
    body: archiveChange,
    answer: schemas.Archive,
    errors: ARCHIVE_ERRORS,
    handle: ({ path: { name }, body: { paused, ...change } }, { operations }) => {
      const overrides = overridesOf(change);
      const isChanged = Object.keys(overrides).length > 0;
      return operations.controlArchive(name, {
        ...(paused === undefined ? {} : { paused }),
        ...(isChanged ? { overrides } : {}),
      });
    },
  }),
  ...(["pause", "resume"] as const).map((verb) =>
    route({
      method: "POST",
      path: `/archives/{name}/${verb}`,
      tag: "Archives",
      summary: verb === "pause" ? "Ask an archive for nothing more" : "Ask an archive again",
      operation: "controlArchive",
      params: archiveParams,
      answer: schemas.Archive,
      errors: ARCHIVE_ERRORS,
      handle: ({ path: { name } }, { operations }) => operations.controlArchive(name, { paused: verb === "pause" }),
    }),
  ),
  route({
    method: "POST",
    path: "/archives/{name}/echo",
    tag: "Archives",
    summary: "Ask whether an archive answers",
    operation: "echoArchive",
    isRepeatable: false,
    params: archiveParams,
    answer: schemas.Echo,
    errors: ARCHIVE_ERRORS,
    async handle({ path: { name } }, context) {
      await archiveOf(context, name);
      return await echoed(context, name);
    },
  }),
];

/** That it does not answer is what was asked. */
async function echoed({ operations, services: { clock }, signal }: RequestContext, name: string) {
  const startedAtMs = clock.nowMs();
  using limited = abortAfter(ECHO_MS, signal);
  try {
    return await operations.echoArchive(name, limited);
  } catch (thrown) {
    const { code, message } = toGatewayError(thrown);
    if (code === "PROJECTS_LIMITED" || code === "ROLE_INSUFFICIENT") throw thrown;
    const milliseconds = clock.nowMs() - startedAtMs;
    return { archive: name, ok: false, milliseconds, code, message, remedy: errorRegistry[code].remedy };
  }
}

const tokenRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/tokens",
    tag: "Tokens",
    summary: "List every token there was",
    operation: "listTokens",
    answer: schemas.TokenList,
    errors: ["PROJECTS_LIMITED"],
    handle: async (_, { operations }) => ({ items: await operations.listTokens() }),
  }),
  route({
    method: "POST",
    path: "/tokens",
    tag: "Tokens",
    summary: "Give somebody a token; it is shown this once",
    operation: "createToken",
    status: 201,
    // The answer holds a secret: it is kept nowhere.
    isRepeatable: false,
    body: tokenWish,
    answer: schemas.NewToken,
    errors: ["PROJECT_UNKNOWN", "TOKEN_NAME_TAKEN", "PROJECTS_LIMITED"],
    handle: ({ body }, { operations }) => operations.createToken(body),
  }),
  route({
    method: "DELETE",
    path: "/tokens/{token}",
    tag: "Tokens",
    summary: "End a token, by its id or name, and every session that was begun with it",
    operation: "revokeToken",
    params: z.object({ token: z.string().min(1).max(64) }),
    answer: schemas.Token,
    errors: ["TOKEN_UNKNOWN", "PROJECTS_LIMITED"],
    handle: ({ path: { token } }, { operations }) => operations.revokeToken(token),
  }),
];

const auditRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/audit",
    tag: "Audit",
    summary: "Read the audit trail, from its end; that it was read stands in it",
    operation: "readAudit",
    query: z.object({ cursor: numberParameter.optional(), limit: limitParameter }),
    answer: schemas.AuditPage,
    errors: ["PROJECTS_LIMITED"],
    async handle({ query: { cursor, limit } }, { operations }) {
      const records = await operations.readAudit({ limit, before: cursor });
      const first = records.at(0)?.number ?? 1;
      return { items: records, next: first > 1 ? `${first}` : null };
    },
  }),
  route({
    method: "POST",
    path: "/audit/verify",
    tag: "Audit",
    summary: "Check that the audit trail is as it was written",
    operation: "verifyAudit",
    isRepeatable: false,
    answer: schemas.AuditVerdict,
    errors: ["PROJECTS_LIMITED"],
    handle: (_, { operations }) => operations.verifyAudit(),
  }),
];

export const siteRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/overview",
    tag: "Overview",
    summary: "Count studies by project, stage and state",
    operation: "overview",
    answer: schemas.Overview,
    handle: (_, { operations }) => operations.overview(),
  }),
  route({
    method: "GET",
    path: "/events",
    tag: "Overview",
    summary: "Follow what becomes of studies and archives; Last-Event-ID goes on after that event",
    operation: "studyChanges",
    answer: { contentType: "text/event-stream", description: "events study, overview, archive and reset" },
    errors: ["API_STREAMS_EXHAUSTED"],
    handle: () => Promise.reject(new GatewayError("INTERNAL")),
  }),
  route({
    method: "GET",
    path: "/me",
    tag: "Overview",
    summary: "Tell who one is here",
    operation: "overview",
    answer: schemas.Me,
    handle: async (_, { actor, expiresAt }) => ({ ...actor, projects: actor.projects ?? null, expiresAt }),
  }),
  route({
    method: "GET",
    path: "/projects",
    tag: "Projects",
    summary: "List projects, each with its studies by state",
    operation: "listProjects",
    answer: schemas.ProjectList,
    handle: async (_, { operations }) => ({ items: await operations.listProjects() }),
  }),
  route({
    method: "GET",
    path: "/projects/{name}",
    tag: "Projects",
    summary: "Show a project",
    operation: "listProjects",
    params: z.object({ name: nameParameter }),
    answer: schemas.Project,
    errors: ["PROJECT_UNKNOWN"],
    async handle({ path: { name } }, { operations }) {
      const project = (await operations.listProjects()).find((each) => each.name === name);
      if (project === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project: name });
      return project;
    },
  }),
  ...archiveRoutes,
  route({
    method: "GET",
    path: "/workers",
    tag: "Operating",
    summary: "List who works, and when each took its last study",
    operation: "listWorkers",
    answer: schemas.WorkerList,
    handle: async (_, { operations }) => ({ items: await operations.listWorkers() }),
  }),
  route({
    method: "GET",
    path: "/nodes",
    tag: "Operating",
    summary: "List the gateways that share the database, what each does and when it was last heard of",
    operation: "listNodes",
    answer: schemas.NodeList,
    handle: async (_, { operations }) => ({ items: await operations.listNodes() }),
  }),
  route({
    method: "POST",
    path: "/nodes/{name}/forget",
    tag: "Operating",
    summary: "Give up a gateway that is gone for good, with what lay on its disk alone",
    operation: "forgetNode",
    params: z.object({ name: nodeName }),
    body: nodeForgetWish,
    answer: schemas.NodeForgotten,
    errors: ["NODE_AT_WORK", "NODE_UNKNOWN", "NODE_FORGET_INVALID", "PROJECTS_LIMITED"],
    handle: ({ path: { name }, body }, { operations }) => operations.forgetNode(name, body),
  }),
  route({
    method: "GET",
    path: "/settings",
    tag: "Operating",
    summary: "Show the settings in force, secrets masked",
    operation: "showSettings",
    answer: schemas.Settings,
    errors: ["PROJECTS_LIMITED"],
    handle: (_, { operations }) => operations.showSettings(),
  }),
  route({
    method: "POST",
    path: "/settings/reload",
    tag: "Operating",
    summary:
      "Go on with archives, destinations and projects as the settings have them now; running jobs are not disturbed",
    operation: "reloadSettings",
    isRepeatable: false,
    answer: schemas.Reload,
    errors: [
      ...([
        "SETTINGS_RELOAD_UNAVAILABLE",
        "SETTINGS_INVALID",
        "SETTINGS_FILE_MISSING",
        "SETTINGS_FILE_MALFORMED",
      ] as const),
      ...(["PROJECT_KEY_CHANGED", "PROJECT_KEY_SHARED", "PROJECTS_LIMITED"] as const),
    ],
    handle: (_, { operations }) => operations.reloadSettings(),
  }),
  ...auditRoutes,
  ...tokenRoutes,
];
