import type { HttpClient, HttpRequest } from "../../http-client/types.ts";
import { askText } from "./ask.ts";
import { xnatPath } from "./paths.ts";
import type { XnatOverwrite } from "./prearchive.ts";

/** Where an import goes, by labels. */
export interface ImportTarget {
  readonly project: string;
  readonly subject: string;
  readonly session: string;
  readonly into: "archive" | "prearchive";
  readonly overwrite: XnatOverwrite;
  /** Keeps the site's and the project's scripts from changing what is imported. */
  readonly asItIs: boolean;
}

/** XNAT unpacks, builds and archives before it answers. */
const IMPORT_TIMEOUT_MS = 3_600_000;

/** One zip of DICOM files. @throws HttpError those of the exchange */
export async function importZip(
  client: HttpClient,
  target: ImportTarget,
  read: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  await sent(client, { ...target, handler: "DICOM-zip", type: "application/zip", read }, signal);
}

/** One DICOM file, into a session of the prearchive that stays open for more. @throws HttpError those of the exchange */
export async function importInstance(
  client: HttpClient,
  target: Omit<ImportTarget, "into" | "overwrite">,
  read: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const way = { handler: "gradual-DICOM", type: "application/dicom", read } as const;
  await sent(client, { ...target, into: "prearchive", overwrite: "none", ...way }, signal);
}

/** In the words of the session importer, and in those of the importers of DICOM. */
const OVERWRITES: Readonly<Record<XnatOverwrite, readonly (readonly [string, string])[]>> = {
  none: [],
  append: [
    ["overwrite", "append"],
    ["allowSessionMerge", "true"],
    ["overwrite_files", "true"],
  ],
  delete: [
    ["overwrite", "delete"],
    ["allowSessionMerge", "true"],
    ["overwrite_files", "true"],
  ],
};

interface Import extends ImportTarget {
  readonly handler: "DICOM-zip" | "gradual-DICOM";
  readonly type: string;
  read(): AsyncIterable<Uint8Array>;
}

async function sent(client: HttpClient, one: Import, signal: AbortSignal): Promise<void> {
  const { project, subject, session, handler, overwrite, asItIs } = one;
  const archive = xnatPath("/archive/projects", project, "subjects", subject, "experiments", session);
  const prearchive = xnatPath("/prearchive/projects", project);
  const query: (readonly [string, string])[] = [
    ["import-handler", handler],
    ["inbody", "true"],
    // Single instances are not told where to go by `dest`, and the prearchive's address names no session.
    ...(handler === "gradual-DICOM" ? [] : [["dest", one.into === "archive" ? archive : prearchive] as const]),
    ["PROJECT_ID", project],
    ["SUBJECT_ID", subject],
    ["EXPT_LABEL", session],
    ...OVERWRITES[overwrite],
    ...(asItIs ? [["prevent_anon", "true"] as const] : []),
  ];
  const request: HttpRequest = {
    method: "POST",
    path: "data/services/import",
    query,
    headers: { "Content-Type": one.type },
    body: () => one.read(),
    timeouts: { headersMs: IMPORT_TIMEOUT_MS },
    signal,
  };
  await askText(client, request);
}
