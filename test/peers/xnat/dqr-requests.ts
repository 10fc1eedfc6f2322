import { type PacsContent, pacsRefusal, textsOfStudy } from "./dqr-query.ts";
import { type Answer, json, noContent, readJsonBody, readObject, textAnswer, type XnatRequest } from "./http.ts";
import type { PacsRequest, XnatState } from "./state.ts";
import { isBefore } from "./versions.ts";

const RELABELS: ReadonlySet<string> = new Set([
  "Subject",
  "Session",
  "Relabel Accession Number",
  "Relabel Study Date",
  "Relabel Study ID",
  "Relabel Patient ID",
  "Relabel Patient Name",
  "Relabel Patient Birth Date",
]);
const [PRIORITY_OF_ONE, PRIORITY_OF_SEVERAL] = [1, 10];

/** `/xapi/dqr/import` and below, and the direct archive's rows. */
export async function answerDqrRequests(request: XnatRequest, content: PacsContent): Promise<Answer | undefined> {
  const { segments, method, state } = request;
  const [root, group, kind, list, id] = segments;
  if (root !== "xapi") return undefined;
  if (group === "direct-archive") return await answerDirectArchive(request);
  if (group !== "dqr" || kind !== "import") return undefined;
  const refusal = notAllowed(request);
  if (refusal !== undefined) return refusal;
  if (list === undefined) return method === "POST" ? await queueImport(request, content) : undefined;
  const rows = list === "queue" ? state.queued : list === "history" ? state.executed : undefined;
  if (rows === undefined) return list === "status" ? json([]) : undefined;
  if (id === undefined) {
    if (method === "POST" && list === "queue") return await deleteQueued(request);
    return page(request, rows);
  }
  if (id === "count") return json(visible(request, rows).length);
  const row = rows.find((each) => `${each.id}` === id);
  if (row === undefined) return textAnswer(404, "There is no request with this id.");
  if (method === "DELETE") {
    rows.splice(rows.indexOf(row), 1);
    return json(true);
  }
  return json(documentOf(request, row));
}

/** Administrators and those with the role, unless everybody may. */
export function notAllowed({ user, state }: XnatRequest): Answer | undefined {
  const isAllowed =
    user?.roles.has("Administrator") === true ||
    user?.roles.has("Dqr") === true ||
    isTrue(state.settings.allowAllUsersToUseDqr);
  return isAllowed ? undefined : textAnswer(403, "You do not have sufficient permissions.");
}

function isTrue(value: string | number | boolean | undefined): boolean {
  return value === true || value === "true";
}

function visible({ query, user }: XnatRequest, rows: readonly PacsRequest[]): readonly PacsRequest[] {
  return query.get("all") === "true" ? rows : rows.filter(({ username }) => username === user?.username);
}

function page(request: XnatRequest, rows: readonly PacsRequest[]): Answer {
  const { query, switches } = request;
  if (query.get("all") === "true" && !switches.hasAllDataAccess)
    return textAnswer(403, "You may not see all requests.");
  const sort = query.get("sort") ?? "desc";
  if (sort !== "asc" && sort !== "desc") return textAnswer(400, "Invalid sort order");
  const [number, size] = [Number(query.get("page") ?? 1), Number(query.get("pageSize") ?? 100)];
  const ordered = [...visible(request, rows)];
  if (sort === "desc") ordered.reverse();
  return json(ordered.slice((number - 1) * size, number * size).map((row) => documentOf(request, row)));
}

function documentOf({ switches }: XnatRequest, row: PacsRequest) {
  const { relabelMap, executedTime, retries, errorMessage, ...fields } = row;
  const labels = { subjectLabel: relabelMap.Subject, experimentLabel: relabelMap.Session };
  const isNew = !isBefore(switches.dqrVersion, "2.4");
  return {
    ...fields,
    enabled: true,
    disabled: 0,
    remappingScript: Object.keys(relabelMap).length === 0 ? undefined : 'version "6.1"',
    ...(errorMessage === undefined ? {} : { errorMessage }),
    ...(executedTime === undefined ? { retries } : { executedTime }),
    ...(isNew ? labels : {}),
  };
}

async function deleteQueued(request: XnatRequest): Promise<Answer> {
  const { state } = request;
  const ids = await readJsonBody(request);
  if (!Array.isArray(ids)) return textAnswer(500, "Could not read JSON");
  const wanted = new Set(ids.map(String));
  const kept = state.queued.filter(({ id }) => !wanted.has(`${id}`));
  if (kept.length !== state.queued.length - wanted.size) return textAnswer(404, "There is no request with this id.");
  state.queued.splice(0, state.queued.length, ...kept);
  return json(true);
}

interface WantedStudy {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUids: readonly string[];
  readonly relabelMap: Readonly<Record<string, string>>;
}

async function queueImport(request: XnatRequest, content: PacsContent): Promise<Answer> {
  const { state, switches } = request;
  const body = await readObject(request);
  if (body === undefined) return textAnswer(500, "Could not read JSON");
  const refusal = pacsRefusal(request, body.pacsId);
  if (refusal !== undefined) return refusal;
  const project = state.projects.get(`${body.projectId}`);
  if (project === undefined) return textAnswer(403, "You may not import into this project.");
  if (!project.dqrEnabled && !isTrue(state.settings.allowAllProjectsToUseDqr))
    return textAnswer(403, "The project is not enabled for DQR.");
  const studies = (Array.isArray(body.studies) ? body.studies : []).map(wantedStudy);
  const uids = studies.map(({ studyInstanceUid }) => studyInstanceUid);
  if (new Set(uids).size !== uids.length) return textAnswer(500, "Duplicate key");
  if (studies.some(({ relabelMap }) => Object.keys(relabelMap).some((key) => !RELABELS.has(key))))
    return textAnswer(500, "Unknown relabel key");
  const rows = studies.flatMap((wanted) => {
    const study = content.find(({ studyInstanceUid }) => studyInstanceUid === wanted.studyInstanceUid);
    // Without series there is nothing to move: it is left out, without a word.
    if (study === undefined || switches.withoutSeries.has(study.studyInstanceUid)) return [];
    const priority = studies.length === 1 ? PRIORITY_OF_ONE : PRIORITY_OF_SEVERAL;
    const { patientId, accessionNumber, studyDate } = textsOfStudy(study);
    const series = study.instances.map(({ seriesInstanceUid }) => seriesInstanceUid);
    const seriesIds = wanted.seriesInstanceUids.length > 0 ? wanted.seriesInstanceUids : [...new Set(series)];
    const facts = {
      wanted: { ...wanted, seriesInstanceUids: seriesIds },
      priority,
      patientId,
      accessionNumber,
      studyDate,
    };
    return [queuedRow(request, body, facts)];
  });
  state.queued.push(...rows);
  return json(rows.map((row) => documentOf(request, row)));
}

interface RowFacts {
  readonly wanted: WantedStudy;
  readonly priority: number;
  readonly patientId: string;
  readonly accessionNumber: string;
  readonly studyDate: string;
}

function queuedRow(
  { state, user }: XnatRequest,
  body: Readonly<Record<string, unknown>>,
  { wanted, ...facts }: RowFacts,
): PacsRequest {
  const nowMs = Date.now();
  return {
    id: state.nextId(),
    created: nowMs,
    timestamp: nowMs,
    username: user?.username ?? "guest",
    pacsId: Number(body.pacsId) || 1,
    xnatProject: `${body.projectId}`,
    studyInstanceUid: wanted.studyInstanceUid,
    seriesIds: wanted.seriesInstanceUids,
    relabelMap: wanted.relabelMap,
    destinationAeTitle: `${body.aeTitle}:${body.port}`,
    status: "QUEUED",
    queuedTime: nowMs,
    errorMessage: undefined,
    retries: 0,
    executedTime: undefined,
    ...facts,
  };
}

function wantedStudy(study: unknown): WantedStudy {
  const fields: Readonly<Record<string, unknown>> = typeof study === "object" && study !== null ? { ...study } : {};
  const { studyInstanceUid, seriesInstanceUids, relabelMap } = fields;
  const labels: readonly (readonly [string, unknown])[] =
    typeof relabelMap === "object" && relabelMap !== null ? Object.entries(relabelMap) : [];
  return {
    studyInstanceUid: `${studyInstanceUid}`,
    seriesInstanceUids: Array.isArray(seriesInstanceUids) ? seriesInstanceUids.map(String) : [],
    relabelMap: Object.fromEntries(labels.map(([name, label]) => [name, `${label}`])),
  };
}

async function answerDirectArchive(request: XnatRequest): Promise<Answer | undefined> {
  const { method, segments, state, switches } = request;
  const [, , first, tag, name] = segments;
  if (first === undefined) {
    if (!switches.hasAllDataAccess) return textAnswer(403, "You may not see these.");
    const { page: number = 1, size = 50 } = (await readObject(request)) ?? {};
    const [from, until] = [(Number(number) - 1) * Number(size), Number(number) * Number(size)];
    return json(state.directArchive.slice(from, until).map(directDocument));
  }
  if (method === "DELETE") {
    const at = state.directArchive.findIndex(({ id }) => `${id}` === first);
    if (at === -1) return textAnswer(404, "There is no session with this id.");
    state.directArchive.splice(at, 1);
    return noContent();
  }
  const row = state.directArchive.find((each) => each.project === first && each.tag === tag && each.name === name);
  return row === undefined ? textAnswer(404, "There is no such session.") : json(directDocument(row));
}

function directDocument({ id, project, subject, name, folderName, tag, status }: XnatState["directArchive"][number]) {
  return { id, project, subject, name, folderName, tag, status, source: "", visit: "", protocol: "" };
}
