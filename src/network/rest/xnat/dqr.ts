import { z } from "zod";
import { HttpError } from "../../http-client/http-error.ts";
import { readJson } from "../../http-client/read-body.ts";
import type { HttpClient } from "../../http-client/types.ts";
import { alsoAccepts, askJson, postJson } from "./ask.ts";

/** Blank attributes are left out of the JSON, so none but the UID is required. */
const dqrStudy = z.object({
  studyInstanceUid: z.string().min(1),
  studyId: z.string().nullish(),
  studyDescription: z.string().nullish(),
  accessionNumber: z.string().nullish(),
  studyDate: z.union([z.string(), z.number()]).nullish(),
  modalitiesInStudy: z.array(z.string()).nullish(),
  referringPhysicianName: z.unknown().optional(),
  patient: z.object({ id: z.string().nullish(), name: z.string().nullish(), sex: z.string().nullish() }).nullish(),
});

export type DqrStudy = z.infer<typeof dqrStudy>;

/** What is looked for; DQR sends it on to the PACS as it is, wildcards too. */
export interface DqrQuery {
  readonly pacsId: number;
  readonly studyInstanceUid?: string;
  readonly accessionNumber?: string;
  readonly patientId?: string;
  readonly patientName?: string;
  readonly studyId?: string;
  readonly modality?: string;
  readonly studyDateRange?: { readonly start: string; readonly end: string };
}

/** @throws HttpError XNAT_DQR_FORBIDDEN, XNAT_PACS_MISSING, and those of the exchange */
export async function queryStudies(
  client: HttpClient,
  query: DqrQuery,
  signal: AbortSignal,
): Promise<readonly DqrStudy[]> {
  const request = postJson("xapi/dqr/query/studies", query, signal);
  // 204 is "none", as an empty list is.
  return (await askJson(client, z.array(dqrStudy).optional(), request).catch(dqrError)) ?? [];
}

const dqrSeries = z.object({
  seriesInstanceUid: z.string().min(1),
  seriesNumber: z.union([z.string(), z.number()]).nullish(),
  modality: z.string().nullish(),
  seriesDescription: z.string().nullish(),
  numberOfRelatedInstances: z.number().int().nonnegative().nullish(),
});
const seriesAnswer = z.record(z.string(), z.object({ results: z.array(dqrSeries).nullish() }));

export type DqrSeries = z.infer<typeof dqrSeries>;

/** @throws HttpError as `queryStudies` */
export async function querySeries(
  client: HttpClient,
  { pacsId, studyInstanceUid }: { readonly pacsId: number; readonly studyInstanceUid: string },
  signal: AbortSignal,
): Promise<readonly DqrSeries[]> {
  const body = { pacsId, studyInstanceUids: [studyInstanceUid] };
  const request = postJson("xapi/dqr/query/series", body, signal);
  const answer = (await askJson(client, seriesAnswer.optional(), request).catch(dqrError)) ?? {};
  return answer[studyInstanceUid]?.results ?? [];
}

const pacsRequest = z.object({
  id: z.number(),
  status: z.string(),
  xnatProject: z.string(),
  studyInstanceUid: z.string(),
  pacsId: z.number().nullish(),
  accessionNumber: z.string().nullish(),
  /** What the session is to be called; DQR tells it from 2.4. */
  experimentLabel: z.string().nullish(),
  errorMessage: z.string().nullish(),
  created: z.number().nullish(),
  timestamp: z.number().nullish(),
  priority: z.number().nullish(),
  queuedTime: z.number().nullish(),
  executedTime: z.number().nullish(),
  retries: z.number().nullish(),
});

/** A row of the queue or of the history. */
export type PacsRequest = z.infer<typeof pacsRequest>;

export interface ImportRequest {
  readonly pacsId: number;
  readonly projectId: string;
  /** The receiver of the XNAT that the PACS sends to. */
  readonly aeTitle: string;
  readonly port: number;
  readonly studies: readonly {
    readonly studyInstanceUid: string;
    /** Absent: all. */
    readonly seriesInstanceUids?: readonly string[];
    readonly relabelMap?: Readonly<Record<string, string>>;
  }[];
}

/** The rows that were queued: a study without series is left out without a word. @throws HttpError XNAT_DQR_FORBIDDEN, XNAT_PACS_MISSING */
export async function queueImport(
  client: HttpClient,
  request: ImportRequest,
  signal: AbortSignal,
): Promise<readonly PacsRequest[]> {
  const body = { ...request, forceImport: true };
  const answer = askJson(client, z.array(pacsRequest).optional(), postJson("xapi/dqr/import", body, signal));
  return (await answer.catch(dqrError)) ?? [];
}

/** Undefined: it is queued no more. */
export async function queuedRequest(client: HttpClient, id: number, signal: AbortSignal) {
  await using response = await client.request({
    path: `xapi/dqr/import/queue/${id}`,
    accepts: alsoAccepts(404),
    signal,
  });
  if (response.status === 404) return undefined;
  const parsed = pacsRequest.safeParse(await readJson(response));
  if (!parsed.success) throw new HttpError("XNAT_ANSWER_UNEXPECTED", { what: "request" });
  return parsed.data;
}

/** Takes requests back. @throws HttpError HTTP_NOT_FOUND when one is queued no more */
export async function deleteQueued(client: HttpClient, ids: readonly number[], signal: AbortSignal): Promise<void> {
  await askJson(client, z.unknown(), postJson("xapi/dqr/import/queue", ids, signal)).catch(dqrError);
}

export type RequestList = "queue" | "history";

export interface PageOptions {
  /** @default 1 */
  readonly page?: number;
  readonly pageSize: number;
}

/** One page, newest first; of our own user alone where the site does not let us see all. */
export async function requestPage(
  client: HttpClient,
  list: RequestList,
  { page = 1, pageSize }: PageOptions,
  signal: AbortSignal,
): Promise<readonly PacsRequest[]> {
  const ask = (all: boolean) =>
    askJson(client, z.array(pacsRequest).optional(), {
      path: `xapi/dqr/import/${list}`,
      query: [
        ["all", `${all}`],
        ["sort", "desc"],
        ["page", `${page}`],
        ["pageSize", `${pageSize}`],
      ],
      signal,
    });
  const rows = ask(true).catch((thrown: unknown) => {
    if (thrown instanceof HttpError && thrown.status === 403) return ask(false);
    throw thrown;
  });
  return (await rows.catch(dqrError)) ?? [];
}

/** As many as one request brings. */
const PAGE_ROWS = 1_000;

/** DQR's own size of a page. */
const SERVER_PAGE_ROWS = 100;

/** Rows, newest first, page by page, to the end or to the limit. */
export async function* allRequests(
  client: HttpClient,
  list: RequestList,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<PacsRequest> {
  let seen = 0;
  for (let page = 1; seen < limit; page += 1) {
    const rows = await requestPage(client, list, { page, pageSize: PAGE_ROWS }, signal);
    yield* rows;
    seen += rows.length;
    // A full page, as we asked for it or as the server will have it, may be followed by another.
    if (rows.length !== PAGE_ROWS && rows.length !== SERVER_PAGE_ROWS) return;
  }
}

/** What the statuses of DQR mean. */
export function dqrError(thrown: unknown): never {
  if (thrown instanceof HttpError && thrown.status === 403)
    throw new HttpError("XNAT_DQR_FORBIDDEN", { status: 403 }, { status: 403, cause: thrown });
  if (thrown instanceof HttpError && thrown.status === 404)
    throw new HttpError("XNAT_PACS_MISSING", { status: 404 }, { status: 404, cause: thrown });
  throw thrown;
}

const directArchiveRow = z.object({
  id: z.number(),
  project: z.string(),
  name: z.string().nullish(),
  folderName: z.string().nullish(),
  /** Study Instance UID. */
  tag: z.string().nullish(),
  status: z.string(),
});

export type DirectArchiveSession = z.infer<typeof directArchiveRow>;

/** Sessions on their way into the archive, of all projects; empty where our user may not see them. */
export async function listDirectArchive(
  client: HttpClient,
  limit: number,
  signal: AbortSignal,
): Promise<readonly DirectArchiveSession[]> {
  const rows: DirectArchiveSession[] = [];
  for (let page = 1; rows.length < limit; page += 1) {
    const body = { page, size: PAGE_ROWS, sort_col: "id", sort_dir: "desc" };
    const request = { ...postJson("xapi/direct-archive", body, signal), accepts: alsoAccepts(403, 404) };
    await using response = await client.request(request);
    // Versions before 1.8 have no direct archive.
    if (response.status >= 400) return [];
    const parsed = z.array(directArchiveRow).safeParse((await readJson(response)) ?? []);
    if (!parsed.success) throw new HttpError("XNAT_ANSWER_UNEXPECTED", { what: "direct archive" });
    rows.push(...parsed.data);
    if (parsed.data.length < PAGE_ROWS) break;
  }
  return rows;
}
