import { z } from "zod";
import type { HttpClient } from "../../http-client/types.ts";
import { ask, post } from "./ask.ts";

/** Orthanc's name of a resource: a SHA-1 in five groups. */
const orthancId = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{8}){4}$/);
/** Those that are texts. Sequences among them, where an Orthanc is set up to keep some, come as lists: nothing here asks for one. */
const mainTags = z
  .record(z.string(), z.unknown())
  .transform((all) =>
    Object.fromEntries(Object.entries(all).filter((one): one is [string, string] => typeof one[1] === "string")),
  );

const studyResource = z.object({ ID: orthancId, MainDicomTags: mainTags, PatientMainDicomTags: mainTags.default({}) });
const seriesResource = z.object({ ID: orthancId, MainDicomTags: mainTags, Instances: z.array(orthancId) });
const instanceResource = z.object({ ID: orthancId, ParentSeries: orthancId, MainDicomTags: mainTags });
const systemResource = z.object({ Version: z.string(), DicomAet: z.string().optional() });

export type OrthancStudy = z.infer<typeof studyResource>;
export type OrthancSeries = z.infer<typeof seriesResource>;
export type OrthancInstance = z.infer<typeof instanceResource>;

const NOT_FOUND = 404;

/** Which levels a search gives, as Orthanc calls them. */
type FindLevel = "Study" | "Series" | "Instance";

export function systemOf(client: HttpClient, signal: AbortSignal): Promise<z.infer<typeof systemResource>> {
  return ask(client, systemResource, { path: "system", signal });
}

interface FindOptions {
  readonly limit: number;
}

function findResources<T>(level: FindLevel, schema: z.ZodType<T>) {
  return (
    client: HttpClient,
    query: Readonly<Record<string, string>>,
    { limit }: FindOptions,
    signal: AbortSignal,
  ): Promise<readonly T[]> => {
    const body = { Level: level, Expand: true, CaseSensitive: true, Limit: limit, Query: query };
    return ask(client, z.array(schema), post("tools/find", body, signal));
  };
}

/** Studies by their attributes' keywords, exactly as written but for Orthanc's wildcards `*`, `?` and its list `\`. */
export const findOrthancStudies = findResources("Study", studyResource);

/** Series by their attributes and those of their study. */
export const findOrthancSeries = findResources("Series", seriesResource);

/** Instances by their attributes and those of their series and study. */
export const findOrthancInstances = findResources("Instance", instanceResource);

export function seriesOfStudy(
  client: HttpClient,
  study: string,
  signal: AbortSignal,
): Promise<readonly OrthancSeries[]> {
  return ask(client, z.array(seriesResource), { path: `studies/${study}/series`, signal });
}

/** All in one answer, however many. */
export function instancesOfStudy(
  client: HttpClient,
  study: string,
  signal: AbortSignal,
): Promise<readonly OrthancInstance[]> {
  return ask(client, z.array(instanceResource), { path: `studies/${study}/instances`, signal });
}

/** The file as it was stored. */
export async function* instanceFile(
  client: HttpClient,
  instance: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  await using response = await client.request({ path: `instances/${instance}/file`, bulk: true, signal });
  yield* response.body;
}

export async function deleteInstance(client: HttpClient, instance: string, signal: AbortSignal): Promise<void> {
  await using _ = await client.request({ method: "DELETE", path: `instances/${instance}`, signal });
}

/** With its series and instances. What is not there any more is deleted, too. */
export async function deleteStudy(client: HttpClient, study: string, signal: AbortSignal): Promise<void> {
  const accepts = (status: number): boolean => status === 200 || status === NOT_FOUND;
  await using _ = await client.request({ method: "DELETE", path: `studies/${study}`, accepts, signal });
}

const storedResource = z.object({ ID: orthancId, Status: z.enum(["Success", "AlreadyStored", "FilteredOut"]) });

/** Stores a Part 10 file, streaming, with its length where that is given. @throws HttpError HTTP_REFUSED when it is none that Orthanc can read */
export function storeInOrthanc(
  client: HttpClient,
  read: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  bodyBytes?: number,
): Promise<z.infer<typeof storedResource>> {
  const headers = { "Content-Type": "application/dicom" };
  return ask(client, storedResource, { method: "POST", path: "instances", body: read, bodyBytes, headers, signal });
}
