import { GatewayError } from "../../errors/gateway-error.ts";
import { type AccessionStatus, bucketsOf, type ImportStatus } from "./buckets.ts";
import { CohortRefusedError, className, HttpError } from "./errors.ts";
import { importStatuses, type RetrievalRequest, type RetrievalServices } from "./retrieval.ts";

type StatusRequest = Pick<RetrievalRequest, "xnat" | "projectId" | "query" | "signal">;

/** FLIP's five lists. @throws HttpError 403, 404, 500 */
export async function getImportStatus(services: RetrievalServices, request: StatusRequest): Promise<ImportStatus> {
  return bucketsOf(await getAccessionStatuses(services, request));
}

/** What became of each accession number, with reasons. @throws HttpError 403, 404, 500 */
export async function getAccessionStatuses(
  services: RetrievalServices,
  request: StatusRequest,
): Promise<readonly AccessionStatus[]> {
  try {
    return await importStatuses(services, request);
  } catch (thrown) {
    throw statusFailure(thrown);
  }
}

const REFUSED =
  "Cohort is below the trust's minimum size, so its accession IDs cannot be released and import status cannot be reported.";

function statusFailure(thrown: unknown): unknown {
  if (thrown instanceof CohortRefusedError) {
    const detail = thrown.detail === "" ? REFUSED : `Import status cannot be reported: ${thrown.detail}`;
    return new HttpError(403, detail, { code: thrown.code, cause: thrown });
  }
  if (thrown instanceof HttpError) {
    return thrown.code === "FLIP_PROJECT_NOT_FOUND"
      ? new HttpError(404, "Project not found", { code: thrown.code })
      : thrown;
  }
  // The class alone: it tells an operator where to look, and quotes nothing.
  const code = thrown instanceof GatewayError ? thrown.code : "INTERNAL";
  return new HttpError(500, `Import status cannot be read (${className(thrown)})`, { code, cause: thrown });
}
