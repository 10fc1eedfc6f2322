import { z } from "zod";
import { errorFields } from "../../../observe/error-fields.ts";
import { createHubProject } from "../hub-projects.ts";
import { emptyQueue } from "../import-rows.ts";
import {
  createProject,
  deleteProject,
  getExperiment,
  getProject,
  listExperiments,
  listProjects,
  listSubjects,
} from "../projects.ts";
import { type Route, route } from "./route.ts";
import { schemas } from "./schemas.ts";

const tag = "Projects";
const params = z.object({ project_id: z.string() });

export const projectRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/projects/",
    tag,
    name: "get_projects",
    summary: "Get XNAT Projects",
    answer: z.array(schemas.Project),
    handle: (_, { xnat, signal }) => listProjects(xnat, signal),
  }),
  route({
    method: "POST",
    path: "/projects/",
    tag,
    name: "create_project_endpoint",
    summary: "Create XNAT Project",
    query: z.object({
      project_id: z.string(),
      project_secondary_id: z.string(),
      project_name: z.string(),
      project_description: z.string().default(""),
    }),
    answer: schemas.Project,
    handle: ({ query }, { xnat, signal }) =>
      createProject(
        xnat,
        {
          id: query.project_id,
          secondaryId: query.project_secondary_id,
          name: query.project_name,
          description: query.project_description,
        },
        signal,
      ),
  }),
  route({
    method: "POST",
    path: "/projects/create-project-from-central-hub-project",
    tag,
    name: "create_project_from_central_hub_project",
    summary: "Create XNAT Project from Central Hub Project information",
    body: schemas.CentralHubProject,
    answer: schemas.CreatedProject,
    async handle({ body }, { services, tasks, xnat, signal }) {
      const { envelopes, random, settings } = services;
      const image = settings.xnat.dcm2niixImage;
      const { project, createdUsers, addedUsers } = await createHubProject(
        { xnat, envelopes, random, image, signal },
        body,
      );
      // Answered once the retrieval is written down: no restart loses it.
      await tasks.add(project.ID, { isRetry: false, query: body.query });
      return { ID: project.ID, name: project.name, created_users: createdUsers, added_users: addedUsers };
    },
  }),
  route({
    method: "GET",
    path: "/projects/{project_id}",
    tag,
    name: "get_project_endpoint",
    summary: "Get XNAT Project Details",
    params,
    answer: schemas.Project,
    handle: ({ path }, { xnat, signal }) => getProject(xnat, path.project_id, signal),
  }),
  route({
    method: "DELETE",
    path: "/projects/{project_id}",
    tag,
    name: "delete_project_endpoint",
    summary: "Delete XNAT Project",
    params,
    answer: schemas.Project,
    async handle({ path: { project_id } }, { services, tasks, xnat, signal }) {
      const deleted = await deleteProject(xnat, project_id, signal);
      await tasks.cancel(project_id);
      // The project is gone: what is left in the queue is tidied up, and no reason to fail.
      await emptyQueue(xnat, project_id, signal).catch((thrown: unknown) =>
        services.logger.warn("imports of a deleted project stay queued in xnat", errorFields(thrown)),
      );
      return deleted;
    },
  }),
  route({
    method: "GET",
    path: "/projects/{project_id}/subjects",
    tag,
    name: "get_project_subjects_endpoint",
    summary: "Get XNAT Project Subjects",
    params,
    answer: z.array(schemas.Subject),
    handle: ({ path }, { xnat, signal }) => listSubjects(xnat, path.project_id, signal),
  }),
  route({
    method: "GET",
    path: "/projects/{project_id}/experiments",
    tag,
    name: "get_project_experiments_endpoint",
    summary: "Get XNAT Project Experiments",
    params,
    answer: z.array(schemas.Experiment),
    handle: ({ path }, { xnat, signal }) => listExperiments(xnat, path.project_id, signal),
  }),
  route({
    method: "GET",
    path: "/projects/{project_id}/experiment/{experiment_id_or_label}",
    tag,
    name: "get_project_experiment_endpoint",
    summary: "Get XNAT Project Experiment",
    params: z.object({ project_id: z.string(), experiment_id_or_label: z.string() }),
    answer: z.looseObject({}),
    handle: ({ path }, { xnat, signal }) => getExperiment(xnat, path.project_id, path.experiment_id_or_label, signal),
  }),
];
