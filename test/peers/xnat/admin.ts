import { notAllowed } from "./dqr-requests.ts";
import { type Answer, json, noContent, readBody, readObject, textAnswer, type XnatRequest } from "./http.ts";
import type { User } from "./state.ts";

/** The rest of /xapi: receivers, versions, DQR's settings, users, commands, events, scripts. */
export async function answerAdmin(request: XnatRequest): Promise<Answer | undefined> {
  const { segments } = request;
  if (segments[0] !== "xapi") return undefined;
  switch (segments[1]) {
    case "dicomscp":
      return answerReceivers(request);
    case "siteConfig":
      return answerSite(request);
    case "plugins":
      return json({
        dicomQueryRetrieve: {
          id: "dicomQueryRetrieve",
          name: "XNAT DICOM Query-Retrieve Plugin",
          version: request.switches.dqrVersion,
        },
      });
    case "dqr":
      return segments[2] === "settings" ? await answerDqrSettings(request) : undefined;
    case "users":
      return await answerUsers(request);
    case "commands":
      return json([
        { id: 1, name: "dcm2niix", image: request.query.get("image"), xnat: [{ id: 1, name: "dcm2niix-scan" }] },
      ]);
    case "projects":
      return await answerProjectTools(request);
    case "anonymize":
      return answerScripts(request);
    default:
      return undefined;
  }
}

function answerReceivers({ state, segments }: XnatRequest): Answer {
  const [, , id, more] = segments;
  const full = state.receivers.map((receiver) => ({
    ...receiver,
    whitelistEnabled: false,
    whitelistText: "",
    routingExpressionsEnabled: false,
    projectRoutingExpression: "",
    subjectRoutingExpression: "",
    sessionRoutingExpression: "",
  }));
  if (id === undefined) return json(full);
  if (id === "identifiers")
    return json({ dicomObjectIdentifier: "XNAT DICOM Object Identifier", dqrObjectIdentifier: "DQR" });
  const found = full.find((each) => `${each.id}` === id);
  if (found === undefined) return textAnswer(404, "No such receiver");
  return more === "enabled" ? json(found.enabled) : json(found);
}

function answerSite({ segments, switches }: XnatRequest): Answer | undefined {
  if (segments[2] === "buildInfo")
    return json({ version: switches.version, buildNumber: "246", buildDate: "2024-01-01" });
  if (segments[2] === "siteUrl") return textAnswer(200, switches.hasSiteUrl ? "http://xnat.example.org" : "");
  return undefined;
}

async function answerDqrSettings(request: XnatRequest): Promise<Answer> {
  const { state, method, segments, user } = request;
  const [, , , scope, id, what] = segments;
  if (scope === "project") {
    const project = state.projects.get(id ?? "");
    if (project === undefined) return textAnswer(404, "No such project");
    if (what === "enabled") {
      if (method === "PUT") project.dqrEnabled = (await readBody(request)).toString("utf8").trim() !== "false";
      return json(project.dqrEnabled);
    }
    return json({ projectId: id, dqrEnabled: project.dqrEnabled });
  }
  const refusal = notAllowed(request);
  if (refusal !== undefined) return refusal;
  if (method === "POST" && user?.roles.has("Administrator") === true) {
    for (const [name, value] of Object.entries((await readObject(request)) ?? {}))
      if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
        state.settings[name] = value;
  }
  return json(state.settings);
}

function userDocument({ roles: _roles, password: _password, ...user }: User) {
  return { ...user, secured: true, verified: true, lastModified: 1_700_000_000_000 };
}

async function answerUsers(request: XnatRequest): Promise<Answer | undefined> {
  const { segments, method, state } = request;
  const [, , name, what] = segments;
  if (name === undefined) return method === "POST" ? await createUser(request) : json([...state.users.keys()]);
  if (name === "profiles") return json([...state.users.values()].map(userDocument));
  const user = state.users.get(name);
  if (user === undefined) return textAnswer(404, "No such user");
  if (what === "roles") return json([...user.roles]);
  if (method !== "PUT") return json(userDocument(user));
  const { enabled, email } = (await readObject(request)) ?? {};
  if (enabled === user.enabled && (email === undefined || email === user.email)) return { status: 304 };
  if (typeof enabled === "boolean") user.enabled = enabled;
  if (typeof email === "string") user.email = email;
  return json(userDocument(user));
}

async function createUser(request: XnatRequest): Promise<Answer> {
  const { state } = request;
  const body = await readObject(request);
  const username = body?.username;
  if (body === undefined || typeof username !== "string" || username === "")
    return textAnswer(500, "Could not read JSON");
  if (state.users.has(username)) return textAnswer(409, "The user already exists");
  const text = (name: string): string => (typeof body[name] === "string" ? body[name] : "");
  const user: User = {
    id: state.nextId(),
    username,
    password: text("password"),
    email: text("email"),
    firstName: text("firstName"),
    lastName: text("lastName"),
    enabled: body.enabled !== false,
    roles: new Set(),
    lastSuccessfulLogin: undefined,
  };
  state.users.set(username, user);
  return json(userDocument(user), 201);
}

/** Commands and event subscriptions of a project. */
async function answerProjectTools(request: XnatRequest): Promise<Answer | undefined> {
  const { segments, state, method } = request;
  const [, , id, tool] = segments;
  if (!state.projects.has(id ?? "")) return textAnswer(404, "No such project");
  if (tool === "commands") return { status: 200 };
  if (tool !== "events" || method !== "POST") return undefined;
  const subscription = await readObject(request);
  state.subscriptions.push(subscription);
  return json({ id: state.subscriptions.length, ...subscription }, 201);
}

function answerScripts({ segments, method, switches }: XnatRequest): Answer {
  const [, , scope, , enabled] = segments;
  if (scope === "site" && segments[3] === "enabled") return json(switches.anonymises);
  if (enabled === "enabled") return json(false);
  if (scope === "projects") return method === "GET" ? noContent() : { status: 200 };
  return textAnswer(200, 'version "6.1"\n(0010,0010) := subject\n(0010,0020) := session\n');
}
