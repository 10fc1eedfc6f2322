import { constants, createWriteStream } from "node:fs";
import { readdir, realpath, rm, writeFile } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { GatewayError } from "../../errors/gateway-error.ts";
import { HttpError as TransportError } from "../../network/http-client/http-error.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import { isThere, systemCodeOf } from "../../units/durable-files.ts";
import type { Logger } from "../../units/logger.ts";
import { makeFolders } from "../../units/make-folders.ts";
import { createSemaphore, type Semaphore } from "../../units/semaphore.ts";
import { className, HttpError } from "./errors.ts";
import { getExperiment, projectOfHub, subjectOfExperiment } from "./projects.ts";
import { unzip } from "./unzip.ts";
import type { Xnat } from "./xnat.ts";

export type AssessorType = "scan" | "assessor";
export type ResourceType = "NIFTI" | "DICOM" | "SEG" | "ALL";

export interface DownloadRequest {
  readonly xnat: Xnat;
  readonly hubProjectId: string;
  readonly accession: string;
  readonly netId: string;
  readonly assessorType: AssessorType;
  readonly resourceType: ResourceType;
  readonly forceRefresh: boolean;
  readonly signal: AbortSignal;
}

/** Images of sessions on the local disk, by net, project and accession number; what was fetched whole is not fetched again. */
export interface ImageFiles {
  /** The folder that holds them. @throws HttpError 400, 404, 500 */
  download(request: DownloadRequest): Promise<string>;
  /** What was fetched of a session is no longer all of it: in every net. */
  forget(hubProjectId: string, accession: string): Promise<void>;
}

/** Written last: it says that all of a kind is there, and when it was asked for last. */
export const SENTINEL = ".flip_complete-";
/** There while a kind is fetched: the mark of another kind may be old, and its folder is left alone all the same. */
export const FETCHING = ".flip_fetching-";
/** Makes no file. open(2) */
const MARK_AGAIN = constants.O_WRONLY | constants.O_TRUNC;

/** One that runs: what it fetches was out of date before it came when the session is forgotten meanwhile. */
interface Fetching {
  readonly of: Pick<DownloadRequest, "hubProjectId" | "accession">;
  isStale: boolean;
}

export function createImageFiles(folder: string, logger: Logger): ImageFiles {
  const turns = new Map<string, Semaphore>();
  const underWay = new Set<Fetching>();
  const fetchWhole = async (request: DownloadRequest, sessionFolder: string, kind: string): Promise<void> => {
    const sentinel = join(sessionFolder, SENTINEL + kind);
    const mark = join(sessionFolder, FETCHING + kind);
    const fetching: Fetching = { of: request, isStale: false };
    underWay.add(fetching);
    try {
      await orStorageError(() => writeFile(mark, ""));
      await orStorageError(() => rm(sentinel, { force: true }));
      await fetchImages(request, sessionFolder);
      await orStorageError(() => writeFile(sentinel, ""));
      if (fetching.isStale) await orStorageError(() => rm(sentinel, { force: true }));
    } finally {
      underWay.delete(fetching);
      await rm(mark, { force: true }).catch(() => undefined);
    }
  };
  return {
    async download(request) {
      const sessionFolder = await sessionFolderOf(folder, request);
      const { assessorType, resourceType, forceRefresh, signal } = request;
      const kind = `${assessorType}-${resourceType}`;
      const sentinel = join(sessionFolder, SENTINEL + kind);
      const turn = turns.get(sessionFolder) ?? createSemaphore(1);
      turns.set(sessionFolder, turn);
      try {
        using _ = await turn.acquire(signal);
        if (!forceRefresh && (await isThere(sentinel))) {
          // What is used is not swept; where it cannot be marked it is there all the same, and what was forgotten just now stays so.
          await writeFile(sentinel, "", { flag: MARK_AGAIN }).catch(() => undefined);
          return sessionFolder;
        }
        await fetchWhole(request, sessionFolder, kind);
        return sessionFolder;
      } finally {
        if (turn.inUse === 0 && turn.waiting === 0) turns.delete(sessionFolder);
      }
    },
    async forget(hubProjectId, accession) {
      for (const fetching of underWay)
        fetching.isStale ||= fetching.of.hubProjectId === hubProjectId && fetching.of.accession === accession;
      try {
        for (const net of await readdir(folder)) {
          const session = join(folder, net, hubProjectId, accession);
          for (const name of await readdir(session).catch(() => []))
            if (name.startsWith(SENTINEL)) await rm(join(session, name), { force: true });
        }
      } catch (thrown) {
        logger.warn("downloads that are out of date could not be marked", { reason: systemCodeOf(thrown) });
      }
    },
  };
}

/** @throws HttpError 400 when the net leads out of the folder for images */
async function sessionFolderOf(folder: string, { netId, hubProjectId, accession }: DownloadRequest): Promise<string> {
  const base = await orStorageError(async () => {
    await makeFolders(folder);
    return await realpath(folder);
  });
  const netFolder = resolve(base, netId);
  if (!netFolder.startsWith(base + sep) || netId.includes("\0"))
    throw new HttpError(400, `Invalid download request: Path traversal detected in net ID: ${netId}`, {
      code: "FLIP_DOWNLOAD_INVALID",
    });
  const sessionFolder = resolve(netFolder, hubProjectId, accession);
  if (!sessionFolder.startsWith(netFolder + sep))
    throw new HttpError(400, "Invalid download request: Path traversal detected in project ID", {
      code: "FLIP_DOWNLOAD_INVALID",
    });
  await orStorageError(async () => {
    await makeFolders(sessionFolder);
    // A link may lead out of it, though its name does not.
    if (!(await realpath(sessionFolder)).startsWith(base + sep)) throw new GatewayError("FLIP_DOWNLOAD_INVALID");
  });
  return sessionFolder;
}

async function fetchImages(request: DownloadRequest, sessionFolder: string): Promise<void> {
  const { xnat, accession, assessorType, resourceType, signal } = request;
  const { path } = await addressOf(request).catch((thrown: unknown) => {
    if (thrown instanceof HttpError && thrown.status === 404)
      throw new HttpError(404, `Resource not found: ${thrown.detail}`, { code: thrown.code });
    throw downloadFailure(thrown);
  });
  const zip = join(sessionFolder, "..", `${accession}-${assessorType}s-${resourceType}.zip`);
  try {
    await using response = await xnat
      .open({ path, query: { format: "zip" }, bulk: true, signal })
      .catch((thrown: unknown) => {
        const isNothing = thrown instanceof TransportError && thrown.status === 404;
        throw isNothing
          ? new HttpError(404, `Resource not found: 404: No ${resourceType} data in XNAT under this accession number`)
          : downloadFailure(thrown);
      });
    await orStorageError(() => pipeline(response.body, createWriteStream(zip), { signal }));
    const place = (name: string): string =>
      name.startsWith(`${accession}/`) ? name.slice(accession.length + 1) : name;
    await orStorageError(() => unzip(zip, sessionFolder, { place, signal }));
  } finally {
    await rm(zip, { force: true }).catch(() => undefined);
  }
}

async function addressOf({ xnat, hubProjectId, accession, assessorType, resourceType, signal }: DownloadRequest) {
  const project = await projectOfHub(xnat, hubProjectId, signal);
  const subject = subjectOfExperiment(await getExperiment(xnat, project.ID, accession, signal));
  const session = ["projects", project.ID, "subjects", subject, "experiments", accession] as const;
  // XNAT has no resource of the name ALL: without a resource it gives the files of all.
  const kind = resourceType === "ALL" ? ["files"] : ["resources", resourceType, "files"];
  return { path: xnatPath("data", ...session, `${assessorType}s`, "ALL", ...kind) };
}

function downloadFailure(thrown: unknown): HttpError {
  if (thrown instanceof HttpError && thrown.status !== 500) return thrown;
  const code = thrown instanceof GatewayError ? thrown.code : "INTERNAL";
  const detail = `Failed to download and unzip images: ${className(thrown)}`;
  return new HttpError(500, detail, { code, cause: thrown });
}

/** Errors of the file system are this machine's; others stay what they are. @throws HttpError 500 */
async function orStorageError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    if (thrown instanceof GatewayError || code === undefined || !/^E[A-Z]+$/.test(code)) throw downloadFailure(thrown);
    throw new HttpError(500, `Trust-side storage error: ${code}`, { code: "FLIP_STORAGE_FAILED", cause: thrown });
  }
}
