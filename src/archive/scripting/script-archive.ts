import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { neverAborted } from "../../units/abort.ts";
import type { Clock } from "../../units/clock.ts";
import type { Archive } from "../archive.ts";
import { identifierFromKeys } from "../find-keys.ts";
import type { FolderStorage } from "./folder-storage.ts";
import { type Ask, type FoundStudy, foundStudies } from "./found.ts";
import { createQueryCache } from "./query-cache.ts";
import { type Retrievable, type RetrievedFiles, retrieveFiles } from "./retrieve-files.ts";

/** Attributes to match by keyword, as in `{ PatientID: "4711", StudyDate: "20260101-20260131" }`. */
export type StudyKeys = Readonly<Record<string, string>>;

export interface FindOptions {
  /** Attributes to return beside the usual ones, by keyword. */
  readonly include?: readonly string[];
  /** @default 10000 */
  readonly maximumAnswers?: number;
  readonly signal?: AbortSignal;
}

/** An archive as scripts use it. */
export interface ScriptArchive extends AsyncDisposable {
  /** The archive itself. */
  readonly archive: Archive;
  /**
   * Studies as they are found; their series and instances are asked for when they are gone through.
   * @throws GatewayError QUERY_KEY_UNKNOWN, FIND_LIMIT_REACHED when there are more
   */
  find(keys: StudyKeys, options?: FindOptions): AsyncIterable<FoundStudy>;
  /** Into the storage that the archive was opened with. @throws GatewayError of the archive */
  retrieve(what: Retrievable | UidTexts, options?: { readonly signal?: AbortSignal }): Promise<RetrievedFiles>;
}

/** UIDs as texts, which are checked. */
export interface UidTexts {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid?: string;
  readonly sopInstanceUid?: string;
}

export interface ScriptArchiveOptions {
  readonly archive: Archive;
  /** The one that the archive's instances are taken by. */
  readonly storage: FolderStorage;
  /** Answers hold for so long. Absent: every question is asked. */
  readonly cacheExpiryMs?: number | undefined;
  readonly clock: Clock;
}

const USUAL_ANSWERS = 10_000;

export function createScriptArchive({ archive, storage, cacheExpiryMs, clock }: ScriptArchiveOptions): ScriptArchive {
  const askFor = ({ maximumAnswers = USUAL_ANSWERS, signal = neverAborted() }: FindOptions): Ask => {
    return (identifier) => archive.find(identifier, maximumAnswers, signal);
  };
  const cache = cacheExpiryMs === undefined ? undefined : createQueryCache({ expiryMs: cacheExpiryMs, clock });
  return {
    archive,
    find(keys, options = {}) {
      const matching = Object.entries(keys).map(([keyword, value]) => `${keyword}=${value}`);
      const identifier = identifierFromKeys("STUDY", [...(options.include ?? []), ...matching]);
      const ask = askFor(options);
      return foundStudies(cache?.(ask) ?? ask, identifier);
    },
    async retrieve(what, { signal = neverAborted() } = {}) {
      return await retrieveFiles(archive, checked(what), storage, signal);
    },
    [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
  };
}

/** @throws RangeError for what is no UID */
function checked({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }: Retrievable | UidTexts): Retrievable {
  return {
    studyInstanceUid: parseStudyInstanceUid(studyInstanceUid),
    ...(seriesInstanceUid === undefined ? {} : { seriesInstanceUid: parseSeriesInstanceUid(seriesInstanceUid) }),
    ...(sopInstanceUid === undefined ? {} : { sopInstanceUid: parseSopInstanceUid(sopInstanceUid) }),
  };
}
