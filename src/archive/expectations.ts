import type { SopInstanceUid, StudyInstanceUid } from "../dicom/uid.ts";
import type { ErrorCode } from "../errors/registry.ts";
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

/** Why instances that were sent to us are not in staging, so that a study lacking them can say so. */
export interface Refusals {
  noteRefusal(sopInstanceUid: string, code: ErrorCode): void;
  /** The code with which one of the instances was last refused; it is told once, as the next try may end otherwise. */
  takeReason(sopInstanceUids: readonly string[]): ErrorCode | undefined;
}

const MAXIMUM_REFUSALS = 10_000;

export function createRefusals(): Refusals {
  const codes = new Map<string, ErrorCode>();
  return {
    noteRefusal(sopInstanceUid, code) {
      codes.delete(sopInstanceUid);
      codes.set(sopInstanceUid, code);
      const [oldest] = codes.keys();
      if (codes.size > MAXIMUM_REFUSALS && oldest !== undefined) codes.delete(oldest);
    },
    takeReason(sopInstanceUids) {
      const found = sopInstanceUids.map((uid) => codes.get(uid)).find((code) => code !== undefined);
      for (const uid of sopInstanceUids) codes.delete(uid);
      return found;
    },
  };
}

/** Who asked for what: an instance of a study that nobody expects is refused, not stored. */
export interface Expectations {
  /** @param archive that it is asked of, where others are to send it */
  expect(study: StudyInstanceUid, archive?: string): Expectation;
  /** The archive that the study was asked of last; undefined when it came over connections of our own. */
  askedOf(study: StudyInstanceUid): string | undefined;
  isExpected(study: StudyInstanceUid): boolean;
  /** When bytes last reached a receiver. */
  readonly lastActivityMs: number;
  /** Called by receivers: bytes came in, whichever study they belong to. */
  noteActivity(): void;
  noteArrival(study: StudyInstanceUid, instance: SopInstanceUid): void;
}

const LOOK_AGAIN_MS = 25;

interface Asked {
  readonly arrived: Set<SopInstanceUid>;
  readonly archive: string | undefined;
}

export function createExpectations(clock: Clock): Expectations {
  const open = new Map<StudyInstanceUid, Set<Asked>>();
  let lastActivityMs = clock.nowMs();

  return {
    expect(study, archive) {
      const arrived = new Set<SopInstanceUid>();
      const asked = { arrived, archive };
      const ofStudy = open.get(study) ?? new Set();
      ofStudy.add(asked);
      open.set(study, ofStudy);
      return {
        arrived,
        async settled(wanted, quietMs, signal) {
          const startedAtMs = clock.nowMs();
          while ([...wanted].some((instance) => !arrived.has(instance))) {
            if (clock.nowMs() - Math.max(lastActivityMs, startedAtMs) >= quietMs) return;
            await clock.sleep(Math.min(LOOK_AGAIN_MS, quietMs), signal);
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
    get lastActivityMs() {
      return lastActivityMs;
    },
    noteActivity() {
      lastActivityMs = clock.nowMs();
    },
    noteArrival(study, instance) {
      lastActivityMs = clock.nowMs();
      for (const { arrived } of open.get(study) ?? []) arrived.add(instance);
    },
  };
}
