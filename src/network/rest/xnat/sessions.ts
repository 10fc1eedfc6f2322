import { z } from "zod";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { HttpError } from "../../http-client/http-error.ts";
import type { HttpClient } from "../../http-client/types.ts";
import { alsoAccepts, askJson, askTable, askText } from "./ask.ts";
import { xnatPath } from "./paths.ts";

const experimentRow = z.object({
  ID: z.string(),
  label: z.string(),
  xsiType: z.string().optional(),
  date: z.string().optional(),
});

/** Of a project, by the listing of the whole site: a project's own leaves types out that were never given security. */
export function listExperiments(client: HttpClient, project: string, signal: AbortSignal) {
  const query = [
    ["project", project],
    ["columns", "ID,label,xsiType,date"],
  ] as const;
  return askTable(client, experimentRow, { path: "data/experiments", query, signal });
}

/** Image sessions of a study: an address holds no filter with an identifier but the study's UID. */
export function findSessionsOfStudy(
  client: HttpClient,
  project: string,
  studyInstanceUid: string,
  signal: AbortSignal,
) {
  const query = [
    ["project", project],
    ["xsiType", "xnat:imageSessionData"],
    ["columns", "ID,label,xsiType,xnat:imageSessionData/UID"],
    ["xnat:imageSessionData/UID", studyInstanceUid],
  ] as const;
  return askTable(client, experimentRow, { path: "data/experiments", query, signal });
}

interface ItemNode {
  readonly data_fields: Readonly<Record<string, string | number | boolean | null>>;
  readonly meta?: { readonly "xsi:type"?: string | undefined } | undefined;
  readonly children: readonly { readonly field: string; readonly items: readonly ItemNode[] }[];
}

const itemNode: z.ZodType<ItemNode> = z.lazy(() =>
  z.object({
    data_fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    meta: z.object({ "xsi:type": z.string().optional() }).optional(),
    children: z.array(z.object({ field: z.string(), items: z.array(itemNode) })).default([]),
  }),
);
const itemsAnswer = z.object({ items: z.tuple([itemNode]).rest(itemNode) });

export interface XnatResource {
  readonly label: string;
  /** What the catalogue counts; whether the files are there is another thing. */
  readonly fileCount: number | undefined;
}

export interface XnatScan {
  readonly id: string;
  readonly xsiType: string;
  /** Series Instance UID. */
  readonly uid: string | undefined;
  readonly resources: readonly XnatResource[];
}

export interface XnatSession {
  readonly id: string;
  readonly label: string;
  readonly project: string;
  readonly subjectId: string | undefined;
  readonly xsiType: string;
  /** Study Instance UID. */
  readonly uid: string | undefined;
  readonly scans: readonly XnatScan[];
}

/** By its id. @throws HttpError HTTP_NOT_FOUND */
export async function readSession(client: HttpClient, id: string, signal: AbortSignal): Promise<XnatSession> {
  return await sessionAt(client, xnatPath("data/experiments", id), signal);
}

/** By its label within a project; undefined: there is none. */
export async function findSession(
  client: HttpClient,
  project: string,
  label: string,
  signal: AbortSignal,
): Promise<XnatSession | undefined> {
  try {
    return await sessionAt(client, xnatPath("data/projects", project, "experiments", label), signal);
  } catch (thrown) {
    if (isNotFound(thrown)) return undefined;
    throw thrown;
  }
}

/** @throws GatewayError XNAT_SESSION_MISSING */
export async function requireSession(client: HttpClient, project: string, label: string, signal: AbortSignal) {
  const session = await findSession(client, project, label, signal);
  if (session === undefined) throw new GatewayError("XNAT_SESSION_MISSING");
  return session;
}

/** With its scans, what was derived from them, and its files on the XNAT's disk. What is there no more is deleted, too. */
export async function deleteSession(client: HttpClient, id: string, signal: AbortSignal): Promise<void> {
  await askText(client, {
    method: "DELETE",
    path: xnatPath("data/experiments", id),
    query: [["removeFiles", "true"]],
    accepts: alsoAccepts(404),
    signal,
  });
}

export function isNotFound(thrown: unknown): boolean {
  return thrown instanceof HttpError && thrown.status === 404;
}

async function sessionAt(client: HttpClient, path: string, signal: AbortSignal): Promise<XnatSession> {
  const { items } = await askJson(client, itemsAnswer, { path, query: [["format", "json"]], signal });
  const [session] = items;
  const id = textField(session, "ID");
  if (id === undefined) throw new HttpError("XNAT_ANSWER_UNEXPECTED", { what: "session" });
  return {
    id,
    label: textField(session, "label") ?? id,
    project: textField(session, "project") ?? "",
    subjectId: textField(session, "subject_ID"),
    xsiType: session.meta?.["xsi:type"] ?? "",
    uid: textField(session, "UID"),
    scans: childrenOf(session, "scans/scan").map(scanOf),
  };
}

function scanOf(scan: ItemNode): XnatScan {
  return {
    id: textField(scan, "ID") ?? "",
    xsiType: scan.meta?.["xsi:type"] ?? "",
    uid: textField(scan, "UID"),
    resources: childrenOf(scan, "file").map((file) => ({
      label: textField(file, "label") ?? "",
      fileCount: countField(file, "file_count"),
    })),
  };
}

function childrenOf({ children }: ItemNode, field: string): readonly ItemNode[] {
  return children.find((child) => child.field === field)?.items ?? [];
}

function textField({ data_fields }: ItemNode, name: string): string | undefined {
  const value = data_fields[name];
  return value === undefined || value === null || value === "" ? undefined : `${value}`;
}

function countField(node: ItemNode, name: string): number | undefined {
  const text = textField(node, name);
  const count = Number(text);
  return text !== undefined && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}
