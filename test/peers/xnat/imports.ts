import { tags } from "../../../src/dicom/dictionary/tags.ts";
import { bytesSource, readPart10 } from "../../../src/dicom/reader.ts";
import { uidOf } from "../../../src/dicom/values.ts";
import { encodeFileMeta } from "../../../src/dicom/writer.ts";
import { type ArrivedObject, asLabel, keepObject, lookAtObject, prearchiveTimestamp } from "./arrivals.ts";
import { type Answer, htmlError, isSet, readBody, type XnatRequest } from "./http.ts";
import { archived, overwriteOf, uriOf } from "./prearchive.ts";
import { newHolder, type PrearchiveSession } from "./state.ts";
import { readZip, type ZipEntry } from "./zip.ts";

const HANDLERS: ReadonlySet<string> = new Set(["SessionImporter", "DICOM-zip", "gradual-DICOM"]);

/** Where an import is to go, by its parameters and its destination. */
interface Target {
  readonly project: string;
  readonly subject: string | undefined;
  readonly session: string | undefined;
  readonly isArchive: boolean;
  readonly overwrite: string;
  readonly preventAnon: boolean;
}

export async function answerImports(request: XnatRequest): Promise<Answer | undefined> {
  const path = request.segments.join("/");
  if (path !== "data/services/import" && path !== "xapi/services/import") return undefined;
  const { query, message } = request;
  const body = await readBody(request);
  const type = message.headers["content-type"] ?? "";
  const isDicom = type.startsWith("application/dicom");
  const handler = isDicom ? "gradual-DICOM" : (query.get("import-handler") ?? "SessionImporter");
  if (!HANDLERS.has(handler)) return htmlError(404, `Unknown importer ${handler}`);
  if (query.get("prearchive_code") === "1" && query.has("overwrite")) return htmlError(400, "Invalid overwrite");
  const files = type.startsWith("multipart/") ? partsOf(body, type) : isInBody(request, type) ? [body] : [];
  if (files.length > 1) return htmlError(400, "Importer is limited to one uploaded resource at a time.");
  const [file] = files;
  if (file === undefined || file.length === 0) return htmlError(400, "Unable to identify upload format.");
  const objects = await objectsOf(file, handler === "gradual-DICOM");
  if (objects === undefined) return htmlError(400, "unable to read data from file");
  return await keepAll(request, objects, targetOf(query, handler), handler);
}

function isInBody({ query }: XnatRequest, type: string): boolean {
  return isSet(query, "inbody") || type.startsWith("application/dicom") || type.startsWith("application/zip");
}

interface NamedObject {
  readonly name: string;
  readonly object: ArrivedObject;
}

/** Undefined: one of them is no DICOM, or the zip ends in the middle. */
async function objectsOf(file: Buffer, isSingle: boolean): Promise<readonly NamedObject[] | undefined> {
  let entries: readonly ZipEntry[];
  try {
    entries = isSingle ? [{ name: "", bytes: file }] : readZip(file);
  } catch {
    return undefined;
  }
  const objects: NamedObject[] = [];
  for (const { name, bytes } of entries) {
    const object = await lookAtObject(bytes);
    if (object === undefined) return undefined;
    objects.push({ name: name.split("/").at(-1) || object.fileName, object });
  }
  return objects;
}

function targetOf(query: URLSearchParams, handler: string): Target {
  const dest = query.get("dest") ?? "";
  const named =
    /^(?:\/data)?\/(?<area>archive|prearchive)\/projects\/(?<project>[^/]+)(?:\/subjects\/(?<subject>[^/]+))?(?:\/experiments\/(?<session>[^/]+))?/.exec(
      dest,
    )?.groups;
  // The importer of single objects knows no lower-case names.
  const lower = (name: string): string | null => (handler === "gradual-DICOM" ? null : query.get(name));
  return {
    project: named?.project ?? query.get("project") ?? query.get("PROJECT_ID") ?? "Unassigned",
    subject: named?.subject ?? lower("subject") ?? query.get("SUBJECT_ID") ?? undefined,
    session: named?.session ?? lower("session") ?? query.get("EXPT_LABEL") ?? undefined,
    isArchive: named?.area === "archive",
    overwrite: overwriteOf(query),
    preventAnon: isSet(query, "prevent_anon"),
  };
}

async function keepAll(
  request: XnatRequest,
  objects: readonly NamedObject[],
  target: Target,
  handler: string,
): Promise<Answer> {
  const { state, switches } = request;
  const touched = new Set<PrearchiveSession>();
  const isRenamed = isSet(request.query, "rename");
  for (const { name, object } of objects) {
    const session = sessionFor(request, object, target);
    touched.add(session);
    const rewritten = switches.rewritesMeta ? await withOwnMeta(object.bytes) : object.bytes;
    const bytes = switches.anonymises && !target.preventAnon ? changed(rewritten) : rewritten;
    keepObject(session, { ...object, bytes }, { name: isRenamed ? object.fileName : name, overwrite: true, state });
  }
  const uris: string[] = [];
  for (const session of touched) {
    const answer = conclude(request, session, target, handler);
    if (answer.status !== 200) return answer;
    uris.push(`${answer.body}`.trim());
  }
  if (switches.forgetsImports) {
    for (const session of touched) forget(request, session);
  }
  return { status: 200, type: "text/uri-list", body: `${uris.join("\r\n")}\r\n` };
}

function sessionFor({ state }: XnatRequest, object: ArrivedObject, target: Target): PrearchiveSession {
  const name = target.session ?? asLabel(object.accessionNumber || object.patientId);
  const project = state.projects.has(target.project) ? target.project : "Unassigned";
  const existing = state.prearchive.find(
    (each) => each.project === project && each.name === name && each.tag === object.studyInstanceUid,
  );
  if (existing !== undefined) return existing;
  const session: PrearchiveSession = {
    ...newHolder(),
    project,
    timestamp: prearchiveTimestamp(state),
    name,
    subject: target.subject ?? asLabel(object.patientId),
    tag: object.studyInstanceUid,
    status: "RECEIVING",
    preventAnon: target.preventAnon,
  };
  state.prearchive.push(session);
  return session;
}

/** One by one, sessions stay open; a zip is built at once, and archived when that was asked for. */
function conclude({ state }: XnatRequest, session: PrearchiveSession, target: Target, handler: string): Answer {
  const uri = `/data${uriOf(session)}`;
  if (handler === "gradual-DICOM") return { status: 200, body: uri };
  session.status = "READY";
  const project = state.projects.get(session.project);
  if (!target.isArchive || project === undefined) return { status: 200, body: uri };
  const answer = archived(state, project, session, target.overwrite);
  return answer.status === 200 ? answer : htmlError(answer.status, "Failed to archive 1 of 1 session(s)");
}

function forget({ state }: XnatRequest, { name, project }: PrearchiveSession): void {
  const kept = state.prearchive.filter((each) => each.name !== name);
  state.prearchive.splice(0, state.prearchive.length, ...kept);
  const experiments = state.projects.get(project)?.experiments ?? new Map<string, { readonly label: string }>();
  for (const [id, { label }] of experiments) if (label === name) experiments.delete(id);
}

/** XNAT writes the file meta information of what it receives anew. */
async function withOwnMeta(bytes: Buffer): Promise<Buffer> {
  const { meta, dataSetOffset, transferSyntaxUid } = await readPart10(bytesSource(bytes));
  const facts = {
    sopClassUid: uidOf(meta, tags.MediaStorageSOPClassUID) ?? "",
    sopInstanceUid: uidOf(meta, tags.MediaStorageSOPInstanceUID) ?? "",
    transferSyntaxUid,
    sourceAeTitle: "XNAT",
  };
  return Buffer.concat([encodeFileMeta(facts), bytes.subarray(dataSetOffset)]);
}

/** As a site's script leaves it: other bytes, still DICOM. */
function changed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const last = copy.length - 1;
  copy[last] = (copy[last] ?? 0) ^ 0xff;
  return copy;
}

/** Files of a form. */
function partsOf(body: Buffer, type: string): readonly Buffer[] {
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1];
  if (boundary === undefined) return [];
  const text = body.toString("latin1");
  return text
    .split(`--${boundary}`)
    .filter((part) => /\r\ncontent-disposition:[^\r\n]*filename=/i.test(part))
    .map((part) => Buffer.from(part.slice(part.indexOf("\r\n\r\n") + 4).replace(/\r\n$/, ""), "latin1"));
}
