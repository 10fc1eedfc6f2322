import { tags } from "../../dicom/dictionary/tags.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { type Logger, silentLogger } from "../../units/logger.ts";
import type { Archive, RetrieveOutcome, RetrieveRequest } from "../archive.ts";
import type { InstanceTaker } from "../http/staging-store.ts";
import { createFolderIndex, type FolderIndex, type FolderSnapshot } from "./folder-index.ts";
import { answersTo, oneOfEach, studiesMatching } from "./folder-search.ts";
import { textIn } from "./indexed-instance.ts";
import { takeIn } from "./take-in.ts";

export interface FolderArchiveOptions {
  readonly name: string;
  /** Absolute: of a folder, or of a zip. */
  readonly path: string;
  readonly associations: number;
  readonly taker: InstanceTaker;
  /** Told what is passed over, by reason and number. */
  readonly logger?: Logger;
  /** Where its index outlives the program; absent: it does not. */
  readonly index?: { readonly path: string; readonly isWritten: boolean };
}

/** One thing that must be right before studies are taken from it. */
export interface FolderCheck {
  readonly what: string;
  /** What is right, in a few words. @throws GatewayError with what is wrong */
  examine(signal: AbortSignal): Promise<string>;
}

export interface FolderArchive extends Archive {
  readonly checks: readonly FolderCheck[];
}

/** What lies on many disks beside studies: nobody misses it. */
const NOTHING_LOST: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["NOT_DICOM", "MEDIA_LINK_SKIPPED"]);

/** DICOM files, zips of them and media with a DICOMDIR below a folder that others write. They are read, and never changed. */
export function createFolderArchive(options: FolderArchiveOptions): FolderArchive {
  const { name, path, associations, taker, logger = silentLogger } = options;
  const keeping = options.index && { ...options.index, logger };
  const index = createFolderIndex(path, taker.clock, keeping);
  const look = told(index, options);
  return {
    name,
    kind: "folder",
    capabilities: { search: "itself", lists: "instances", retrieves: "instance", connects: "us" },
    associations,
    checks: [{ what: "can be read in all of its parts", examine: async (signal) => examined(await look(signal)) }],
    echo: async (signal) => void (await look(signal)),
    findStudies: async (query, signal) => studiesMatching(await look(signal), query),
    async *find(identifier, maximumAnswers, signal) {
      yield* answersTo(await look(signal), identifier, maximumAnswers);
    },
    async listStudy(study, signal) {
      const held = (await look(signal)).byStudy.get(study) ?? [];
      const instances = oneOfEach(held).map((instance) => ({
        seriesInstanceUid: instance.seriesInstanceUid,
        sopInstanceUid: instance.sopInstanceUid,
        sopClassUid: textIn(instance, tags.SOPClassUID) || undefined,
      }));
      return instances.length === 0 ? { kind: "unknown" } : { kind: "instances", instances };
    },
    retrieve: async (request, signal) => retrieve(await look(signal), index, taker, request, signal),
    async rehearseRetrieval(signal) {
      const isAny = (await look(signal)).instances.length > 0;
      return isAny ? { kind: "tried", status: 0, completed: 1, failed: 0 } : { kind: "nothing-to-try" };
    },
    [Symbol.asyncDispose]: () => index[Symbol.asyncDispose](),
  };
}

/** Looks, and says in the log what is passed over whenever that is not what it was. */
function told(index: FolderIndex, { name, logger = silentLogger }: FolderArchiveOptions): FolderIndex["look"] {
  let last: FolderSnapshot | undefined;
  return async (signal) => {
    const snapshot = await index.look(signal);
    if (snapshot === last) return snapshot;
    const before = last === undefined ? "" : passedOver(last);
    last = snapshot;
    const now = passedOver(snapshot);
    const { files, instances } = snapshot;
    if (now !== before)
      logger.warn("the folder holds what cannot be taken", {
        archive: name,
        files,
        instances: instances.length,
        passedOver: now,
      });
    return snapshot;
  };
}

function passedOver({ skipped }: FolderSnapshot): string {
  const lost = [...skipped].filter(([code]) => !NOTHING_LOST.has(code));
  return lost
    .map(([code, count]) => `${code} ${count}`)
    .sort()
    .join(", ");
}

/** @throws GatewayError with the most frequent reason for which something is not taken */
function examined(snapshot: FolderSnapshot): string {
  const lost = [...snapshot.skipped].filter(([code]) => !NOTHING_LOST.has(code));
  const [worst] = lost.sort(([, a], [, b]) => b - a);
  if (worst !== undefined) throw new GatewayError(worst[0], { passedOver: passedOver(snapshot) });
  const { files, instances, byStudy, skipped } = snapshot;
  const others = [skipped.get("NOT_DICOM") ?? 0, skipped.get("MEDIA_LINK_SKIPPED") ?? 0];
  return `${instances.length} instances of ${byStudy.size} studies in ${files} files; no DICOM: ${others[0]}, links: ${others[1]}`;
}

async function retrieve(
  snapshot: FolderSnapshot,
  { forget }: FolderIndex,
  taker: InstanceTaker,
  { studyInstanceUid, seriesInstanceUids, instances }: RetrieveRequest,
  signal: AbortSignal,
): Promise<RetrieveOutcome> {
  const series = seriesInstanceUids && new Set<string>(seriesInstanceUids);
  const named = instances && new Set<string>(instances.map(({ sopInstanceUid }) => sopInstanceUid));
  const wanted = oneOfEach(snapshot.byStudy.get(studyInstanceUid) ?? []).filter(
    (each) => (series?.has(each.seriesInstanceUid) ?? true) && (named?.has(each.sopInstanceUid) ?? true),
  );
  let failed = 0;
  for (const instance of wanted) {
    signal.throwIfAborted();
    await taker.pace.take(instance.sizeBytes, signal);
    if (!(await takeIn({ taker, forget }, instance, signal))) failed += 1;
  }
  signal.throwIfAborted();
  return { status: 0, completed: wanted.length - failed, failed };
}
