import { realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import { type FileNaming, type ResultFile, resultFilesIn, uploadFolderOf } from "../../delivery/results/local-files.ts";
import { uploadResults } from "../../delivery/results/upload-results.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { HttpError as TransportError } from "../../network/http-client/http-error.ts";
import { type ResourcePath, resourcePath } from "../../network/rest/xnat/files.ts";
import { xnatFilePath, xnatPath } from "../../network/rest/xnat/paths.ts";
import { isMissing } from "../../units/durable-files.ts";
import { AlreadyExistsError, FileNotFoundError, HttpError, PathTraversalError } from "./errors.ts";
import { getExperiment, projectOfHub, subjectOfExperiment } from "./projects.ts";
import type { Xnat } from "./xnat.ts";

export interface UploadRequest extends FileNaming {
  readonly centralHubProjectId: string;
  readonly accessionId: string;
  readonly netId: string;
  readonly scanId: string;
  readonly resourceId: string;
  /** Below the net's folder for uploads. */
  readonly filesRelativePathsToUpload: readonly string[];
  /** A file of the same name is replaced; else that is an error, before anything is sent. */
  readonly existOk: boolean;
}

export interface UploadServices {
  readonly imagesFolder: string;
  readonly xnat: Xnat;
  readonly signal: AbortSignal;
}

/** Where in XNAT something is, by names. */
export interface ScanPlace {
  readonly projectId: string;
  readonly subjectId: string;
  readonly experimentIdOrLabel: string;
  readonly scanId: string;
}

/**
 * Puts what a net's training wrote into a resource of a session's scan. All local names are looked at before XNAT is asked anything.
 * @throws PathTraversalError, FileNotFoundError, AlreadyExistsError; HttpError 400, 404, 500; GatewayError of the exchange
 * @returns the addresses of the files, in order
 */
export async function uploadForNet(services: UploadServices, request: UploadRequest): Promise<readonly string[]> {
  const { xnat, signal } = services;
  const { centralHubProjectId, accessionId, scanId, resourceId, existOk, filesRelativePathsToUpload: paths } = request;
  const folder = await uploadFolderOf(services.imagesFolder, request.netId).catch((thrown: unknown) => {
    if (!(thrown instanceof GatewayError)) throw thrown;
    throw new PathTraversalError(`Path traversal detected in net ID: ${request.netId}`);
  });
  const files = await resultFilesIn(folder, paths, request).catch((thrown: unknown) => {
    throw localFailure(thrown, paths);
  });
  const project = await projectOfHub(xnat, centralHubProjectId, signal);
  const session = await getExperiment(xnat, project.ID, accessionId, signal);
  const place = {
    projectId: project.ID,
    subjectId: subjectOfExperiment(session),
    experimentIdOrLabel: accessionId,
    scanId,
  };
  return await uploadTo({ xnat, signal }, { place, resourceId, files, existOk });
}

/** One file, wherever it is. @throws as `uploadForNet` @returns its address */
export async function uploadOne(
  services: Pick<UploadServices, "xnat" | "signal">,
  upload: {
    readonly place: ScanPlace;
    readonly resourceId: string;
    readonly filePath: string;
    readonly existOk: boolean;
  },
): Promise<string> {
  const { filePath, ...target } = upload;
  const facts = await stat(filePath).catch((thrown: unknown) => {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  });
  if (facts?.isFile() !== true) throw new FileNotFoundError(`File not found: ${filePath}`);
  const file = { path: await realpath(filePath), name: basename(filePath), sizeBytes: facts.size };
  const [url = ""] = await uploadTo(services, { ...target, files: [file] });
  return url;
}

interface Upload {
  readonly place: ScanPlace;
  readonly resourceId: string;
  readonly files: readonly ResultFile[];
  readonly existOk: boolean;
}

async function uploadTo(
  { xnat, signal }: Pick<UploadServices, "xnat" | "signal">,
  { place, resourceId, files, existOk }: Upload,
): Promise<readonly string[]> {
  const { projectId, experimentIdOrLabel, scanId } = place;
  const target = { project: projectId, session: experimentIdOrLabel, of: { scan: scanId }, resource: resourceId };
  await uploadResults(xnat.http, target, files, { existOk }, signal).catch((thrown: unknown) => {
    throw remoteFailure(thrown, files);
  });
  const resource = resourcePathOf(place, resourceId);
  return files.map(
    ({ name }) => `${xnat.url.replace(/\/+$/, "")}/${xnatFilePath(`${resource}/files`, name)}?inbody=true`,
  );
}

export function sessionPath({ projectId, subjectId, experimentIdOrLabel }: Omit<ScanPlace, "scanId">): string {
  return xnatPath("data", "projects", projectId, "subjects", subjectId, "experiments", experimentIdOrLabel);
}

export function resourcePathOf(place: ScanPlace, resourceId: string): ResourcePath {
  return resourcePath(xnatPath(`${sessionPath(place)}/scans`, place.scanId), resourceId);
}

/** What the layer below names by position, in the words of the original. */
function localFailure(thrown: unknown, paths: readonly string[]): unknown {
  if (!(thrown instanceof GatewayError)) return thrown;
  const path = paths[Number(thrown.details.position) - 1] ?? "";
  if (thrown.code === "XNAT_FILE_MISSING") return new FileNotFoundError(`File not found: ${path}`);
  if (thrown.code !== "XNAT_NAME_UNSAFE") return thrown;
  return thrown.details.problem === undefined
    ? new PathTraversalError(`Path traversal detected in file path: ${path}`)
    : new HttpError(400, `Two files have the same name: ${basename(path)}`, { code: thrown.code, cause: thrown });
}

const UNPROVEN: ReadonlySet<string> = new Set(["XNAT_FILE_NOT_WRITTEN", "XNAT_FILE_UNCONFIRMED"]);

function remoteFailure(thrown: unknown, files: readonly ResultFile[]): unknown {
  if (!(thrown instanceof GatewayError)) return thrown;
  const name = files[Number(thrown.details.position) - 1]?.name ?? "";
  if (thrown.code === "XNAT_FILE_EXISTS") return new AlreadyExistsError(`File already exists: ${name}`, thrown);
  const facts = { code: thrown.code, cause: thrown };
  if (UNPROVEN.has(thrown.code)) return new HttpError(500, `Error uploading file ${name}: XNAT did not keep it`, facts);
  const status = thrown instanceof TransportError ? thrown.status : undefined;
  if (status === undefined) return thrown;
  const { step } = thrown.details;
  const what =
    step === "scan" || step === "resource"
      ? `creating ${step}`
      : name === ""
        ? "uploading files"
        : `uploading file ${name}`;
  return new HttpError(500, `Error ${what}: ${status}`, facts);
}
