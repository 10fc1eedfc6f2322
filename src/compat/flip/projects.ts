import { z } from "zod";
import { HttpError as TransportError } from "../../network/http-client/http-error.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import { HttpError, notFound } from "./errors.ts";
import { unexpectedStatus, type Xnat } from "./xnat.ts";
import { parseAnswer, textOrEmpty, textOrNull } from "./xnat-answer.ts";

export const project = z.object({
  pi_firstname: textOrEmpty,
  secondary_ID: textOrEmpty,
  pi_lastname: textOrEmpty,
  name: textOrEmpty,
  description: textOrNull,
  ID: z.string(),
  URI: textOrEmpty,
});
export type XnatProject = z.infer<typeof project>;

export const subject = z.object({
  ID: z.string(),
  label: z.string(),
  insert_date: textOrEmpty,
  project: textOrEmpty,
  insert_user: textOrEmpty,
  URI: textOrEmpty,
});

export const experiment = z.object({
  ID: z.string(),
  label: z.string(),
  date: textOrEmpty,
  project: textOrEmpty,
  insert_date: textOrEmpty,
  xsiType: textOrEmpty,
  URI: textOrEmpty,
  "xnat:subjectassessordata/id": textOrNull,
});

const listing = <T extends z.ZodType>(row: T) => z.object({ ResultSet: z.object({ Result: z.array(row) }) });
const record = z.record(z.string(), z.unknown());
const item = z.looseObject({ items: z.array(z.looseObject({ data_fields: record, meta: record.optional() })) });

function rowsOf<T extends z.ZodType>(row: T, answer: unknown): readonly z.infer<T>[] {
  const result = listing(row).safeParse(answer);
  if (!result.success) throw new TransportError("HTTP_JSON_INVALID", { what: "shape" });
  return result.data.ResultSet.Result;
}

export async function listProjects(xnat: Xnat, signal: AbortSignal): Promise<readonly XnatProject[]> {
  return rowsOf(project, await xnat.json({ path: "data/projects", query: { format: "json" }, signal }));
}

/** From the listing: a project's own address leaves fields out. @throws HttpError 404 */
export async function getProject(xnat: Xnat, projectId: string, signal: AbortSignal): Promise<XnatProject> {
  const found = (await listProjects(xnat, signal)).find(({ ID }) => ID === projectId);
  if (found === undefined) throw notFound(`Project with ID '${projectId}' not found.`, "FLIP_PROJECT_NOT_FOUND");
  return found;
}

/** @throws HttpError 404 */
export async function projectOfHub(xnat: Xnat, hubProjectId: string, signal: AbortSignal): Promise<XnatProject> {
  const found = (await listProjects(xnat, signal)).find(({ secondary_ID }) => secondary_ID === hubProjectId);
  if (found !== undefined) return found;
  const detail = `Project with central hub ID '${hubProjectId}' not found among XNAT projects.`;
  throw notFound(detail, "FLIP_PROJECT_NOT_FOUND");
}

export interface NewProject {
  readonly id: string;
  readonly secondaryId: string;
  readonly name: string;
  readonly description: string;
}

/** @throws HttpError 400 when it exists; GatewayError of the exchange */
export async function createProject(xnat: Xnat, wanted: NewProject, signal: AbortSignal): Promise<XnatProject> {
  const { id } = wanted;
  const exists = (): HttpError =>
    new HttpError(400, `Project ID '${id}' already exists. Can't create a new project with the same ID.`, {
      code: "FLIP_ALREADY_EXISTS",
    });
  if ((await listProjects(xnat, signal)).some(({ ID }) => ID === id)) throw exists();
  const { status } = await xnat.ask({
    method: "POST",
    path: "data/projects",
    headers: { "Content-Type": "application/xml" },
    body: projectDocument(xnat.url, wanted),
    signal,
  });
  if (status === 409) throw exists();
  if (status === 200 || status === 201) return await getProject(xnat, id, signal);
  // An XNAT without a site URL makes the project and says that it failed.
  const made = status === 500 ? (await listProjects(xnat, signal)).find(({ ID }) => ID === id) : undefined;
  if (made === undefined) throw unexpectedStatus(status);
  return made;
}

function projectDocument(url: string, { id, secondaryId, name, description }: NewProject): string {
  const fields = { ID: id, secondary_ID: secondaryId, name, description };
  const children = Object.entries(fields).map(([element, text]) => `<${element}>${escaped(text)}</${element}>`);
  return `<xnat:projectData xmlns:xnat="${escaped(`${url}/data/projects`)}">${children.join("")}</xnat:projectData>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** XML 1.0 2.2 and 2.4: control characters may be in no document. */
function escaped(text: string): string {
  const allowed = [...text].filter((character) => character >= " " || /[\t\n\r]/.test(character)).join("");
  return allowed.replaceAll(/[&<>"]/g, (mark) => ENTITIES[mark] ?? mark);
}

export async function listSubjects(xnat: Xnat, projectId: string, signal: AbortSignal) {
  await getProject(xnat, projectId, signal);
  const path = xnatPath("data", "projects", projectId, "subjects");
  return rowsOf(subject, await xnat.json({ path, query: { format: "json" }, signal }));
}

/** The global listing: a project's own hides session types without configured security. */
export async function listExperiments(xnat: Xnat, projectId: string, signal: AbortSignal) {
  await getProject(xnat, projectId, signal);
  const query = { project: projectId, format: "json" };
  return rowsOf(experiment, await xnat.json({ path: "data/experiments", query, signal }));
}

/** XNAT's own document. @throws HttpError 404 */
export async function getExperiment(xnat: Xnat, projectId: string, name: string, signal: AbortSignal) {
  const path = xnatPath("data", "projects", projectId, "experiments", name);
  const { status, text } = await xnat.ask({ path, query: { format: "json" }, signal });
  if (status === 404) throw notFound(`Experiment with ID or label '${name}' not found in project '${projectId}'.`);
  if (status !== 200) throw unexpectedStatus(status);
  return parseAnswer(item, text, status);
}

export function subjectOfExperiment(document: z.infer<typeof item>): string {
  const found = document.items[0]?.data_fields.subject_ID;
  if (typeof found !== "string" || found === "") throw new TransportError("HTTP_JSON_INVALID", { what: "subject" });
  return found;
}

/** @throws HttpError 404; GatewayError of the exchange */
export async function deleteProject(xnat: Xnat, projectId: string, signal: AbortSignal): Promise<XnatProject> {
  const found = await getProject(xnat, projectId, signal);
  const path = xnatPath("data", "projects", projectId);
  const { status } = await xnat.ask({ method: "DELETE", path, query: { removeFiles: true }, signal });
  if (status !== 200) throw unexpectedStatus(status);
  return found;
}

/** `xnat:ctSessionData`, or what XNAT takes for anything. */
export function sessionTypeOfExperiment(document: z.infer<typeof item>): string {
  const type = document.items[0]?.meta?.["xsi:type"];
  return typeof type === "string" ? type : "xnat:otherDicomSessionData";
}
