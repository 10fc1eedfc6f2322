import {
  type ArrivedObject,
  archiveHolder,
  asLabel,
  keepObject,
  lookAtObject,
  prearchiveTimestamp,
} from "./arrivals.ts";
import type { PacsContent } from "./dqr-query.ts";
import {
  type DirectArchiveSession,
  type Holder,
  newHolder,
  type PacsRequest,
  type PrearchiveSession,
  type Receiver,
  type XnatState,
} from "./state.ts";
import type { XnatSwitches } from "./switches.ts";

interface Site {
  readonly state: XnatState;
  readonly switches: XnatSwitches;
  readonly content: PacsContent;
}

const HOUR_MS = 3_600_000;
const STEPS: Readonly<Record<string, string>> = {
  RECEIVING: "QUEUED_BUILDING",
  QUEUED_BUILDING: "BUILDING",
  BUILDING: "QUEUED_ARCHIVING",
  QUEUED_ARCHIVING: "ARCHIVING",
};

/** One round of what XNAT does every minute: sessions on their way go a step further, one request of each PACS is carried out. */
export async function workOnce(site: Site): Promise<void> {
  for (const session of [...site.state.directArchive]) advance(site, session);
  for (const { id, availability } of site.state.pacs) {
    const isOpen = availability.some(({ availableNow, threads }) => availableNow && threads > 0);
    if (isOpen && site.switches.pacsAnswers) await dequeue(site, id);
  }
}

async function dequeue(site: Site, pacsId: number): Promise<void> {
  const { state, switches } = site;
  const waiting = state.queued.filter((each) => each.pacsId === pacsId && /^(?:QUEUED|FAILED)$/.test(each.status));
  const [request] = waiting.sort((one, other) => one.priority - other.priority || one.queuedTime - other.queuedTime);
  if (request === undefined) return;
  const before = request.status;
  request.status = "PROCESSING";
  const nowMs = Date.now();
  const attempt: PacsRequest = {
    ...request,
    id: state.nextId(),
    created: nowMs,
    timestamp: nowMs,
    status: "ISSUED",
    executedTime: nowMs,
  };
  state.executed.push(attempt);
  const receiver = receiverFor(state, request);
  const error =
    receiver === undefined
      ? "PacsNotStorableException"
      : switches.failingMoves > 0
        ? "C-MOVE failed: Out of Resources"
        : undefined;
  if (error !== undefined || receiver === undefined) {
    switches.failingMoves = Math.max(0, switches.failingMoves - 1);
    attempt.status = "FAILED";
    attempt.errorMessage = error;
    request.status = before;
    request.retries += 1;
    if (request.retries >= Number(state.settings.dqrMaxPacsRequestAttempts)) removeFrom(state.queued, request);
    return;
  }
  if (!switches.issuedForever) await receive(site, attempt, receiver);
  removeFrom(state.queued, request);
}

/** By AE title and port, without case. */
function receiverFor({ receivers }: XnatState, { destinationAeTitle }: PacsRequest): Receiver | undefined {
  return receivers.find(
    ({ aeTitle, port, enabled }) => enabled && `${aeTitle}:${port}`.toLowerCase() === destinationAeTitle.toLowerCase(),
  );
}

function removeFrom<T>(list: T[], one: T): void {
  const at = list.indexOf(one);
  if (at !== -1) list.splice(at, 1);
}

/** What the PACS sends comes in. */
async function receive({ state, switches, content }: Site, request: PacsRequest, receiver: Receiver): Promise<void> {
  const study = content.find(({ studyInstanceUid }) => studyInstanceUid === request.studyInstanceUid);
  const wanted =
    study?.instances.filter(({ seriesInstanceUid }) => request.seriesIds.includes(seriesInstanceUid)) ?? [];
  const sent = switches.lostObjects === 0 ? wanted : wanted.slice(0, -switches.lostObjects);
  const objects: ArrivedObject[] = [];
  for (const { file } of sent) {
    const object = await lookAtObject(file);
    if (object !== undefined) objects.push(object);
  }
  const [first] = objects;
  if (first === undefined) return;
  // Written by a processor, at the first object, if it was asked for within the hour.
  if (receiver.customProcessing && Date.now() - (request.executedTime ?? 0) < HOUR_MS) request.status = "RECEIVED";
  const name = request.relabelMap.Session ?? asLabel(first.accessionNumber || first.studyInstanceUid);
  const subject = request.relabelMap.Subject ?? asLabel(first.patientId);
  const inTime = switches.lateObjects === 0 ? objects : objects.slice(0, -switches.lateObjects);
  const holder = holding(state, inTime);
  const facts = { ...holder, project: request.xnatProject, name, subject, tag: first.studyInstanceUid };
  if (switches.prearchiveStatus !== "none" || !receiver.directArchive) {
    const status = switches.prearchiveStatus === "none" ? "READY" : switches.prearchiveStatus;
    state.prearchive.push(inPrearchive(state, facts, status));
    return;
  }
  state.directArchive.push({ ...facts, id: state.nextId(), folderName: name, status: "RECEIVING", request });
  const late = objects.slice(inTime.length);
  // A session that is no longer receiving takes no more: they become one of their own, which cannot be archived.
  if (late.length > 0) state.prearchive.push(inPrearchive(state, { ...facts, ...holding(state, late) }, "CONFLICT"));
}

function holding(state: XnatState, objects: readonly ArrivedObject[]): Holder {
  const holder = newHolder();
  for (const object of objects) keepObject(holder, object, { name: object.fileName, overwrite: true, state });
  return holder;
}

type Facts = Pick<PrearchiveSession, "project" | "name" | "subject" | "tag" | "scans" | "resources">;

function inPrearchive(state: XnatState, facts: Facts, status: string): PrearchiveSession {
  return { ...facts, timestamp: prearchiveTimestamp(state), status, preventAnon: false };
}

/** A step towards the archive; its row goes when it is there, and also when it is moved away. */
function advance({ state, switches }: Site, session: DirectArchiveSession): void {
  const next = STEPS[session.status];
  if (next !== undefined) {
    session.status = next;
    return;
  }
  if (session.status !== "ARCHIVING") return;
  if (switches.directArchiveFailure === "stays") {
    session.status = "ERROR";
    return;
  }
  removeFrom(state.directArchive, session);
  const project = state.projects.get(session.project);
  const name = session.name ?? session.folderName;
  if (switches.directArchiveFailure === "prearchive" || project === undefined) {
    state.prearchive.push(inPrearchive(state, { ...session, name }, "ERROR"));
    return;
  }
  const experiment = archiveHolder(state, project, { ...session, name }, false);
  if (switches.emptyShells) emptyOut(experiment.scans.values());
}

/** The catalogue goes on naming a file that the disk does not have. */
function emptyOut(scans: Iterable<PrearchiveSession["scans"] extends Map<string, infer S> ? S : never>): void {
  for (const { resources } of scans) {
    for (const resource of resources.values()) {
      const [first] = resource.files;
      resource.files.clear();
      if (first !== undefined) resource.files.set(first[0], { ...first[1], bytes: undefined });
      resource.claimedFiles = 1;
    }
  }
}
