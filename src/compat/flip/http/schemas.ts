import { z } from "zod";
import { laxBoolean, laxInteger } from "../../fastapi/validation.ts";
import { pacsStatus, pacsStudy } from "../pacs.ts";
import { experiment, project, subject } from "../projects.ts";
import { user } from "../users.ts";
import { email, pathSegment, uuid } from "./fields.ts";

/** The original's models, by their names in its OpenAPI page. */

const createUser = z.object({
  username: z.string(),
  password: z.string(),
  email,
  firstName: z.string(),
  lastName: z.string(),
  enabled: laxBoolean.default(true),
});

const updateUser = z.object({ email, enabled: laxBoolean });

const hubUser = z.object({ id: uuid, email, is_disabled: laxBoolean.default(false) });

const hubProject = z.object({
  project_id: uuid,
  trust_id: uuid,
  project_name: z.string().refine((name) => !/[<>&]/.test(name), {
    params: {
      type: "value_error",
      msg: "Value error, project_name must not contain XML control characters ('<', '>', '&')",
    },
  }),
  query: z.string(),
  users: z.array(hubUser).default([]),
  dicom_to_nifti: laxBoolean.default(true),
});

const createdUser = z.object({
  username: z.string(),
  encrypted_setup_path: z.string(),
  encrypted_password: z.string(),
  email: z.string(),
});

const createdProject = z.object({
  ID: z.string(),
  name: z.string(),
  created_users: z.array(createdUser),
  added_users: z.array(user),
});

const importStudy = z.object({ studyInstanceUid: z.string(), accessionNumber: pathSegment });

const importStudyRequest = z.object({
  pacsId: laxInteger.optional(),
  aeTitle: z.string().optional(),
  port: laxInteger.optional(),
  projectId: z.string(),
  forceImport: laxBoolean.default(true),
  studies: z.array(importStudy).min(1),
});

const importStudyResponse = z.object({
  id: z.int(),
  pacsId: z.int(),
  status: z.string(),
  accessionNumber: z.string(),
  queuedTime: z.int(),
  created: z.int(),
  priority: z.int(),
});

const importStatusCount = z.object({
  successful_count: z.int(),
  failed_count: z.int(),
  processing_count: z.int(),
  queued_count: z.int(),
  queue_failed_count: z.int(),
});

const projectRetrieval = z.object({ project_creation_completed: z.boolean(), import_status: importStatusCount });

const downloadRequest = z.object({ accession_id: pathSegment, encrypted_central_hub_project_id: z.string() });

const uploadRequest = z.object({
  accession_id: pathSegment,
  encrypted_central_hub_project_id: z.string(),
  scan_id: pathSegment,
  resource_id: pathSegment,
  files: z.array(z.string()),
  exist_ok: laxBoolean.default(false),
});

export const schemas = {
  User: user,
  CreateUser: createUser,
  UpdateUser: updateUser,
  CentralHubProject: hubProject,
  CreatedProject: createdProject,
  Project: project,
  Subject: subject,
  Experiment: experiment,
  PacsStatus: pacsStatus,
  Study: pacsStudy,
  ImportStudyRequest: importStudyRequest,
  ImportStudyResponse: importStudyResponse,
  ProjectRetrieval: projectRetrieval,
  DownloadImagesRequestData: downloadRequest,
  DownloadImagesResponse: z.object({ path: z.string() }),
  UploadDataRequest: uploadRequest,
  Health: z.object({
    status: z.enum(["ok", "degraded"]),
    version: z.string().nullable(),
    dead_tasks: z.array(z.string()),
  }),
  Reimport: z.object({ message: z.string(), projectId: z.string() }),
} as const;

export type UploadDataRequest = z.infer<typeof uploadRequest>;
