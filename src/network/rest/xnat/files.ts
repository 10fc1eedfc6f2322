import { z } from "zod";
import { HttpError } from "../../http-client/http-error.ts";
import type { HttpClient } from "../../http-client/types.ts";
import { alsoAccepts, askTable, askText, countText } from "./ask.ts";
import { xnatFilePath, xnatPath } from "./paths.ts";

/** An address below which `files` are: a resource of a session, a scan or an assessor. */
export type ResourcePath = string & { readonly resourcePath: true };

/** @param owner path of what the resource belongs to. @throws GatewayError XNAT_NAME_UNSAFE */
export function resourcePath(owner: string, label: string): ResourcePath {
  return xnatPath(`${owner}/resources`, label) as ResourcePath;
}

export interface XnatFile {
  /** Within its resource, sub-folders included. */
  readonly path: string;
  readonly sizeBytes: number;
  /** MD5 in lower-case hexadecimal, where the site keeps sums. */
  readonly md5: string | undefined;
}

const fileRow = z.object({
  Name: z.string(),
  Size: countText,
  URI: z.string(),
  digest: z.string().optional(),
});

/** Undefined: there is no such resource. What is listed need not be on the XNAT's disk. */
export async function listFiles(
  client: HttpClient,
  resource: ResourcePath,
  signal: AbortSignal,
): Promise<readonly XnatFile[] | undefined> {
  try {
    const rows = await askTable(client, fileRow, { path: `${resource}/files`, signal });
    return rows.map(({ Name, Size, URI, digest }) => ({
      path: pathWithin(URI) ?? Name,
      sizeBytes: Size,
      md5: digest !== undefined && /^[0-9a-f]{32}$/i.test(digest) ? digest.toLowerCase() : undefined,
    }));
  } catch (thrown) {
    if (thrown instanceof HttpError && thrown.status === 404) return undefined;
    throw thrown;
  }
}

function pathWithin(uri: string): string | undefined {
  const encoded = /\/files\/(.+)$/.exec(uri)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    // A name with a percent sign, not encoded.
    return encoded;
  }
}

/** The file's bytes. @throws HttpError HTTP_NOT_FOUND, also when the catalogue names it and the disk has it no more */
export async function* fileBytes(
  client: HttpClient,
  resource: ResourcePath,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  await using response = await client.request({ path: xnatFilePath(`${resource}/files`, path), bulk: true, signal });
  yield* response.body;
}

export interface FileUpload {
  /** Within the resource; sub-folders are kept. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Called anew for every try. */
  read(): AsyncIterable<Uint8Array>;
  /** Whether a file that is there is replaced. */
  readonly overwrite: boolean;
}

/** `kept`: a file of this name was there, and stays as it was: XNAT says so with a 200. */
export type UploadAnswer = "stored" | "kept";

const duplicatesAnswer = z.object({ duplicates: z.array(z.string()).min(1) });

/** A file of any size may take as long as bytes go. */
const NO_HEADERS_TIMEOUT_MS = 24 * 3_600_000;

/**
 * Puts one file, streaming. A 200 is no proof: without the right to edit, XNAT answers it too and writes nothing.
 * @throws HttpError those of the exchange
 */
export async function putFile(
  client: HttpClient,
  resource: ResourcePath,
  upload: FileUpload,
  signal: AbortSignal,
): Promise<UploadAnswer> {
  const { path, sizeBytes, overwrite } = upload;
  const { text } = await askText(client, {
    method: "PUT",
    path: xnatFilePath(`${resource}/files`, path),
    query: [["inbody", "true"], ...(overwrite ? [["overwrite", "true"] as const] : [])],
    headers: { "Content-Type": "application/octet-stream", "Content-Length": `${sizeBytes}` },
    body: () => upload.read(),
    timeouts: { headersMs: NO_HEADERS_TIMEOUT_MS },
    signal,
  });
  return duplicatesAnswer.safeParse(jsonOf(text)).success ? "kept" : "stored";
}

function jsonOf(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch {
    return undefined;
  }
}

/** `exists`: somebody has made it before. @throws HttpError HTTP_FORBIDDEN, HTTP_NOT_FOUND for what it belongs to, … */
export async function putResource(
  client: HttpClient,
  resource: ResourcePath,
  signal: AbortSignal,
): Promise<"made" | "exists"> {
  const { status } = await askText(client, { method: "PUT", path: resource, accepts: alsoAccepts(409), signal });
  return status === 409 ? "exists" : "made";
}

const resourceRow = z.object({ label: z.string() });

/** Labels of what a session, a scan or an assessor has. @param owner its path */
export async function listResources(
  client: HttpClient,
  owner: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return (await askTable(client, resourceRow, { path: `${owner}/resources`, signal })).map(({ label }) => label);
}
