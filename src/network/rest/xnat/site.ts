import { z } from "zod";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { Clock } from "../../../units/clock.ts";
import { HttpError } from "../../http-client/http-error.ts";
import { readJson } from "../../http-client/read-body.ts";
import type { HttpClient } from "../../http-client/types.ts";
import { alsoAccepts, askJson, askTable, askText } from "./ask.ts";
import { dqrError } from "./dqr.ts";
import { xnatPath } from "./paths.ts";

/** The user we are, as the XNAT sees us: the cheapest question that needs a login. */
export async function loggedInAs(client: HttpClient, signal: AbortSignal) {
  const { text, headers } = await askText(client, { path: "xapi/users/username", signal });
  const dateMs = Date.parse(headers.get("date") ?? "");
  return { username: text.trim(), serverMs: Number.isNaN(dateMs) ? undefined : dateMs };
}

/** Times of answers are to the second, and take their way. */
const CLOCK_TOLERANCE_MS = 60_000;

/** A word on whether both clocks show the same time. @throws GatewayError XNAT_CLOCK_DIFFERS */
export async function clockAgrees(client: HttpClient, clock: Clock, signal: AbortSignal): Promise<string> {
  const { serverMs } = await loggedInAs(client, signal);
  if (serverMs === undefined) return "not told";
  const differenceMs = Math.abs(serverMs - clock.nowMs());
  if (differenceMs > CLOCK_TOLERANCE_MS) throw new GatewayError("XNAT_CLOCK_DIFFERS", { differenceMs });
  return "yes";
}

const projectRow = z.object({ ID: z.string(), secondary_ID: z.string().optional(), name: z.string().optional() });

export function listProjects(client: HttpClient, signal: AbortSignal) {
  return askTable(client, projectRow, { path: "data/projects", signal });
}

/** By the id that somebody else gave it, else by its own. @throws HttpError XNAT_PROJECT_MISSING, also when it is hidden from us */
export async function projectNamed(client: HttpClient, name: string, signal: AbortSignal): Promise<string> {
  const projects = await listProjects(client, signal);
  const found = projects.find(({ secondary_ID }) => secondary_ID === name) ?? projects.find(({ ID }) => ID === name);
  if (found === undefined) throw new HttpError("XNAT_PROJECT_MISSING");
  return found.ID;
}

/** @throws HttpError XNAT_PROJECT_MISSING, also when it is hidden from us */
export async function requireProject(client: HttpClient, project: string, signal: AbortSignal): Promise<void> {
  const accepts = alsoAccepts(403, 404);
  const request = { path: xnatPath("data/projects", project), query: [["format", "json"]] as const, accepts, signal };
  const { status } = await askText(client, request);
  if (status >= 400) throw new HttpError("XNAT_PROJECT_MISSING", { status }, { status });
}

const receiver = z.object({
  id: z.number(),
  aeTitle: z.string(),
  port: z.number(),
  enabled: z.boolean(),
  identifier: z.string().nullish(),
  customProcessing: z.boolean().nullish(),
  directArchive: z.boolean().nullish(),
});

export type XnatReceiver = z.infer<typeof receiver>;

export function listReceivers(client: HttpClient, signal: AbortSignal): Promise<readonly XnatReceiver[]> {
  return askJson(client, z.array(receiver), { path: "xapi/dicomscp", signal });
}

const pacs = z.object({
  id: z.number(),
  aeTitle: z.string(),
  queryable: z.boolean().nullish(),
  defaultQueryRetrievePacs: z.boolean().nullish(),
});

export type XnatPacs = z.infer<typeof pacs>;

/** @throws HttpError XNAT_DQR_MISSING, XNAT_DQR_FORBIDDEN */
export async function listPacs(client: HttpClient, signal: AbortSignal): Promise<readonly XnatPacs[]> {
  const answer = askJson(client, z.array(pacs).optional(), { path: "xapi/pacs", signal });
  return (await answer.catch(pluginError)) ?? [];
}

/** A plugin that is not there has no addresses either. */
function pluginError(thrown: unknown): never {
  if (thrown instanceof HttpError && thrown.status === 404)
    throw new HttpError("XNAT_DQR_MISSING", { status: 404 }, { status: 404, cause: thrown });
  return dqrError(thrown);
}

const pacsStatus = z.object({ successful: z.boolean(), enabled: z.boolean().nullish() });

/** A C-ECHO that the XNAT sends now. Each is written down there: not to be asked in a loop. */
export async function pingPacs(client: HttpClient, id: number, signal: AbortSignal): Promise<boolean> {
  const path = `xapi/pacs/${id}/status`;
  const { successful, enabled } = await askJson(client, pacsStatus, { path, signal }).catch(dqrError);
  return successful && enabled !== false;
}

const availabilityRow = z.object({
  threads: z.number().nullish(),
  utilizationPercent: z.number().nullish(),
  availableNow: z.boolean().nullish(),
});

/** Whether the XNAT will ever ask the PACS, and whether it may now. */
export async function pacsAvailability(client: HttpClient, id: number, signal: AbortSignal) {
  const schema = z.record(z.string(), z.array(availabilityRow)).optional();
  const days = (await askJson(client, schema, { path: `xapi/pacs/${id}/availability`, signal }).catch(dqrError)) ?? {};
  const usable = Object.values(days)
    .flat()
    .filter(({ threads, utilizationPercent }) => threads !== 0 && utilizationPercent !== 0);
  return { ever: usable.length > 0, now: usable.some(({ availableNow }) => availableNow === true) };
}

/** Settings of the plugin; numbers come as texts from some versions. */
export function dqrSettings(client: HttpClient, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  const answer = askJson(client, z.record(z.string(), z.unknown()), { path: "xapi/dqr/settings", signal });
  return answer.catch(pluginError);
}

/** Whether the project's own setting allows imports. */
export async function isDqrEnabled(client: HttpClient, project: string, signal: AbortSignal): Promise<boolean> {
  const path = xnatPath("xapi/dqr/settings/project", project, "enabled");
  await using response = await client.request({ path, accepts: alsoAccepts(404), signal });
  return response.status !== 404 && (await readJson(response)) === true;
}
