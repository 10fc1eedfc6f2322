import { z } from "zod";
import { HttpError } from "../../http-client/http-error.ts";
import type { HttpClient } from "../../http-client/types.ts";
import { alsoAccepts, askTable, askText } from "./ask.ts";
import { xnatPath } from "./paths.ts";

const prearchiveRow = z.object({
  project: z.string(),
  timestamp: z.string(),
  name: z.string(),
  folderName: z.string().optional(),
  subject: z.string().optional(),
  /** Study Instance UID. */
  tag: z.string().optional(),
  status: z.string(),
  /** In the server's time zone. */
  lastmod: z.string().optional(),
});

export type PrearchiveSession = z.infer<typeof prearchiveRow>;

/** How a session in the prearchive fares; variants with a leading `_` are XNAT's own, of work in progress. */
export type PrearchiveFate = "on-its-way" | "ready" | "stuck";

const STUCK: ReadonlySet<string> = new Set(["CONFLICT", "ERROR", "RECEIVING_INTERRUPT"]);

export function prearchiveFate(status: string): PrearchiveFate {
  const known = status.replace(/^_+/, "").toUpperCase();
  if (STUCK.has(known)) return "stuck";
  return known === "READY" ? "ready" : "on-its-way";
}

/** Of one project; sessions that XNAT could not assign are in none. */
export async function listPrearchive(
  client: HttpClient,
  project: string,
  signal: AbortSignal,
): Promise<readonly PrearchiveSession[]> {
  return await askTable(client, prearchiveRow, { path: xnatPath("data/prearchive/projects", project), signal });
}

/** Path of the session below the site. @throws GatewayError XNAT_NAME_UNSAFE */
export function prearchivePath({ project, timestamp, name, folderName }: PrearchiveSession): string {
  return xnatPath("data/prearchive/projects", project, timestamp, folderName ?? name);
}

/** Reads the session's objects anew, which ends its receiving. `locked`: XNAT is at work on it. */
export async function buildSession(
  client: HttpClient,
  session: PrearchiveSession,
  signal: AbortSignal,
): Promise<"built" | "locked"> {
  const { status } = await askText(client, {
    method: "POST",
    path: prearchivePath(session),
    query: [["action", "build"]],
    accepts: alsoAccepts(409),
    timeouts: { headersMs: BUILD_TIMEOUT_MS },
    signal,
  });
  return status === 409 ? "locked" : "built";
}

/** What is there no more is removed, too. */
export async function deletePrearchived(
  client: HttpClient,
  session: PrearchiveSession,
  signal: AbortSignal,
): Promise<void> {
  await askText(client, { method: "DELETE", path: prearchivePath(session), accepts: alsoAccepts(404), signal });
}

/** A session of many thousand objects is built and archived for minutes before the answer begins. */
const BUILD_TIMEOUT_MS = 1_800_000;

/** What is done with a session of the same label: nothing, adding to it, or replacing it. */
export type XnatOverwrite = "none" | "append" | "delete";

/** Moves the session into the archive. `conflict`: one of its label is there and may not be changed. */
export async function archivePrearchived(
  client: HttpClient,
  session: PrearchiveSession,
  overwrite: XnatOverwrite,
  signal: AbortSignal,
): Promise<"archived" | "conflict"> {
  const form = new URLSearchParams({ src: `/${prearchivePath(session).replace(/^data\//, "")}` });
  if (overwrite !== "none") {
    form.set("overwrite", overwrite);
    form.set("overwrite_files", "true");
  }
  const { status } = await askText(client, {
    method: "POST",
    path: "data/services/archive",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: form.toString(),
    accepts: alsoAccepts(301, 409),
    timeouts: { headersMs: BUILD_TIMEOUT_MS },
    signal,
  });
  if (status !== 409 && status !== 301 && status !== 200) throw new HttpError("XNAT_ANSWER_UNEXPECTED", { status });
  return status === 409 ? "conflict" : "archived";
}
