import { z } from "zod";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { laxBoolean } from "../../fastapi/validation.ts";
import { EnvelopeError } from "../envelope.ts";
import { className, HttpError } from "../errors.ts";
import { uploadForNet } from "../upload.ts";
import { type Route, type RouteContext, route } from "./route.ts";
import { schemas, type UploadDataRequest } from "./schemas.ts";

const params = z.object({ net_id: z.string() });

export const transferRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/download/images/{net_id}",
    tag: "Download",
    name: "download_images_by_accession_number",
    summary: "Download XNAT Data",
    params,
    query: z.object({
      assessor_type: z.enum(["scan", "assessor"]).default("scan"),
      resource_type: z.enum(["DICOM", "NIFTI", "SEG", "ALL"]).default("NIFTI"),
      force_refresh: laxBoolean.default(false),
    }),
    body: schemas.DownloadImagesRequestData,
    answer: schemas.DownloadImagesResponse,
    async handle({ path, query, body }, { services, files, xnat, signal }) {
      const hubProjectId = openedProject(services, body.encrypted_central_hub_project_id);
      const folder = await files.download({
        xnat,
        hubProjectId,
        accession: body.accession_id,
        netId: path.net_id,
        assessorType: query.assessor_type,
        resourceType: query.resource_type,
        forceRefresh: query.force_refresh,
        signal,
      });
      return { path: folder };
    },
  }),
  route({
    method: "PUT",
    path: "/upload/images/{net_id}",
    tag: "Upload",
    name: "upload_data",
    summary: "Upload data to XNAT",
    params,
    body: schemas.UploadDataRequest,
    answer: z.array(z.string()),
    handle: ({ path, body }, context) => upload(path.net_id, body, context),
  }),
];

async function upload(
  netId: string,
  body: UploadDataRequest,
  { services, files, xnat, signal }: RouteContext,
): Promise<readonly string[]> {
  const hubProjectId = openedProject(services, body.encrypted_central_hub_project_id);
  try {
    const urls = await uploadForNet(
      { imagesFolder: services.settings.imagesFolder, xnat, signal },
      {
        centralHubProjectId: hubProjectId,
        accessionId: body.accession_id,
        netId,
        scanId: body.scan_id,
        resourceId: body.resource_id,
        filesRelativePathsToUpload: body.files,
        existOk: body.exist_ok,
      },
    );
    await files.forget(hubProjectId, body.accession_id);
    return urls;
  } catch (thrown) {
    throw uploadFailure(thrown);
  }
}

function uploadFailure(thrown: unknown): HttpError {
  const code = thrown instanceof GatewayError ? thrown.code : "INTERNAL";
  const detail = thrown instanceof HttpError ? thrown.detail : className(thrown);
  const status = thrown instanceof HttpError ? thrown.status : 500;
  const facts = { code, cause: thrown };
  if (status === 404) return new HttpError(404, `Resource not found: ${detail}`, facts);
  if (status === 400) return new HttpError(400, `Invalid upload request: ${detail}`, facts);
  return new HttpError(500, `Failed to upload files: ${detail}`, facts);
}

/** @throws HttpError 400 for what the caller sent, 500 for what is wrong here */
function openedProject({ envelopes }: RouteContext["services"], sealed: string): string {
  try {
    return envelopes.open(sealed, "project_id");
  } catch (thrown) {
    if (!(thrown instanceof EnvelopeError)) {
      throw new HttpError(500, `Failed to decrypt Central Hub project id (${className(thrown)})`, { cause: thrown });
    }
    const detail =
      thrown.code === "FLIP_ENVELOPE_UNAUTHENTIC"
        ? "Central Hub project id failed authentication"
        : `Central Hub project id is not a valid envelope: ${thrown.reason}`;
    throw new HttpError(400, detail, { code: thrown.code, cause: thrown });
  }
}
