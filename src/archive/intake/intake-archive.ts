import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseSeriesInstanceUid, parseSopInstanceUid } from "../../dicom/uid.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { IntakeStore } from "../../store/intake.ts";
import type { Archive, RetrieveOutcome, RetrieveRequest, StudyMatch, StudyQuery } from "../archive.ts";
import type { InstanceTaker } from "../http/staging-store.ts";
import type { IntakeFiles } from "./intake-files.ts";

/** No archive of the settings can be called so. */
export const INTAKE_ARCHIVE = "push intake";

export interface IntakeArchiveOptions {
  readonly store: Pick<IntakeStore, "intakeContents">;
  readonly files: Pick<IntakeFiles, "copy">;
  readonly taker: Pick<InstanceTaker, "staging" | "random">;
}

/** What was sent to us for a project, as an archive of that project: its studies go the way of all others. */
export function createIntakeArchive(project: string, { store, files, taker }: IntakeArchiveOptions): Archive {
  return {
    name: INTAKE_ARCHIVE,
    kind: "folder",
    capabilities: { search: "itself", lists: "instances", retrieves: "instance", connects: "us" },
    associations: 1,
    echo: () => Promise.resolve(),
    findStudies: (query) => findStudies(query, project, store),
    find: async function* () {},
    async listStudy(study) {
      const contents = await store.intakeContents(project, study);
      if (contents === undefined) return { kind: "unknown" };
      const instances = contents.instances.map(({ seriesInstanceUid, sopInstanceUid, sopClassUid }) => ({
        seriesInstanceUid: parseSeriesInstanceUid(seriesInstanceUid),
        sopInstanceUid: parseSopInstanceUid(sopInstanceUid),
        sopClassUid,
      }));
      // A sender who told less than an archive knows of: no other try brings it.
      const unlisted = Math.max((contents.expected ?? 0) - instances.length, 0);
      return { kind: "instances", instances, unlisted };
    },
    retrieve: (request, signal) => retrieve(request, project, { store, files, taker }, signal),
    rehearseRetrieval: () => Promise.resolve({ kind: "nothing-to-try" }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** By its UID alone: what has the same accession number may not have been sent. */
async function findStudies(
  query: StudyQuery,
  project: string,
  store: IntakeArchiveOptions["store"],
): Promise<readonly StudyMatch[]> {
  if (query.by !== "study-uid") return [];
  const { studyInstanceUid } = query;
  const contents = await store.intakeContents(project, studyInstanceUid);
  if (contents === undefined) return [];
  return [{ studyInstanceUid, patientId: contents.patientId, accessionNumber: contents.accessionNumber }];
}

/** Copies go into staging; the originals stay until the study was delivered. */
async function retrieve(
  { studyInstanceUid, seriesInstanceUids, instances }: RetrieveRequest,
  project: string,
  { store, files, taker }: IntakeArchiveOptions,
  signal: AbortSignal,
): Promise<RetrieveOutcome> {
  const contents = await store.intakeContents(project, studyInstanceUid);
  const series = seriesInstanceUids && new Set<string>(seriesInstanceUids);
  const named = instances && new Set<string>(instances.map(({ sopInstanceUid }) => sopInstanceUid));
  const wanted = (contents?.instances ?? []).filter(
    ({ seriesInstanceUid, sopInstanceUid }) =>
      (series?.has(seriesInstanceUid) ?? true) && (named?.has(sopInstanceUid) ?? true),
  );
  let failed = 0;
  for (const { file } of wanted) {
    signal.throwIfAborted();
    if (!(await takeIn(file, studyInstanceUid, { files, taker }))) failed += 1;
  }
  return { status: 0, completed: wanted.length - failed, failed };
}

/** False when it is not whole any more, or not there. */
async function takeIn(
  file: string,
  studyInstanceUid: string,
  { files, taker: { staging, random } }: Pick<IntakeArchiveOptions, "files" | "taker">,
): Promise<boolean> {
  const copy = join(staging.incoming, `${Buffer.from(random.bytes(16)).toString("hex")}.part`);
  try {
    await files.copy(file, copy);
    await staging.adopt(copy, (staged) => staged.studyInstanceUid === studyInstanceUid);
    return true;
  } catch (thrown) {
    const { code } = toGatewayError(thrown);
    if (code === "STAGING_FULL" || code === "STAGING_UNAVAILABLE") throw thrown;
    return false;
  } finally {
    await rm(copy, { force: true });
  }
}
