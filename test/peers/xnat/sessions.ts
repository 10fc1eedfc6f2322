import { type Answer, htmlError, type Item, item, type XnatRequest } from "./http.ts";
import { putExperiment } from "./projects.ts";
import { answerResources } from "./resources.ts";
import { answerScans, scanItem } from "./scans.ts";
import { type Experiment, type Holder, newHolder, type Project, type XnatState } from "./state.ts";

/** A session wherever it lies, and what of it is asked for. */
export interface Located {
  readonly holder: Holder;
  readonly experiment: Experiment | undefined;
  readonly rest: readonly string[];
  /** As addresses of what is in it begin. */
  readonly uri: string;
}

/** Sessions of the archive and of the prearchive, their scans, resources and files. */
export async function answerSessions(request: XnatRequest): Promise<Answer | undefined> {
  const located = locate(request);
  if (located === undefined || "status" in located) return located;
  const { rest, experiment, holder, uri } = located;
  const [kind, label, ...below] = rest;
  if (kind === undefined) return experiment === undefined ? undefined : answerSession(request, experiment);
  if (kind === "scans") return await answerScans(request, located);
  if (kind === "resources" || kind === "files")
    return await answerResources(request, { holder, uri, rest, parents: [holder] });
  if (kind !== "assessors" || experiment === undefined) return undefined;
  if (label === undefined) return undefined;
  const assessor = experiment.assessors.get(label);
  if (below.length === 0 && request.method === "PUT") {
    experiment.assessors.set(label, assessor ?? newHolder());
    return { status: assessor === undefined ? 201 : 200, body: label, type: "text/plain" };
  }
  if (assessor === undefined) return htmlError(404, "Unable to find the specified experiment.");
  const address = `${uri}/assessors/${label}`;
  return await answerResources(request, { holder: assessor, uri: address, rest: below, parents: [assessor] });
}

/** By id, by project and label, by project, subject and label, or by its place in the prearchive. */
function locate(request: XnatRequest): Located | Answer | undefined {
  const { segments, state } = request;
  const [root, kind, ...tail] = segments;
  if (root !== "data") return undefined;
  if (kind === "experiments" && tail[0] !== undefined) {
    const experiment = [...state.projects.values()]
      .map(({ experiments }) => experiments.get(tail[0] ?? ""))
      .find(Boolean);
    return experiment === undefined ? noExperiment() : inArchive(experiment, tail.slice(1));
  }
  if (kind === "projects") return locateInProject(request, tail);
  if (kind === "prearchive" && tail[0] === "projects" && tail.length > 4) return locateInPrearchive(state, tail);
  return undefined;
}

function locateInProject(request: XnatRequest, [id = "", ...tail]: readonly string[]): Located | Answer | undefined {
  const { state, method } = request;
  const project = state.projects.get(id);
  const at = tail.indexOf("experiments");
  const label = tail[at + 1];
  if (at === -1 || at > 2 || label === undefined) return undefined;
  if (project === undefined) return htmlError(404, "Unable to identify project");
  const subject = at === 2 ? tail[1] : undefined;
  const rest = tail.slice(at + 2);
  if (method === "PUT" && rest.length === 0 && subject !== undefined)
    return putExperiment(request, project, subject, label);
  if (subject !== undefined && !hasSubject(project, subject)) return htmlError(404, "Unable to identify subject");
  const experiment = [...project.experiments.values()].find((each) => each.label === label || each.id === label);
  if (experiment !== undefined) return inArchive(experiment, rest);
  return rest.length === 0 ? noExperiment() : htmlError(404, "Unable to identify image session");
}

function hasSubject({ subjects }: Project, name: string): boolean {
  return [...subjects.values()].some(({ id, label }) => label === name || id === name);
}

function inArchive(experiment: Experiment, rest: readonly string[]): Located {
  return { holder: experiment, experiment, rest, uri: `/data/experiments/${experiment.id}` };
}

function locateInPrearchive(state: XnatState, [, project, timestamp, name, ...rest]: readonly string[]) {
  const session = state.prearchive.find(
    (each) => each.project === project && each.timestamp === timestamp && each.name === name,
  );
  if (session === undefined) return htmlError(404, "Unable to find the specified session.");
  const uri = `/data/prearchive/projects/${project}/${timestamp}/${name}`;
  return { holder: session, experiment: undefined, rest, uri };
}

function noExperiment(): Answer {
  return htmlError(404, "Unable to find the specified experiment.");
}

function answerSession({ method, state }: XnatRequest, experiment: Experiment): Answer {
  const project = state.projects.get(experiment.project);
  if (method === "DELETE") {
    project?.experiments.delete(experiment.id);
    return { status: 200 };
  }
  const { id, label, uid, date, xsiType, scans } = experiment;
  const subject = project?.subjects.get(experiment.subject);
  const items: readonly Item[] = [...scans.values()].map(scanItem);
  return item({
    type: xsiType,
    fields: { ID: id, label, project: experiment.project, subject_ID: subject?.id, UID: uid, date },
    children: items.length === 0 ? {} : { "scans/scan": items },
  });
}
