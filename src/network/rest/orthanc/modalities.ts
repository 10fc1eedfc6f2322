import { z } from "zod";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";
import { HttpError } from "../../http-client/http-error.ts";
import type { HttpClient, HttpRequest } from "../../http-client/types.ts";
import { ask, post } from "./ask.ts";
import { startedJob } from "./jobs.ts";

/** Levels of the Query/Retrieve information models, as Orthanc writes them. */
export type OrthancLevel = "Patient" | "Study" | "Series" | "Instance";

/** What is asked of a modality, by Orthanc's names of attributes; a text that is empty asks for the attribute. */
export interface ModalityQuery {
  readonly level: OrthancLevel;
  readonly keys: Readonly<Record<string, string>>;
}

/** One of the Orthanc's modalities. */
interface Modality {
  readonly client: HttpClient;
  readonly modality: string;
  readonly signal: AbortSignal;
}

const QUERY_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const startedQuery = z.object({ ID: z.string().regex(QUERY_ID) }).transform(({ ID }) => ID);

/** Attributes by keyword; sequences and what has no value are left out. */
const answer = z
  .record(z.string(), z.unknown())
  .transform((values) =>
    Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : [])),
    ),
  );

/** The names of the modalities that the Orthanc knows. */
export function modalityNames(client: HttpClient, signal: AbortSignal): Promise<readonly string[]> {
  return ask(client, z.array(z.string()), { path: "modalities", signal });
}

/** C-ECHO. @throws GatewayError ORTHANC_MODALITY_UNKNOWN, ORTHANC_MODALITY_FAILED */
export async function echoModality(client: HttpClient, modality: string, signal: AbortSignal): Promise<void> {
  await askModality({ client, modality, signal }, z.unknown(), "echo", {});
}

/**
 * C-FIND: answers the query's id, under which the Orthanc keeps its answers until a hundred newer queries have come, or until it is
 * dropped. @throws GatewayError ORTHANC_MODALITY_UNKNOWN, ORTHANC_MODALITY_FAILED; DIMSE_FAILED when the modality was unable to process it
 */
export function queryModality(
  client: HttpClient,
  modality: string,
  { level, keys }: ModalityQuery,
  signal: AbortSignal,
): Promise<string> {
  return askModality({ client, modality, signal }, startedQuery, "query", { Level: level, Query: keys });
}

/** C-FIND for the instances below one answer of a query, by its number. @throws as `queryModality` does */
export function queryInstancesOfAnswer(
  client: HttpClient,
  query: string,
  position: number,
  signal: AbortSignal,
): Promise<string> {
  const request = post(`queries/${query}/answers/${position}/query-instances`, { Query: {} }, signal);
  return passedOn(client, startedQuery, request);
}

/** All answers of a query in one request, their texts by keyword. */
export function answersOfQuery(
  client: HttpClient,
  query: string,
  signal: AbortSignal,
): Promise<readonly Readonly<Record<string, string>>[]> {
  const shape = [
    ["expand", ""],
    ["simplify", ""],
  ] as const;
  return ask(client, z.array(answer), { path: `queries/${query}/answers`, query: shape, signal });
}

/** Has the Orthanc forget a query. */
export async function dropQuery(client: HttpClient, query: string, signal: AbortSignal): Promise<void> {
  await using _ = await client.request({ method: "DELETE", path: `queries/${query}`, signal });
}

/**
 * C-MOVE of each answer of a query to the Orthanc itself, or to the AE title that is named: answers the id of the job that does it. A
 * query without answers makes a job that succeeds.
 */
export function retrieveAnswers(
  client: HttpClient,
  query: string,
  targetAet: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const body = { Synchronous: false, ...(targetAet !== undefined && { TargetAet: targetAet }) };
  return ask(client, startedJob, post(`queries/${query}/retrieve`, body, signal));
}

export interface ModalityMove {
  readonly level: OrthancLevel;
  /** Absent: the Orthanc itself. */
  readonly targetAet?: string | undefined;
  /** Each by its UID and those of the levels above. */
  readonly resources: readonly Readonly<Record<string, string>>[];
}

/**
 * C-MOVE of what is named, without a query before. Answers the id of the job that does it; undefined when it has been done by now: before
 * version 1.11.1 an Orthanc knows no other way.
 * @param headersMs for how long such an Orthanc may be at it
 * @throws GatewayError ORTHANC_MODALITY_UNKNOWN, ORTHANC_MODALITY_FAILED; DIMSE_FAILED when the modality was unable to process it
 */
export async function moveFromModality(
  client: HttpClient,
  modality: string,
  { level, targetAet, resources }: ModalityMove,
  headersMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const body = {
    ...{ Level: level, Resources: resources, Synchronous: false },
    ...(targetAet !== undefined && { TargetAet: targetAet }),
  };
  const moved = z.union([startedJob, z.strictObject({}).transform(() => undefined)]);
  return await askModality({ client, modality, signal }, moved, "move", body, { headersMs });
}

/** C-STORE of resources, named by Orthanc's ids, to a modality: answers the id of the job that does it. @throws GatewayError ORTHANC_MODALITY_UNKNOWN */
export function storeToModality(
  client: HttpClient,
  modality: string,
  resources: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  return askModality({ client, modality, signal }, startedJob, "store", { Resources: resources, Synchronous: false });
}

/** Errors of requests that the Orthanc passes on: 422 for the DIMSE status C000H, 500 for every other and for a peer that is not reached. */
const CODES_OF_STATUSES: ReadonlyMap<number | undefined, ErrorCode> = new Map<number, ErrorCode>([
  [422, "DIMSE_FAILED"],
  [500, "ORTHANC_MODALITY_FAILED"],
]);

/** A request that the Orthanc carries out with a peer of its own. */
async function passedOn<T>(client: HttpClient, schema: z.ZodType<T>, request: HttpRequest): Promise<T> {
  return await ask(client, schema, request).catch((thrown: unknown) => {
    const code = thrown instanceof HttpError ? CODES_OF_STATUSES.get(thrown.status) : undefined;
    throw code === undefined ? thrown : new GatewayError(code, {}, thrown);
  });
}

/** A request below the name of a modality. */
async function askModality<T>(
  { client, modality, signal }: Modality,
  schema: z.ZodType<T>,
  verb: "echo" | "query" | "move" | "store",
  body: object,
  timeouts: HttpRequest["timeouts"] = {},
): Promise<T> {
  const request = post(`modalities/${encodeURIComponent(modality)}/${verb}`, body, signal);
  return await passedOn(client, schema, { ...request, timeouts }).catch((thrown: unknown) => {
    const isUnknown = thrown instanceof HttpError && thrown.status === 404;
    throw isUnknown ? new GatewayError("ORTHANC_MODALITY_UNKNOWN", { modality }, thrown) : thrown;
  });
}
