import { HttpError } from "../http-client/http-error.ts";
import { parseMediaType } from "../http-client/media-type.ts";
import { contentUnexpected } from "../http-client/read-body.ts";
import type { HttpClient, HttpResponse } from "../http-client/types.ts";
import { type MultipartPart, readMultipart } from "../multipart/reader.ts";
import { wholeBody } from "../multipart/whole-body.ts";
import { targetPath, type WadoTarget } from "./resource.ts";

/** An instance on its way: a Part 10 file, read once, before the next is asked for. */
export type RetrievedInstance = Pick<MultipartPart, "body" | "pipe">;

export interface RetrieveOptions {
  /** Transfer syntaxes that are taken; `*`: as it is stored. @default * */
  readonly transferSyntaxUid?: string | undefined;
  readonly timeouts?: Parameters<HttpClient["request"]>[0]["timeouts"];
}

/** Servers that know no `transfer-syntax=*` refuse it by one of these. PS3.18 8.7.3.5.2 is younger than they are. */
const NOT_ACCEPTABLE: ReadonlySet<number> = new Set([400, 406, 415]);
const AS_STORED = "*";

/** What an instance may be called; some servers name no type for parts of an answer whose own type says it. */
const INSTANCE_TYPES: ReadonlySet<string | undefined> = new Set([
  undefined,
  "application/dicom",
  "application/octet-stream",
]);

/**
 * WADO-RS: the instances of a study or series, or one instance, as they come. PS3.18 10.4.
 * A server that gives a single instance without multipart is understood too.
 * @throws HttpError HTTP_CONTENT_UNEXPECTED for whatever is no DICOM, HTTP_NOT_FOUND when there is nothing in the answer, INSTANCES_WITHHELD
 * behind the last of an answer that is not all; GatewayError MULTIPART_…
 */
export async function* retrieveDicomWeb(
  client: HttpClient,
  target: WadoTarget,
  options: RetrieveOptions,
  signal: AbortSignal,
): AsyncGenerator<RetrievedInstance> {
  await using response = await askFor(client, target, options, signal);
  const { status, headers, body } = response;
  if (status === 204) throw new HttpError("HTTP_NOT_FOUND", { status }, { status });
  const type = parseMediaType(headers.get("content-type"));
  if (type?.type === "multipart/related") yield* partsOf(response, type.parameters.get("boundary"));
  else if (type !== undefined && INSTANCE_TYPES.has(type.type)) yield wholeBody(body);
  else throw contentUnexpected(response);
  if (status === 206) throw new HttpError("INSTANCES_WITHHELD", { status }, { status });
}

async function* partsOf({ status, body }: HttpResponse, boundary: string | undefined): AsyncGenerator<MultipartPart> {
  let parts = 0;
  for await (const part of readMultipart(body, { boundary })) {
    parts += 1;
    if (!INSTANCE_TYPES.has(parseMediaType(part.headers.get("content-type"))?.type)) {
      throw new HttpError("HTTP_CONTENT_UNEXPECTED", { contentType: "part", status }, { status });
    }
    yield part;
  }
  if (parts === 0) throw new HttpError("HTTP_NOT_FOUND", { status }, { status });
}

async function askFor(
  client: HttpClient,
  target: WadoTarget,
  { transferSyntaxUid = AS_STORED, timeouts }: RetrieveOptions,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const request = (accept: string, accepts?: (status: number) => boolean) =>
    client.request({ path: targetPath(target), headers: { Accept: accept }, bulk: true, timeouts, accepts, signal });
  const plain = 'multipart/related; type="application/dicom"';
  const isUsual = (status: number): boolean => status >= 200 && status < 300;
  const first = await request(
    `${plain}; transfer-syntax=${transferSyntaxUid}`,
    (status) => isUsual(status) || (transferSyntaxUid === AS_STORED && NOT_ACCEPTABLE.has(status)),
  );
  if (isUsual(first.status)) return first;
  await first[Symbol.asyncDispose]();
  return await request(plain);
}
