import type { SopInstanceUid, StudyInstanceUid } from "../dicom/uid.ts";
import type { Clock } from "../units/clock.ts";

/** A study that a retrieval is waiting for. Disposing ends the expectation. */
export interface Expectation extends Disposable {
  readonly arrived: ReadonlySet<SopInstanceUid>;
  /**
   * Resolves when everything of `wanted` has arrived, or when nothing at all has reached the receiver for `quietMs`.
   * Archives may answer "success" before their C-STOREs are through, so a final answer alone ends no wait.
   */
  settled(wanted: ReadonlySet<SopInstanceUid>, quietMs: number, signal: AbortSignal): Promise<void>;
}

/** Who asked for what: an instance of a study that nobody expects is refused, not stored. */
export interface Expectations {
  expect(study: StudyInstanceUid, about?: AskedAbout): Expectation;
  /** The archive that the study was asked of last; undefined when it came over connections of our own. */
  askedOf(study: StudyInstanceUid): string | undefined;
  isExpected(study: StudyInstanceUid): boolean;
  /** Of which expected study an instance that could not be taken is, and for which job; undefined: nobody can tell. */
  whose(sent: SentInstance): Wanted | undefined;
  /** When bytes last reached a receiver. */
  readonly lastActivityMs: number;
  /** Called by receivers: bytes came in, whichever study they belong to. */
  noteActivity(): void;
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

export function createExpectations(clock: Clock): Expectations {
  const open = new Map<StudyInstanceUid, Set<Asked>>();
  let lastActivityMs = clock.nowMs();

  return {
    expect(study, about) {
      const arrived = new Set<SopInstanceUid>();
      const asked: Asked = { ...about, arrived, listeners: new Set() };
      const ofStudy = open.get(study) ?? new Set();
      ofStudy.add(asked);
      open.set(study, ofStudy);
      return {
        arrived,
        async settled(wanted, quietMs, signal) {
          const missing = new Set([...wanted].filter((instance) => !arrived.has(instance)));
          using last = whenLastArrives(asked, missing);
          const until = AbortSignal.any([signal, last.signal]);
          const startedAtMs = clock.nowMs();
          while (missing.size > 0) {
            signal.throwIfAborted();
            const quietLeftMs = Math.max(lastActivityMs, startedAtMs) + quietMs - clock.nowMs();
            if (quietLeftMs <= 0) return;
            await clock.sleep(quietLeftMs, until).catch((thrown: unknown) => {
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
    get lastActivityMs() {
      return lastActivityMs;
    },
    noteActivity() {
      lastActivityMs = clock.nowMs();
    },
    noteArrival(study, instance) {
      lastActivityMs = clock.nowMs();
      for (const { arrived, listeners } of open.get(study) ?? []) {
        arrived.add(instance);
        for (const listener of listeners) listener(instance);
      }
    },
  };
}
