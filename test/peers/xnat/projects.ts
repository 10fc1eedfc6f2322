import { archiveSession, subjectOf } from "./arrivals.ts";
import { type Answer, htmlError, isSet, item, readBody, table, textAnswer, type XnatRequest } from "./http.ts";
import { type Experiment, newProject, type Project } from "./state.ts";
import { isBefore } from "./versions.ts";

/** /projects and what is below a project but for sessions. */
export async function answerProjects(request: XnatRequest): Promise<Answer | undefined> {
  const { segments, method, state, query } = request;
  if (segments[0] !== "data" || segments[1] !== "projects") return undefined;
  const [, , id, kind] = segments;
  if (id === undefined) {
    if (method === "POST") return await createProject(request);
    return table(query, [...state.projects.values()].map(projectRow));
  }
  const project = state.projects.get(id);
  if (kind === undefined) return answerProject(request, project);
  if (project === undefined) return htmlError(404, `Unable to identify project ${id}`);
  return answerBelow(request, project, kind);
}

function answerBelow(request: XnatRequest, project: Project, kind: string): Answer | undefined {
  const { segments, method, query, switches, state } = request;
  const [, , , , name, other] = segments;
  switch (kind) {
    case "prearchive_code":
      if (method === "PUT") project.prearchiveCode = Number(name);
      return textAnswer(200, `${project.prearchiveCode}`);
    case "users":
      if (method === "PUT" && name !== undefined && other !== undefined) {
        if (!state.users.has(other)) return htmlError(404, "User not found.");
        project.users.set(other, name);
      }
      return table(
        query,
        [...project.users].map(([login, GROUP]) => ({ login, displayname: GROUP, GROUP_ID: `${project.id}_member` })),
      );
    case "subjects":
      return segments.length > 5 ? undefined : answerSubjects(request, project, name);
    case "experiments": {
      if (name !== undefined) return undefined;
      const isHidden = ({ xsiType }: Experiment) =>
        switches.hidesDx && xsiType === "xnat:dxSessionData" && !query.has("xsiType");
      return table(
        query,
        [...project.experiments.values()].filter((experiment) => !isHidden(experiment)).map(experimentRow(query)),
      );
    }
    default:
      return undefined;
  }
}

function answerSubjects(request: XnatRequest, project: Project, label: string | undefined): Answer {
  const { method, query, state } = request;
  if (label === undefined) {
    const rows = [...project.subjects.values()].map(({ id, label: name, insertDate }) => ({
      ID: id,
      project: project.id,
      label: name,
      insert_date: insertDate,
      insert_user: "admin",
      URI: `/data/subjects/${id}`,
    }));
    return table(query, rows);
  }
  const existing = project.subjects.get(label);
  if (method === "PUT") return textAnswer(existing === undefined ? 201 : 200, subjectOf(state, project, label).id);
  if (method === "POST" && existing !== undefined) return htmlError(409, "Subject already exists.");
  if (existing === undefined) return htmlError(404, "Unable to identify subject.");
  return item({ type: "xnat:subjectData", fields: { ID: existing.id, label, project: project.id } });
}

function answerProject({ method, query, state, segments }: XnatRequest, project: Project | undefined): Answer {
  if (project === undefined) return htmlError(404, `The project ${segments[2]} does not exist.`);
  if (method === "DELETE") {
    state.projects.delete(project.id);
    return textAnswer(200, isSet(query, "removeFiles") ? "removed" : "");
  }
  const { id, secondaryId, name, description } = project;
  const fields = { ID: id, secondary_ID: secondaryId, name, description };
  return item({ type: "xnat:projectData", fields });
}

function projectRow({ id, secondaryId, name, description }: Project) {
  const URI = `/data/projects/${id}`;
  return { ID: id, secondary_ID: secondaryId, name, description, pi_firstname: "", pi_lastname: "", URI };
}

/** Elements of the document, with or without a prefix. */
function elementText(xml: string, name: string): string | undefined {
  const text = new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]*)</`).exec(xml)?.[1];
  return text?.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

async function createProject(request: XnatRequest): Promise<Answer> {
  const { state, switches } = request;
  const xml = (await readBody(request)).toString("utf8");
  if (!/^\s*(?:<\?xml[^>]*>\s*)?<(?:\w+:)?(?:projectData|Project)\b/.test(xml))
    return htmlError(422, "Unable to parse XML");
  const id = elementText(xml, "ID") ?? /<[^>]*\sID="([^"]+)"/.exec(xml)?.[1] ?? "";
  if (!/^[\w-]+$/.test(id)) return htmlError(417, "Missing or invalid project ID.");
  if (state.projects.has(id)) return htmlError(409, "Project already exists.");
  const [secondaryId, name, description] = ["secondary_ID", "name", "description"].map((field) =>
    elementText(xml, field),
  );
  state.projects.set(
    id,
    newProject(id, {
      ...(secondaryId === undefined ? {} : { secondaryId }),
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
    }),
  );
  if (!switches.hasSiteUrl && !isBefore(switches.version, "1.10")) return htmlError(500, "siteUrl is not set");
  return textAnswer(200, `/data/projects/${id}`);
}

/** The global listing, which hides nothing. */
export function answerExperiments({ segments, query, state, method }: XnatRequest): Answer | undefined {
  if (segments.join("/") !== "data/experiments" || method !== "GET") return undefined;
  const project = query.get("project");
  const uid = query.get("xnat:imageSessionData/UID") ?? query.get("xnat:imagesessiondata/uid");
  const found = [...state.projects.values()]
    .filter(({ id }) => project === null || id === project)
    .flatMap(({ experiments }) => [...experiments.values()])
    .filter((experiment) => uid === null || experiment.uid === uid);
  return table(query, found.map(experimentRow(query)));
}

/** The columns that were asked for, or the usual ones. */
function experimentRow(query: URLSearchParams) {
  const columns = query.get("columns")?.split(",");
  return (experiment: Experiment): Readonly<Record<string, string>> => {
    const all: Readonly<Record<string, string>> = {
      ID: experiment.id,
      project: experiment.project,
      label: experiment.label,
      date: experiment.date,
      insert_date: experiment.insertDate,
      xsiType: experiment.xsiType,
      subject_label: experiment.subject,
      UID: experiment.uid,
      "xnat:imageSessionData/UID": experiment.uid,
      "xnat:subjectassessordata/id": experiment.id,
      URI: `/data/experiments/${experiment.id}`,
    };
    const usual = ["ID", "project", "date", "xsiType", "label", "insert_date", "xnat:subjectassessordata/id", "URI"];
    const wanted = columns === undefined ? usual : [...new Set([...columns, "URI"])];
    return Object.fromEntries(
      wanted.map((name) => [
        name.toLowerCase() === "xnat:imagesessiondata/uid" ? "xnat:imagesessiondata/uid" : name,
        all[name] ?? "",
      ]),
    );
  };
}

/** `PUT …/experiments/{label}` below a subject. */
export function putExperiment(request: XnatRequest, project: Project, subject: string, label: string): Answer {
  const { state, query } = request;
  const isThere = [...project.experiments.values()].some((each) => each.label === label);
  const xsiType = query.get("xsiType") ?? "xnat:mrSessionData";
  const experiment = archiveSession(state, project, { label, subject, uid: "", date: "", xsiType });
  return textAnswer(isThere ? 200 : 201, experiment.id);
}
