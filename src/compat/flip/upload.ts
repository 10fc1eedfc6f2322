import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { HttpError as TransportError } from "../../network/http-client/http-error.ts";
import {
  listFiles,
  putFile,
  putResource,
  type ResourcePath,
  resourcePath,
  type XnatFile,
} from "../../network/rest/xnat/files.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import { ensureScan } from "../../network/rest/xnat/scans.ts";
import { isMissing } from "../../units/durable-files.ts";
import { AlreadyExistsError, FileNotFoundError, HttpError, notFound, PathTraversalError } from "./errors.ts";
import { getExperiment, projectOfHub, sessionTypeOfExperiment, subjectOfExperiment } from "./projects.ts";
import type { Xnat } from "./xnat.ts";

export interface UploadRequest {
  readonly centralHubProjectId: string;
  readonly accessionId: string;
  readonly netId: string;
  readonly scanId: string;
  readonly resourceId: string;
  /** Below the net's folder for uploads. */
  readonly filesRelativePathsToUpload: readonly string[];
  /** A file of the same name is replaced; else that is an error, before anything is sent. */
  readonly existOk: boolean;
  /** Sub-folders are kept below the resource; else only names are, as in the original. @default false */
  readonly keepFolders?: boolean;
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

interface LocalFile {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
}

const UPLOADS = "upload";

/**
 * Puts files into a resource of a session's scan, each proven by what XNAT lists afterwards. All local names are looked at before XNAT is
 * asked anything.
 * @throws PathTraversalError, FileNotFoundError, AlreadyExistsError; HttpError 404, 500; GatewayError of the exchange
 * @returns the addresses of the files, in order
 */
export async function uploadResults(services: UploadServices, request: UploadRequest): Promise<readonly string[]> {
  const { xnat, signal } = services;
  const { centralHubProjectId, accessionId, scanId, resourceId, existOk } = request;
  const files = await localFiles(services.imagesFolder, request);
  const project = await projectOfHub(xnat, centralHubProjectId, signal);
  const session = await getExperiment(xnat, project.ID, accessionId, signal);
  const place = {
    projectId: project.ID,
    subjectId: subjectOfExperiment(session),
    experimentIdOrLabel: accessionId,
    scanId,
  };
  const xsiType = sessionTypeOfExperiment(session);
  await named("Error creating scan", () =>
    ensureScan(xnat.http, { path: sessionPath(place), xsiType }, scanId, signal),
  );
  const resource = resourcePathOf(place, resourceId);
  await named("Error creating resource", () => putResource(xnat.http, resource, signal));
  if (files.length === 0) return [];
  const there = new Set((await listed(xnat, resource, signal)).map(({ path }) => path));
  const taken = files.find(({ name }) => there.has(name));
  if (taken !== undefined && !existOk) throw new AlreadyExistsError(`File already exists: ${taken.name}`);
  const sums = new Map<string, string>();
  for (const file of files) sums.set(file.name, await send({ xnat, resource, signal }, file, existOk));
  const now = new Map((await listed(xnat, resource, signal)).map((file) => [file.path, file]));
  for (const { name, sizeBytes } of files) prove(name, now.get(name), { sizeBytes, md5: sums.get(name) });
  return files.map(({ name }) => urlOf(xnat, resource, name));
}

export function sessionPath({ projectId, subjectId, experimentIdOrLabel }: Omit<ScanPlace, "scanId">): string {
  return xnatPath("data", "projects", projectId, "subjects", subjectId, "experiments", experimentIdOrLabel);
}

export function resourcePathOf(place: ScanPlace, resourceId: string): ResourcePath {
  return resourcePath(xnatPath(`${sessionPath(place)}/scans`, place.scanId), resourceId);
}

export function urlOf({ url }: Xnat, resource: ResourcePath, name: string): string {
  return `${url.replace(/\/+$/, "")}/${resource}/files/${name.split("/").map(encodeURIComponent).join("/")}?inbody=true`;
}

/** One file. @throws as `uploadResults` @returns its MD5 */
export async function uploadOne(
  { xnat, resource, signal }: { readonly xnat: Xnat; readonly resource: ResourcePath; readonly signal: AbortSignal },
  path: string,
  existOk: boolean,
): Promise<string> {
  const file = await localFile(path, basename(path));
  const isThere = (await listed(xnat, resource, signal)).some((each) => each.path === file.name);
  if (isThere && !existOk) throw new AlreadyExistsError(`File already exists: ${file.name}`);
  const md5 = await send({ xnat, resource, signal }, file, existOk);
  const now = (await listed(xnat, resource, signal)).find((each) => each.path === file.name);
  prove(file.name, now, { sizeBytes: file.sizeBytes, md5 });
  return urlOf(xnat, resource, file.name);
}

async function listed(xnat: Xnat, resource: ResourcePath, signal: AbortSignal): Promise<readonly XnatFile[]> {
  const files = await listFiles(xnat.http, resource, signal);
  if (files === undefined) throw notFound("Resource not found in XNAT");
  return files;
}

async function send(
  { xnat, resource, signal }: { readonly xnat: Xnat; readonly resource: ResourcePath; readonly signal: AbortSignal },
  { path, name, sizeBytes }: LocalFile,
  overwrite: boolean,
): Promise<string> {
  let sum = createHash("md5");
  async function* read(): AsyncGenerator<Uint8Array> {
    sum = createHash("md5");
    for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      sum.update(piece);
      yield piece;
    }
  }
  const upload = { path: name, sizeBytes, read, overwrite };
  const answer = await named(`Error uploading file ${name}`, () => putFile(xnat.http, resource, upload, signal));
  if (answer === "kept") throw new AlreadyExistsError(`File already exists: ${name}`);
  return sum.digest("hex");
}

/** A refusal of XNAT's in FLIP's words. @throws HttpError 500 */
async function named<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const status = thrown instanceof TransportError ? thrown.status : undefined;
    if (status === undefined) throw thrown;
    throw new HttpError(500, `${what}: ${status}`, { code: codeOf(thrown), cause: thrown });
  }
}

function codeOf(thrown: unknown): ErrorCode | undefined {
  return thrown instanceof GatewayError ? thrown.code : undefined;
}

/** XNAT answers 200 too where it wrote nothing. */
function prove(
  name: string,
  file: XnatFile | undefined,
  { sizeBytes, md5 }: { readonly sizeBytes: number; readonly md5: string | undefined },
): void {
  const isSame = file?.sizeBytes === sizeBytes && (file.md5 === undefined || file.md5 === md5);
  if (isSame) return;
  const what = file === undefined ? "XNAT does not list it" : "XNAT lists it with another size or sum";
  throw new HttpError(500, `Error uploading file ${name}: ${what}`, { code: "FLIP_UPLOAD_UNPROVEN" });
}

async function localFiles(
  imagesFolder: string,
  { netId, filesRelativePathsToUpload, keepFolders = false }: UploadRequest,
): Promise<readonly LocalFile[]> {
  const base = await realPlace(resolve(imagesFolder));
  const folder = await realPlace(join(base, netId, UPLOADS));
  if (!folder.startsWith(base + sep) || !resolve(base, netId).startsWith(base + sep) || netId.includes("\0"))
    throw new PathTraversalError(`Path traversal detected in net ID: ${netId}`);
  const paths = await Promise.all(
    filesRelativePathsToUpload.map(async (path) => {
      const place = path.includes("\0") ? base : await realPlace(resolve(folder, path));
      if (!place.startsWith(folder + sep))
        throw new PathTraversalError(`Path traversal detected in file path: ${path}`);
      return { path, place };
    }),
  );
  const files: LocalFile[] = [];
  for (const { path, place } of paths) {
    const name = keepFolders
      ? place
          .slice(folder.length + 1)
          .split(sep)
          .join("/")
      : basename(path);
    files.push(await localFile(place, name));
  }
  const names = files.map(({ name }) => name);
  // Only names survive: one would replace the other.
  if (new Set(names).size !== names.length) throw new HttpError(400, "Two files have the same name");
  return files;
}

async function localFile(path: string, name: string): Promise<LocalFile> {
  const facts = await stat(path).catch((thrown: unknown) => {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  });
  if (facts?.isFile() !== true) throw new FileNotFoundError(`File not found: ${path}`);
  return { path, name, sizeBytes: facts.size };
}

/** With all links followed, as far as there is something. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (thrown) {
    const parent = dirname(path);
    if (!isMissing(thrown) || parent === path) throw thrown;
    return join(await realPlace(parent), basename(path));
  }
}
