import type { Environment } from "../../config/settings-file.ts";
import { listResources, putResource } from "../../network/rest/xnat/files.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import { ensureScan } from "../../network/rest/xnat/scans.ts";
import { neverAborted } from "../../units/abort.ts";
import type { AccessionStatus, ImportStatus } from "./buckets.ts";
import { bucketsOf } from "./buckets.ts";
import { type Completeness, checkCompleteness } from "./completeness.ts";
import { AlreadyExistsError, HttpError, internalError } from "./errors.ts";
import { createImageFiles } from "./image-files.ts";
import { getExperiment, sessionTypeOfExperiment } from "./projects.ts";
import { type RetrievalReport, retrieve } from "./retrieval.ts";
import { type FlipServices, type FlipWorld, openFlipServices } from "./services.ts";
import { readFlipSettings } from "./settings.ts";
import { getAccessionStatuses } from "./status.ts";
import { resourcePathOf, type ScanPlace, sessionPath, type UploadRequest, uploadForNet, uploadOne } from "./upload.ts";
import type { XnatAuthHeaders } from "./xnat.ts";

type WithHeaders = { readonly headers?: XnatAuthHeaders | undefined };

/**
 * FLIP's functions under their own names. `headers` are those of an XNAT session that the caller has; without them the service user's
 * session is used. Whatever goes wrong is an `HttpError` with FLIP's status and detail, or one of its subclasses.
 */
export interface FlipImaging extends AsyncDisposable {
  /** Has XNAT draw a project's cohort from its PACS: true when all that could be asked for is queued. */
  retrieveImagesForProject(projectId: string, query: string, headers?: XnatAuthHeaders): Promise<boolean>;
  /** Accession numbers by what became of them. */
  getImportStatus(projectId: string, query: string, headers?: XnatAuthHeaders): Promise<ImportStatus>;
  /** Asks again for what failed, and for nothing that is queued or on its way: true when nothing failed, or all of it is queued. */
  retryRetrieveImagesForProject(projectId: string, query: string, headers?: XnatAuthHeaders): Promise<boolean>;
  /** The addresses of the files. @throws PathTraversalError, FileNotFoundError, AlreadyExistsError, HttpError */
  uploadDataToXnat(request: UploadRequest & WithHeaders): Promise<string[]>;
  /** Creates the scan if it is absent, of the type that fits its session. */
  createXnatScan(request: ScanPlace & WithHeaders): Promise<void>;
  /** @throws AlreadyExistsError */
  createXnatResource(request: ScanPlace & WithHeaders & { readonly resourceId: string }): Promise<void>;
  /** True exactly when XNAT answers 200; the file itself is not read. */
  checkFileExistsInXnat(checkUrl: string, headers?: XnatAuthHeaders): Promise<boolean>;
  /** The address of the file. @throws FileNotFoundError, AlreadyExistsError when it is there and `existOk` is false */
  uploadFileToXnat(
    request: ScanPlace &
      WithHeaders & { readonly resourceId: string; readonly filePath: string; readonly existOk?: boolean },
  ): Promise<string>;
  /** As the two retrievals, with what was done and why not. */
  requestRetrieval(projectId: string, query: string, options?: RetrievalOptions): Promise<RetrievalReport>;
  /** As `getImportStatus`, with reasons; the lists follow from it. */
  explainImportStatus(projectId: string, query: string, headers?: XnatAuthHeaders): Promise<ExplainedStatus>;
  /** Compares what XNAT has of the successful ones with what the PACS counts. */
  checkCompleteness(
    projectId: string,
    accessions: readonly string[],
    headers?: XnatAuthHeaders,
  ): Promise<readonly Completeness[]>;
}

export interface RetrievalOptions extends WithHeaders {
  readonly isRetry?: boolean;
  readonly signal?: AbortSignal;
}

export interface ExplainedStatus extends ImportStatus {
  readonly accessions: readonly AccessionStatus[];
}

/** @param settings by FLIP's environment names. @throws SettingsError with every problem of the settings */
export function createFlipImaging(settings: Environment, world: FlipWorld = {}): FlipImaging {
  return flipImagingOver(openFlipServices(readFlipSettings(settings), world));
}

function flipImagingOver(services: FlipServices): FlipImaging {
  const { sessions } = services;
  const signal = neverAborted();
  const retrieval = (projectId: string, query: string, options: RetrievalOptions = {}): Promise<RetrievalReport> =>
    flipErrors(() => {
      const { isRetry = false, signal: stop = signal } = options;
      const xnat = sessions.as(options.headers);
      const request = { xnat, projectId, query, isRetry, signal: stop };
      return services.alone(projectId, stop, () => retrieve(services, request));
    });
  const explain = (projectId: string, query: string, headers?: XnatAuthHeaders): Promise<ExplainedStatus> =>
    flipErrors(async () => {
      const request = { xnat: sessions.as(headers), projectId, query, signal };
      const accessions = await getAccessionStatuses(services, request);
      return { ...bucketsOf(accessions), accessions };
    });
  return {
    requestRetrieval: retrieval,
    explainImportStatus: explain,
    checkCompleteness: (projectId, accessions, headers) =>
      flipErrors(() => checkCompleteness(services, { xnat: sessions.as(headers), projectId, signal }, accessions)),
    retrieveImagesForProject: async (projectId, query, headers) =>
      (await retrieval(projectId, query, { headers })).queued,
    retryRetrieveImagesForProject: async (projectId, query, headers) =>
      (await retrieval(projectId, query, { headers, isRetry: true })).queued,
    async getImportStatus(projectId, query, headers) {
      const { accessions: _, ...lists } = await explain(projectId, query, headers);
      return lists;
    },
    ...uploadsOver(services),
    [Symbol.asyncDispose]: () => services[Symbol.asyncDispose](),
  };
}

type Uploads = Pick<
  FlipImaging,
  "uploadDataToXnat" | "createXnatScan" | "createXnatResource" | "checkFileExistsInXnat" | "uploadFileToXnat"
>;

function uploadsOver({ sessions, settings, logger }: FlipServices): Uploads {
  const signal = neverAborted();
  const { imagesFolder } = settings;
  return {
    uploadDataToXnat: ({ headers, ...request }) =>
      flipErrors(async () => {
        const urls = await uploadForNet({ imagesFolder, xnat: sessions.as(headers), signal }, request);
        await createImageFiles(imagesFolder, logger).forget(request.centralHubProjectId, request.accessionId);
        return [...urls];
      }),
    createXnatScan: ({ headers, ...place }) =>
      flipErrors(async () => {
        const xnat = sessions.as(headers);
        const session = await getExperiment(xnat, place.projectId, place.experimentIdOrLabel, signal);
        const xsiType = sessionTypeOfExperiment(session);
        await ensureScan(xnat.http, { path: sessionPath(place), xsiType }, place.scanId, signal);
      }),
    createXnatResource: ({ headers, resourceId, ...place }) =>
      flipErrors(async () => {
        const { http } = sessions.as(headers);
        const owner = xnatPath(`${sessionPath(place)}/scans`, place.scanId);
        // Some versions answer 200 for one that is there.
        const isThere = (await listResources(http, owner, signal)).includes(resourceId);
        const made = isThere ? "exists" : await putResource(http, resourcePathOf(place, resourceId), signal);
        if (made === "exists") throw new AlreadyExistsError(`Resource already exists: ${resourceId}`);
      }),
    checkFileExistsInXnat: (checkUrl, headers) =>
      flipErrors(async () => {
        await using response = await sessions
          .as(headers)
          .http.request({ path: checkUrl, accepts: () => true, bulk: true, signal });
        return response.status === 200;
      }),
    uploadFileToXnat: ({ headers, resourceId, filePath, existOk = false, ...place }) =>
      flipErrors(() => {
        const upload = { place, resourceId, filePath, existOk };
        return uploadOne({ xnat: sessions.as(headers), signal }, upload);
      }),
  };
}

/** @throws HttpError for whatever went wrong */
async function flipErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw thrown instanceof HttpError ? thrown : internalError(thrown);
  }
}
