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

/**
 * WADO-RS: the instances of a study or series, or one instance, as they come. PS3.18 10.4.
 * A server that gives a single instance without multipart is understood too.
 * @throws HttpError, HTTP_CONTENT_UNEXPECTED for whatever is no DICOM; GatewayError MULTIPART_…
 */
export async function* retrieveDicomWeb(
  client: HttpClient,
  target: WadoTarget,
  options: RetrieveOptions,
  signal: AbortSignal,
): AsyncGenerator<RetrievedInstance> {
  const { transferSyntaxUid = "*" } = options;
  await using response = await askFor(client, target, transferSyntaxUid, options, signal);
  const type = parseMediaType(response.headers.get("content-type"));
  if (type?.type === "application/dicom") {
    yield wholeBody(response.body);
    return;
  }
  if (type?.type !== "multipart/related") throw contentUnexpected(response);
  const { body } = response;
  for await (const part of readMultipart(body, { boundary: type.parameters.get("boundary") })) {
    const partType = parseMediaType(part.headers.get("content-type"))?.type;
    // Some servers name no type for the parts of an answer whose own type says it.
    if (partType !== undefined && partType !== "application/dicom" && partType !== "application/octet-stream") {
      throw new HttpError("HTTP_CONTENT_UNEXPECTED", { contentType: "part", status: response.status });
    }
    yield part;
  }
}

async function askFor(
  client: HttpClient,
  target: WadoTarget,
  transferSyntaxUid: string,
  { timeouts }: RetrieveOptions,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const request = (accept: string, accepts?: (status: number) => boolean) =>
    client.request({ path: targetPath(target), headers: { Accept: accept }, bulk: true, timeouts, accepts, signal });
  const plain = 'multipart/related; type="application/dicom"';
  const isUsual = (status: number): boolean => status >= 200 && status < 300;
  const first = await request(
    `${plain}; transfer-syntax=${transferSyntaxUid}`,
    (status) => isUsual(status) || NOT_ACCEPTABLE.has(status),
  );
  if (isUsual(first.status)) return first;
  await first[Symbol.asyncDispose]();
  return await request(plain);
}
