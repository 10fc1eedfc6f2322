import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type ErrorDetails, GatewayError } from "../../errors/gateway-error.ts";
import { HttpError } from "../../network/http-client/http-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import {
  fileBytes,
  listFiles,
  putFile,
  putResource,
  type ResourcePath,
  resourcePath,
  type XnatFile,
} from "../../network/rest/xnat/files.ts";
import { xnatFilePath, xnatPath } from "../../network/rest/xnat/paths.ts";
import { ensureScan } from "../../network/rest/xnat/scans.ts";
import { isNotFound, requireSession, type XnatSession } from "../../network/rest/xnat/sessions.ts";
import type { ResultFile } from "./local-files.ts";

/** Where results go: a resource of a scan, of an assessor, or of the session itself. */
export interface ResultTarget {
  /** Id of the XNAT project. */
  readonly project: string;
  /** Label of the session, an accession number often, or its id. */
  readonly session: string;
  /** A scan is made when the session has none of this id, with a type that fits the session. */
  readonly of: { readonly scan: string } | { readonly assessor: string } | "session";
  /** Label of the resource; it is made when it is not there. */
  readonly resource: string;
}

export interface UploadOptions {
  /** Whether a file of the same name may be replaced; else it is an error before anything is sent. */
  readonly existOk: boolean;
}

/** What became of one file, each of which XNAT now lists with its size and sum. */
export interface UploadedResult {
  readonly name: string;
  readonly sizeBytes: number;
  readonly md5: string;
  /** `unchanged`: the same was there, and was not sent. */
  readonly outcome: "stored" | "replaced" | "unchanged";
  /** Of the file, below the site. */
  readonly address: string;
}

const READ_BYTES = 1024 * 1024;

/**
 * Puts files into a resource, streaming, each proven by what XNAT lists afterwards: a 200 alone is none. Names are looked at before
 * anything is asked, and what is there before anything is sent; what was sent before a failure stays.
 * @throws GatewayError XNAT_NAME_UNSAFE, XNAT_SESSION_MISSING, XNAT_FILE_EXISTS, XNAT_FILE_NOT_WRITTEN, XNAT_FILE_UNCONFIRMED, …
 * @throws HttpError with `position`, of the file, or with `step`: "scan" or "resource", where XNAT refused one of these
 */
export async function uploadResults(
  client: HttpClient,
  target: ResultTarget,
  files: readonly ResultFile[],
  { existOk }: UploadOptions,
  signal: AbortSignal,
): Promise<readonly UploadedResult[]> {
  checkNames(target, files);
  const session = await requireSession(client, target.project, target.session, signal);
  const resource = resourcePath(await ownerOf(client, session, target, signal), target.resource);
  await refusedAt({ step: "resource" }, putResource(client, resource, signal));
  if (files.length === 0) return [];
  const before = byPath(await listFiles(client, resource, signal));
  const taken = files.findIndex(({ name }) => before.has(name));
  if (taken !== -1 && !existOk) throw new GatewayError("XNAT_FILE_EXISTS", { position: taken + 1 });

  const sent: Omit<UploadedResult, "address">[] = [];
  for (const [index, file] of files.entries()) {
    const there = before.get(file.name);
    const position = index + 1;
    sent.push(await refusedAt({ position }, uploadOne({ client, resource, file, there, position }, signal)));
  }
  const after = byPath(await listFiles(client, resource, signal));
  for (const [index, { name, sizeBytes, md5 }] of sent.entries())
    await prove({ client, resource, position: index + 1 }, after.get(name), { name, sizeBytes, md5 }, signal);
  return sent.map((result) => ({ ...result, address: `/${xnatFilePath(`${resource}/files`, result.name)}` }));
}

/** Before the first request. @throws GatewayError XNAT_NAME_UNSAFE */
function checkNames({ project, session, of, resource }: ResultTarget, files: readonly ResultFile[]): void {
  const owner = of === "session" ? [] : Object.values(of);
  xnatPath("data", project, session, ...owner, resource);
  for (const { name } of files) xnatFilePath("files", name);
}

function byPath(files: readonly XnatFile[] = []): ReadonlyMap<string, XnatFile> {
  return new Map(files.map((file) => [file.path, file]));
}

/** Path of what the resource belongs to. */
async function ownerOf(client: HttpClient, { id, xsiType }: XnatSession, { of }: ResultTarget, signal: AbortSignal) {
  const path = xnatPath("data/experiments", id);
  if (of === "session") return path;
  if ("assessor" in of) return xnatPath(`${path}/assessors`, of.assessor);
  await refusedAt({ step: "scan" }, ensureScan(client, { path, xsiType }, of.scan, signal));
  return xnatPath(`${path}/scans`, of.scan);
}

/** Says of an exchange that failed what it was for. */
async function refusedAt<T>(at: ErrorDetails, work: Promise<T>): Promise<T> {
  return await work.catch((thrown: unknown) => {
    if (!(thrown instanceof HttpError)) throw thrown;
    const { code, details, status, retryAfterMs } = thrown;
    throw new HttpError(code, { ...details, ...at }, { status, retryAfterMs, cause: thrown });
  });
}

interface Upload {
  readonly client: HttpClient;
  readonly resource: ResourcePath;
  readonly file: ResultFile;
  /** What lies under its name. */
  readonly there: XnatFile | undefined;
  readonly position: number;
}

async function uploadOne(
  { client, resource, file, there, position }: Upload,
  signal: AbortSignal,
): Promise<Omit<UploadedResult, "address">> {
  const { path, name, sizeBytes } = file;
  if (there !== undefined && there.sizeBytes === sizeBytes && there.md5 !== undefined) {
    const md5 = await md5Of(createReadStream(path, { highWaterMark: READ_BYTES }), signal);
    if (md5 === there.md5) return { name, sizeBytes, md5, outcome: "unchanged" };
  }
  // The sum is of what went out, also when it had to go twice.
  let sum = createHash("md5");
  async function* read(): AsyncGenerator<Uint8Array> {
    sum = createHash("md5");
    for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES })) {
      sum.update(piece);
      yield piece;
    }
  }
  const overwrite = there !== undefined;
  const answer = await putFile(client, resource, { path: name, sizeBytes, read, overwrite }, signal);
  // Somebody else was faster, and nobody said that theirs may be replaced.
  if (answer === "kept") throw new GatewayError("XNAT_FILE_EXISTS", { position });
  return { name, sizeBytes, md5: sum.digest("hex"), outcome: overwrite ? "replaced" : "stored" };
}

async function md5Of(pieces: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<string> {
  const hash = createHash("md5");
  for await (const piece of pieces) {
    signal.throwIfAborted();
    hash.update(piece);
  }
  return hash.digest("hex");
}

/** By size and sum; a site that keeps no sums is asked for the file itself. */
async function prove(
  { client, resource, position }: Pick<Upload, "client" | "resource" | "position">,
  listed: XnatFile | undefined,
  { name, sizeBytes, md5 }: Pick<UploadedResult, "name" | "sizeBytes" | "md5">,
  signal: AbortSignal,
): Promise<void> {
  if (listed === undefined) throw new GatewayError("XNAT_FILE_NOT_WRITTEN", { position });
  const isSized = listed.sizeBytes === sizeBytes;
  const theirs = isSized ? (listed.md5 ?? (await readBack(client, resource, name, signal))) : undefined;
  if (theirs !== md5) throw new GatewayError("XNAT_FILE_UNCONFIRMED", { position });
}

async function readBack(client: HttpClient, resource: ResourcePath, name: string, signal: AbortSignal) {
  return await md5Of(fileBytes(client, resource, name, signal), signal).catch((thrown: unknown) => {
    if (isNotFound(thrown)) return undefined;
    throw thrown;
  });
}
