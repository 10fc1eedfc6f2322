import type { SopInstanceUid, StudyInstanceUid } from "../dicom/uid.ts";
import type { Clock } from "../units/clock.ts";

/** A study that a retrieval is waiting for. Disposing ends the expectation. */
export interface Expectation extends Disposable {
  readonly arrived: ReadonlySet<SopInstanceUid>;
  /** When the last of them came; when it began, as long as none has. */
  readonly lastArrivalMs: number;
  /**
   * Resolves when everything of `wanted` has arrived, when the archive has sent nothing at all for `quietMs`, or nothing of
   * this study for `longestMs`. Archives may answer "success" before their C-STOREs are through, so a final answer alone ends
   * no wait; what they still send may have to wait for other studies.
   */
  settled(wanted: ReadonlySet<SopInstanceUid>, patience: QuietPatience, signal: AbortSignal): Promise<void>;
}

export interface QuietPatience {
  readonly quietMs: number;
  readonly longestMs: number;
}

/** Who asked for what: an instance of a study that nobody expects is refused, not stored. */
export interface Expectations {
  expect(study: StudyInstanceUid, about?: AskedAbout): Expectation;
  /** The archive that the study was asked of last; undefined when it came over connections of our own. */
  askedOf(study: StudyInstanceUid): string | undefined;
  isExpected(study: StudyInstanceUid): boolean;
  /** Of which expected study an instance that could not be taken is, and for which job; undefined: nobody can tell. */
  whose(sent: SentInstance): Wanted | undefined;
  /** When bytes of this archive last came, or of whoever: one that sends another study is at work. */
  lastActivityMs(archive: string | undefined): number;
  /** Bytes came in, whichever study they belong to. @param archive that sends them; undefined: nobody knows which */
  noteActivity(archive: string | undefined): void;
  noteArrival(study: StudyInstanceUid, instance: SopInstanceUid): void;
}

export interface AskedAbout {
  /** The archive that it is asked of, where others are to send it. */
  readonly archive?: string | undefined;
  /** The study job that asks. */
  readonly job?: string | undefined;
  /** What should come of it, where the archive listed it. */
  readonly wanted?: ReadonlySet<SopInstanceUid> | undefined;
}

/** What is known of an instance that was sent: UIDs as announced and as it names itself, none of them checked. */
export interface SentInstance {
  readonly sopInstanceUids: readonly string[];
  readonly studyInstanceUid: string | undefined;
  /** Its sender was told to by C-MOVE. */
  readonly isMoved: boolean;
}

export interface Wanted {
  readonly study: StudyInstanceUid;
  readonly job: string | undefined;
}

interface Asked extends AskedAbout {
  readonly arrived: Set<SopInstanceUid>;
  /** Who waits for instances; told of each. */
  readonly listeners: Set<(instance: SopInstanceUid) => void>;
  /** The last of them. */
  arrivedAtMs: number;
}

/** @param missing shrinks as they arrive; the signal is aborted with the last */
function whenLastArrives(
  { listeners }: Asked,
  missing: Set<SopInstanceUid>,
): Disposable & { readonly signal: AbortSignal } {
  const complete = new AbortController();
  const listener = (instance: SopInstanceUid): void => {
    missing.delete(instance);
    if (missing.size === 0) complete.abort();
  };
  listeners.add(listener);
  return { signal: complete.signal, [Symbol.dispose]: () => void listeners.delete(listener) };
}

type Open = ReadonlyMap<StudyInstanceUid, ReadonlySet<Asked>>;

/** The listed ones come first: what an instance says of itself may be what is wrong with it. */
function studyOf(
  open: Open,
  { sopInstanceUids, studyInstanceUid, isMoved }: SentInstance,
): StudyInstanceUid | undefined {
  const studies = [...open.keys()];
  const isListed = ({ wanted }: Asked): boolean => sopInstanceUids.some((uid) => wanted?.has(uid as SopInstanceUid));
  const byListing = studies.find((study) => [...(open.get(study) ?? [])].some(isListed));
  if (byListing !== undefined) return byListing;
  if (studyInstanceUid !== undefined) return studies.find((study) => study === studyInstanceUid);
  const moved = studies.filter((study) => [...(open.get(study) ?? [])].some(({ archive }) => archive !== undefined));
  return isMoved && moved.length === 1 ? moved[0] : undefined;
}

/** When bytes came, by the archives that sent them: there are as many as are configured. */
function noteActivities(clock: Clock) {
  const byArchive = new Map<string | undefined, number>();
  const startedAtMs = clock.nowMs();
  return {
    lastMs: (archive: string | undefined): number =>
      Math.max(startedAtMs, byArchive.get(undefined) ?? 0, byArchive.get(archive) ?? 0),
    note: (archive: string | undefined): void => void byArchive.set(archive, clock.nowMs()),
  };
}

export function createExpectations(clock: Clock): Expectations {
  const open = new Map<StudyInstanceUid, Set<Asked>>();
  const activity = noteActivities(clock);

  return {
    expect(study, about) {
      const arrived = new Set<SopInstanceUid>();
      const asked: Asked = { ...about, arrived, listeners: new Set(), arrivedAtMs: clock.nowMs() };
      const ofStudy = open.get(study) ?? new Set();
      ofStudy.add(asked);
      open.set(study, ofStudy);
      return {
        arrived,
        get lastArrivalMs() {
          return asked.arrivedAtMs;
        },
        async settled(wanted, { quietMs, longestMs }, signal) {
          const missing = new Set([...wanted].filter((instance) => !arrived.has(instance)));
          using last = whenLastArrives(asked, missing);
          const until = AbortSignal.any([signal, last.signal]);
          const startedAtMs = clock.nowMs();
          while (missing.size > 0) {
            signal.throwIfAborted();
            const nowMs = clock.nowMs();
            const quietLeftMs = Math.max(activity.lastMs(about?.archive), startedAtMs) + quietMs - nowMs;
            const leftMs = Math.min(quietLeftMs, Math.max(asked.arrivedAtMs, startedAtMs) + longestMs - nowMs);
            if (leftMs <= 0) return;
            await clock.sleep(leftMs, until).catch((thrown: unknown) => {
              if (!last.signal.aborted) throw thrown;
            });
          }
        },
        [Symbol.dispose]() {
          ofStudy.delete(asked);
          if (ofStudy.size === 0) open.delete(study);
        },
      };
    },
    askedOf: (study) => [...(open.get(study) ?? [])].findLast(({ archive }) => archive !== undefined)?.archive,
    isExpected: (study) => open.has(study),
    whose(sent) {
      const study = studyOf(open, sent);
      if (study === undefined) return undefined;
      return { study, job: [...(open.get(study) ?? [])].findLast(({ job }) => job !== undefined)?.job };
    },
    lastActivityMs: activity.lastMs,
    noteActivity: activity.note,
    noteArrival(study, instance) {
      for (const asked of open.get(study) ?? []) {
        if (asked.archive !== undefined) activity.note(asked.archive);
        asked.arrivedAtMs = clock.nowMs();
        asked.arrived.add(instance);
        for (const listener of asked.listeners) listener(instance);
      }
    },
  };
}
