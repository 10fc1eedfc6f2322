import { createHash } from "node:crypto";
import type { HttpClient } from "../../network/http-client/types.ts";
import { fileBytes } from "../../network/rest/xnat/files.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import { listPrearchive, prearchivePath } from "../../network/rest/xnat/prearchive.ts";
import { findSession } from "../../network/rest/xnat/sessions.ts";
import { concurrently } from "../../units/concurrently.ts";
import { inspectionOf } from "../files/inspect-files.ts";
import type { DeliveredStudy, Inspect, Standing } from "../inspection/inspection.ts";
import { uidInHead } from "./file-digests.ts";
import { labelsOf } from "./labels.ts";
import { filesInSessions, type StoredFile, storedFiles } from "./stored-files.ts";

const PARALLEL_FILES = 4;
/** The file meta information ends well before. */
const HEAD_BYTES = 64 * 1024;

interface XnatToInspect {
  readonly client: () => Promise<HttpClient>;
  /** The XNAT project; absent: the one that is called as the study's project. */
  readonly project?: string | undefined;
}

/**
 * Every file of the session is fetched back. XNAT writes the headers of most anew: of those only their UIDs are known.
 * @throws GatewayError XNAT_…, HTTP_… from the function it answers
 */
export function xnatInspector(options: XnatToInspect): Inspect {
  return async (study, signal) => {
    await using client = await options.client();
    const { session } = labelsOf(study);
    const found = new Map<string, Standing>();
    const sums = new Map<string, string>(study.files.map(({ sha256, sopInstanceUid }) => [sha256, sopInstanceUid]));
    const files = await filesOf(client, options.project ?? study.project, { session, study }, signal);
    await concurrently(files, PARALLEL_FILES, async (file) => {
      const { sha256, head } = await read(client, file, signal);
      const same = sums.get(sha256);
      const uid = same ?? (await uidInHead(head));
      if (uid !== undefined && found.get(uid) !== "same") found.set(uid, same === undefined ? "listed" : "same");
    });
    return inspectionOf(found, false);
  };
}

async function filesOf(
  client: HttpClient,
  project: string,
  { session, study }: { readonly session: string; readonly study: DeliveredStudy },
  signal: AbortSignal,
): Promise<readonly StoredFile[]> {
  const archived = await findSession(client, project, session, signal);
  if (archived !== undefined) {
    const isOurs = archived.uid === undefined || archived.uid === study.studyInstanceUid;
    return isOurs ? await storedFiles(client, xnatPath("data/experiments", archived.id), signal) : [];
  }
  const waiting = (await listPrearchive(client, project, signal)).filter(
    ({ name, tag }) => name === session && tag === study.studyInstanceUid,
  );
  return await filesInSessions(client, waiting.map(prearchivePath), signal);
}

async function read(
  client: HttpClient,
  { resource, path }: StoredFile,
  signal: AbortSignal,
): Promise<{ readonly sha256: string; readonly head: Buffer }> {
  const hash = createHash("sha256");
  let head = Buffer.alloc(0);
  for await (const piece of fileBytes(client, resource, path, signal)) {
    hash.update(piece);
    if (head.length < HEAD_BYTES) head = Buffer.concat([head, piece]).subarray(0, HEAD_BYTES);
  }
  return { sha256: hash.digest("hex"), head };
}
