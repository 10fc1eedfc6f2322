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

interface Asked {
  readonly arrived: Set<SopInstanceUid>;
  readonly archive: string | undefined;
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

export function createExpectations(clock: Clock): Expectations {
  const open = new Map<StudyInstanceUid, Set<Asked>>();
  let lastActivityMs = clock.nowMs();

  return {
    expect(study, archive) {
      const arrived = new Set<SopInstanceUid>();
      const asked: Asked = { arrived, archive, listeners: new Set() };
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
