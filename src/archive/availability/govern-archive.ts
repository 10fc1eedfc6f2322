import type { StudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { retryAfterOf } from "../../network/http-client/http-error.ts";
import type { ArchiveCondition, BreakerPolicy } from "../../store/archive-condition.ts";
import type { Store } from "../../store/store.ts";
import type { Clock } from "../../units/clock.ts";
import type { Archive, RetrieveRequest } from "../archive.ts";
import { contentsOf, type StudyContents } from "../contents.ts";
import type { Pace } from "./pace.ts";
import { type AvailabilityPolicy, BREAKER_POLICY, openingHoursOf, policyInForce } from "./policy.ts";
import { createTurns, type Turns } from "./turns.ts";

/** An archive that is asked as it allows. */
export interface GovernedArchive extends Archive {
  /** How much of the wanted series it has of a study; as with all work, only while it may be asked. */
  contents(study: StudyInstanceUid, only: readonly string[] | undefined, signal: AbortSignal): Promise<StudyContents>;
  /**
   * Does what asks the archive itself, within its windows and not while it is paused or rests. How it ends does not count as the archive's
   * failure: a broad question may be refused by one that is well.
   */
  whileOpen<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>;
}

export type ConditionStore = Pick<
  Store,
  "archiveCondition" | "admitToArchive" | "judgeArchive" | "takeStudySlot" | "spareArchive"
>;

export interface Governance {
  readonly policy: AvailabilityPolicy;
  readonly store: ConditionStore;
  readonly clock: Clock;
  /** The one that the archive's instances are taken by. */
  readonly pace: Pace;
  /** How many nodes there are to share the bytes a second. @default one */
  readonly sharers?: (() => number) | undefined;
  /** @default BREAKER_POLICY */
  readonly breaker?: BreakerPolicy;
}

/** A paused archive wakes who waits for it; this is for the case that the word got lost. */
const LOOK_AGAIN_MS = 3_600_000;
/** A study whose turn is as near as this waits for it in place. */
const WAIT_IN_PLACE_MS = 5_000;
/** How soon work in progress hears of a pause, or of another rate. */
const WATCH_MS = 1_000;

/** Errors of work that cannot go on now though nothing failed: the time it may go on is in `details.untilMs`. */
export const AVAILABILITY_CODES: ReadonlySet<ErrorCode> = new Set([
  "ARCHIVE_ASKED_TO_WAIT",
  "ARCHIVE_CLOSED",
  "ARCHIVE_PAUSED",
  "ARCHIVE_RATE_LIMITED",
  "ARCHIVE_RESTING",
  "STUDY_ON_OTHER_NODE",
]);

/**
 * The archive as the pipeline may use it: within its windows, at its rate, not while it is paused or rests after failures. Work in
 * progress ends when the archive is paused; what was begun within a window may end after it. People who look round themselves (`echo`,
 * `find`, a rehearsal) are not held back, and an answered echo ends a rest.
 */
export function governArchive(archive: Archive, governance: Governance): GovernedArchive {
  const turns = createTurns();
  const truce = createTruce(archive.name, governance);
  const governed = async <T>(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
    begun?: StudyInstanceUid,
  ) => {
    const condition = await admit(archive.name, governance, truce, signal);
    if (begun !== undefined) await waitForTurn(archive.name, governance, condition, { turns, study: begun, signal });
    await using watch = watchCondition(archive.name, governance, truce, signal);
    return await truce.agreed(judged(archive.name, governance, signal, () => work(watch.signal)));
  };
  return {
    name: archive.name,
    kind: archive.kind,
    capabilities: archive.capabilities,
    associations: archive.associations,
    async echo(signal) {
      await judged(archive.name, governance, signal, () => archive.echo(signal));
      await truce.end();
    },
    find: (identifier, maximumAnswers, signal) => archive.find(identifier, maximumAnswers, signal),
    rehearseRetrieval: (signal) => archive.rehearseRetrieval(signal),
    findStudies: (query, signal) => governed(signal, (watched) => archive.findStudies(query, watched)),
    listStudy: (study, signal) => governed(signal, (watched) => archive.listStudy(study, watched)),
    contents: (study, only, signal) => governed(signal, (watched) => contentsOf(archive, study, only, watched)),
    async whileOpen(work, signal) {
      await admit(archive.name, governance, truce, signal);
      await using watch = watchCondition(archive.name, governance, truce, signal);
      return await work(watch.signal);
    },
    async retrieve(request, signal) {
      const asked = { ...request, isSpared: truce.isOn };
      const outcome = await governed(signal, (watched) => archive.retrieve(asked, watched), begunBy(request));
      await truce.begin(outcome.retryAfterMs);
      return outcome;
    },
    [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
  };
}

/** An archive that asked to be left alone is, by all nodes that would ask it, and after a restart too. */
interface Truce {
  /** @param durationMs undefined: it did not ask */
  begin(durationMs: number | undefined): Promise<void>;
  end(): Promise<void>;
  /** Takes note of what another node was told. */
  note(condition: ArchiveCondition): void;
  /** As far as it is known here: another node's is within a second. */
  isOn(): boolean;
  /** @throws GatewayError ARCHIVE_ASKED_TO_WAIT */
  keep(): void;
  /** Takes note of what was thrown. */
  agreed<T>(work: Promise<T>): Promise<T>;
}

function createTruce(name: string, { store, clock }: Governance): Truce {
  let untilMs = 0;
  let beginning = 0;
  const begin = async (durationMs: number | undefined): Promise<void> => {
    if (durationMs === undefined) return;
    const asked = Math.ceil(clock.nowMs() + durationMs);
    untilMs = Math.max(untilMs, asked);
    beginning += 1;
    await store.spareArchive(name, asked).finally(() => {
      beginning -= 1;
    });
  };
  const isOn = (): boolean => clock.nowMs() < untilMs;
  return {
    begin,
    isOn,
    async end() {
      const { sparedUntilMs } = await store.archiveCondition(name);
      if (clock.nowMs() < sparedUntilMs) await store.spareArchive(name, undefined);
      untilMs = 0;
    },
    note(condition) {
      // What is being written down is not in it yet.
      untilMs = Math.max(condition.sparedUntilMs, beginning > 0 ? untilMs : 0);
    },
    keep() {
      if (isOn()) throw waitUntil("ARCHIVE_ASKED_TO_WAIT", name, untilMs);
    },
    agreed: (work) =>
      work.catch(async (thrown: unknown) => {
        await begin(retryAfterOf(thrown));
        throw thrown;
      }),
  };
}

/** Asking for what is missing of a study goes on with it. */
function begunBy({ instances, studyInstanceUid }: RetrieveRequest): StudyInstanceUid | undefined {
  return instances === undefined ? studyInstanceUid : undefined;
}

/** @throws GatewayError ARCHIVE_PAUSED, ARCHIVE_ASKED_TO_WAIT, ARCHIVE_CLOSED, ARCHIVE_RESTING, each with `untilMs` */
async function admit(name: string, governance: Governance, truce: Truce, signal: AbortSignal) {
  const { policy, store, clock, breaker = BREAKER_POLICY } = governance;
  signal.throwIfAborted();
  const nowMs = clock.nowMs();
  const condition = await store.archiveCondition(name);
  if (condition.paused) throw waitUntil("ARCHIVE_PAUSED", name, nowMs + LOOK_AGAIN_MS);
  truce.note(condition);
  truce.keep();
  const inForce = policyInForce(policy, condition);
  setPace(governance, inForce);
  const opensMs = openingHoursOf(inForce).nextOpeningMs(nowMs);
  if (opensMs !== nowMs) throw waitUntil("ARCHIVE_CLOSED", name, opensMs ?? nowMs + LOOK_AGAIN_MS);
  if (condition.breaker.state === "closed") return condition;
  const admission = await store.admitToArchive(name, breaker, nowMs);
  if (admission.kind === "resting") throw waitUntil("ARCHIVE_RESTING", name, admission.untilMs, admission.code);
  return condition;
}

function setPace({ pace, sharers }: Governance, { bytesPerSecond }: AvailabilityPolicy): void {
  pace.set(bytesPerSecond && bytesPerSecond / Math.max(sharers?.() ?? 1, 1));
}

/** @throws GatewayError ARCHIVE_RATE_LIMITED with `untilMs`; the signal's reason */
async function waitForTurn(
  name: string,
  { policy, store, clock }: Governance,
  condition: ArchiveCondition,
  { turns, study, signal }: { readonly turns: Turns; readonly study: StudyInstanceUid; readonly signal: AbortSignal },
): Promise<void> {
  const { studiesPerMinute } = policyInForce(policy, condition);
  if (studiesPerMinute === undefined) return turns.taken(study);
  const intervalMs = 60_000 / studiesPerMinute;
  const nowMs = clock.nowMs();
  const slot = await store.takeStudySlot(name, { intervalMs, maximumWaitMs: WAIT_IN_PLACE_MS }, nowMs);
  if (slot.kind === "later")
    throw waitUntil("ARCHIVE_RATE_LIMITED", name, Math.ceil(turns.next(study, intervalMs, slot.atMs, nowMs)));
  turns.taken(study);
  if (slot.atMs > nowMs) await clock.sleep(slot.atMs - nowMs, signal);
}

/** Lets the breaker know how the archive fared. What we gave up ourselves says nothing of it. */
async function judged<T>(
  name: string,
  { store, clock, breaker: policy = BREAKER_POLICY }: Governance,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const result = await work();
    const { breaker } = await store.archiveCondition(name);
    const isKnownWell = breaker.state === "closed" && breaker.failures === 0;
    if (!isKnownWell) await store.judgeArchive(name, undefined, policy, clock.nowMs());
    return result;
  } catch (thrown) {
    const error = toGatewayError(thrown);
    const isItsFailure = error.class !== "permanent" && !AVAILABILITY_CODES.has(error.code) && !signal.aborted;
    if (isItsFailure) await store.judgeArchive(name, error.code, policy, clock.nowMs());
    throw thrown;
  }
}

interface Watch extends AsyncDisposable {
  readonly signal: AbortSignal;
}

/** Ends work when the archive is paused while it runs, hears of what it asked of others, and keeps the pace as it was last set. */
function watchCondition(name: string, governance: Governance, truce: Truce, outer: AbortSignal): Watch {
  const { policy, store, clock } = governance;
  const paused = new AbortController();
  const stop = new AbortController();
  const look = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await clock.sleep(WATCH_MS, stop.signal);
      const condition = await store.archiveCondition(name);
      truce.note(condition);
      setPace(governance, policyInForce(policy, condition));
      if (condition.paused) {
        paused.abort(waitUntil("ARCHIVE_PAUSED", name, clock.nowMs() + LOOK_AGAIN_MS));
        return;
      }
    }
  };
  const looking = look().catch((thrown: unknown) => {
    if (!stop.signal.aborted) paused.abort(thrown);
  });
  return {
    signal: AbortSignal.any([outer, paused.signal]),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await looking;
    },
  };
}

function waitUntil(code: ErrorCode, archive: string, untilMs: number, cause?: ErrorCode): GatewayError {
  return new GatewayError(code, { archive, untilMs, ...(cause === undefined ? {} : { cause }) });
}
