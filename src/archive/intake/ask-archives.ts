import type { SopInstanceUid } from "../../dicom/uid.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { IntakeStore, QuietAnswer, QuietStudy } from "../../store/intake.ts";
import { abortAfter } from "../../units/abort.ts";
import { createSemaphore, type Semaphore } from "../../units/semaphore.ts";
import type { Archive, StudyListing } from "../archive.ts";

/** Questions that one archive is asked side by side. */
const AT_ONCE = 2;
/** An archive that has not answered by then is as one that is down. */
const TIMEOUT_MS = 60_000;
/** Longer lists are compared by their length. */
const MAXIMUM_COMPARED = 20_000;

/** What knows how much studies should hold that were sent to us. */
export interface Asker {
  /** Rules whose studies it wants to be asked of. */
  rules(): readonly string[];
  learn(study: QuietStudy, signal: AbortSignal): Promise<QuietAnswer>;
}

export interface AskerOptions {
  readonly store: Pick<IntakeStore, "committableClasses">;
  /** Names of rules and of the archive that each names. */
  readonly archiveNames: () => ReadonlyMap<string, string>;
  /** An archive as work may ask it, for as long as it is not disposed; undefined: there is none of this name now. */
  readonly archive: (name: string) => (Pick<Archive, "listStudy"> & Disposable) | undefined;
}

/**
 * Asks the archives that rules name what they have of a study. What they say is taken for how much there should be, and for no more: one that does
 * not answer, is closed or paused, or knows nothing of the study, leaves it to the quiet period.
 */
export function askArchives({ store, archiveNames, archive }: AskerOptions): Asker {
  const turns = new Map<string, Semaphore>();
  const turnOf = (name: string): Semaphore => {
    const turn = turns.get(name) ?? createSemaphore(AT_ONCE);
    turns.set(name, turn);
    return turn;
  };
  return {
    rules: () => [...archiveNames().keys()],
    async learn(study, signal) {
      const { id, rule, instances } = study;
      const name = archiveNames().get(rule) ?? "";
      const answer = (expected: number | undefined, said: QuietAnswer["detail"]): QuietAnswer => {
        return { id, instances, expected, detail: { archive: name, instances, ...said } };
      };
      using _turn = await turnOf(name).acquire(signal);
      using asked = archive(name);
      if (asked === undefined) return answer(undefined, { code: "ARCHIVE_UNKNOWN" });
      try {
        using limited = abortAfter(TIMEOUT_MS, signal);
        const listing = await asked.listStudy(parseStudyInstanceUid(study.studyInstanceUid), limited);
        if (listing.kind === "unknown") return answer(undefined, { says: "nothing" });
        const { listed, missing } = await compare(listing, instances, store);
        return answer(instances + missing, { listed, missing });
      } catch (thrown) {
        signal.throwIfAborted();
        return answer(undefined, { code: toGatewayError(thrown).code });
      }
    },
  };
}

/** By UID where they are told: what was delivered and has left since is not missing, and what nobody lists makes up for nothing. */
async function compare(
  listing: Exclude<StudyListing, { readonly kind: "unknown" }>,
  instances: number,
  store: AskerOptions["store"],
): Promise<{ readonly listed: number; readonly missing: number }> {
  const unlisted = listing.kind === "count" ? 0 : (listing.unlisted ?? 0);
  const listed = listing.kind === "count" ? listing.count : listing.instances.length + unlisted;
  if (listing.kind === "count" || listed > MAXIMUM_COMPARED)
    return { listed, missing: Math.max(listed - instances, 0) };
  const uids = listing.instances.map(({ sopInstanceUid }): SopInstanceUid => sopInstanceUid);
  const classes = await store.committableClasses(uids);
  return { listed, missing: unlisted + classes.filter((each) => each === undefined).length };
}
