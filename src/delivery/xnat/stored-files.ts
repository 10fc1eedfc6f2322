import type { HttpClient } from "../../network/http-client/types.ts";
import {
  listFiles,
  listResources,
  type ResourcePath,
  resourcePath,
  type XnatFile,
} from "../../network/rest/xnat/files.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import { listScans } from "../../network/rest/xnat/scans.ts";
import { concurrently } from "../../units/concurrently.ts";

/** A file of DICOM that XNAT lists, and where. */
export interface StoredFile extends XnatFile {
  readonly resource: ResourcePath;
}

/** Where XNAT keeps what arrives as DICOM: images, and what it takes for secondary captures. */
const DICOM_RESOURCES: ReadonlySet<string> = new Set(["DICOM", "secondary"]);
const PARALLEL_SCANS = 4;

/** Every file of DICOM that lies in a session. @param session its path, in the archive or in the prearchive */
export async function storedFiles(
  client: HttpClient,
  session: string,
  signal: AbortSignal,
): Promise<readonly StoredFile[]> {
  const found: StoredFile[] = [];
  await concurrently(await listScans(client, session, signal), PARALLEL_SCANS, async ({ ID }) => {
    const scan = xnatPath(`${session}/scans`, ID);
    for (const label of await listResources(client, scan, signal)) {
      if (!DICOM_RESOURCES.has(label)) continue;
      const resource = resourcePath(scan, label);
      for (const file of (await listFiles(client, resource, signal)) ?? []) found.push({ ...file, resource });
    }
  });
  return found;
}

/** Of several sessions. One of them may hold more files than a call takes arguments. */
export async function filesInSessions(
  client: HttpClient,
  sessions: readonly string[],
  signal: AbortSignal,
): Promise<readonly StoredFile[]> {
  const found: StoredFile[] = [];
  for (const session of sessions) for (const file of await storedFiles(client, session, signal)) found.push(file);
  return found;
}
