import { z } from "zod";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { HttpError } from "../errors.ts";
import { getImportStatus } from "../status.ts";
import { type Route, route } from "./route.ts";
import { schemas } from "./schemas.ts";

const tag = "Retrieval";
const params = z.object({ project_id: z.string() });
const query = z.object({ encoded_query: z.string() });

export const retrievalRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/retrieval/import_status_count/{project_id}",
    tag,
    name: "get_import_status_count",
    summary: "Get Import Status Count",
    params,
    query,
    answer: schemas.ProjectRetrieval,
    async handle(input, { services, xnat, signal }) {
      const { project_id: projectId } = input.path;
      const sql = decodedQuery(input.query.encoded_query);
      const status = await getImportStatus(services, { xnat, projectId, query: sql, signal });
      return {
        project_creation_completed: true,
        import_status: {
          successful_count: status.successful.length,
          failed_count: status.failed.length,
          processing_count: status.processing.length,
          queued_count: status.queued.length,
          queue_failed_count: status.queueFailed.length,
        },
      };
    },
  }),
  route({
    method: "PUT",
    path: "/retrieval/reimport_imaging_project_studies/{project_id}",
    tag,
    name: "reimport_imaging_project_studies",
    summary: "Reimport Imaging Project Studies",
    status: 202,
    params,
    query,
    answer: schemas.Reimport,
    async handle(input, { services, tasks }) {
      if (!services.settings.mayReimport) throw new HttpError(418, "Reimport studies feature is not enabled");
      if (input.query.encoded_query === "") throw new HttpError(400, "Query must not be empty");
      const { project_id: projectId } = input.path;
      await tasks.add(projectId, { isRetry: true, query: decodedQuery(input.query.encoded_query) });
      return { message: "Reimport queued", projectId };
    },
  }),
];

/** base64url with or without padding. What is no such text is the original's unforeseen error. */
function decodedQuery(encoded: string): string {
  const digits = encoded.replaceAll(/[^A-Za-z0-9_-]/g, "");
  if (digits.length % 4 === 1) throw new GatewayError("INTERNAL", { what: "query" });
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(digits, "base64url"));
  } catch {
    throw new GatewayError("INTERNAL", { what: "query" });
  }
}
