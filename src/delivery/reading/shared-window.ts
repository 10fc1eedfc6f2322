import type { Clock } from "../../units/clock.ts";
import { CHUNK_BYTES } from "./staged-copy.ts";

export interface SharingLimits {
  /** Chunks that are kept for readers which have not come to them. */
  readonly windowBytes: number;
  /** So long one that takes nothing is waited for. */
  readonly patienceMs: number;
  /** So long, in all, the others may be held up by one. */
  readonly heldUpMs: number;
}

/** One destination, as the others see it. */
export interface Reader {
  /** Paths it will read; undefined: all. */
  expected: ReadonlySet<string> | undefined;
  /** Next chunk of each file; infinite when it is done with one. */
  readonly next: Map<string, number>;
  /** The others keep nothing for one that is not. */
  isInStep: boolean;
  tookAtMs: number;
  heldUpMs: number;
  /** Until when that was counted. */
  countedToMs: number;
}

/** A chunk in memory, and who is to take it. */
interface Kept {
  readonly path: string;
  /** Of its file: destinations take files in one order. */
  readonly order: number;
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly awaitedBy: Set<Reader>;
}

/** Room for a chunk. */
interface Wanted {
  readonly order: number;
  readonly sizeBytes: number;
  /** Whether nobody is at a file before that. */
  isFirst(): boolean;
}

/** The first file always moves on, whatever is kept of later ones. */
const RESERVED_BYTES = 2 * CHUNK_BYTES;

export interface SharedWindow extends Disposable {
  readonly keptBytes: number;
  get(path: string, index: number): Uint8Array | undefined;
  /** Waits no longer than the limits say. @throws the signal's reason */
  takeRoom(reader: Reader, wanted: Wanted): Promise<void>;
  /** Of a chunk that came to nothing. */
  giveBack(sizeBytes: number): void;
  /** Room was taken for it. */
  keep(chunk: Kept): void;
  /** The reader needs these of the file no more. */
  release(reader: Reader, path: string, isIt: (index: number) => boolean): void;
  /** The reader is not waited for any more. */
  fallOut(reader: Reader): void;
}

interface State {
  readonly limits: SharingLimits;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Some dozens at most: they are looked through, not indexed. */
  readonly kept: Set<Kept>;
  /** With those that are being read. */
  keptBytes: number;
  readonly waiting: Set<() => void>;
}

/** What was read and not yet taken by all: a few chunks of a few files. */
export function createSharedWindow(limits: SharingLimits, clock: Clock, signal: AbortSignal): SharedWindow {
  const state: State = { limits, clock, signal, kept: new Set(), keptBytes: 0, waiting: new Set() };
  const onAbort = (): void => wake(state);
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    get keptBytes() {
      return state.keptBytes;
    },
    get: (path, index) => [...state.kept].find((chunk) => chunk.path === path && chunk.index === index)?.bytes,
    async takeRoom(reader, wanted) {
      const sinceMs = clock.nowMs();
      while (!fits(state, wanted)) {
        if (makeRoom(state, wanted)) continue;
        await change(state);
        judge(state, reader, wanted.order, sinceMs);
      }
      state.keptBytes += wanted.sizeBytes;
    },
    giveBack(sizeBytes) {
      state.keptBytes -= sizeBytes;
      wake(state);
    },
    keep(chunk) {
      state.kept.add(chunk);
      wake(state);
    },
    release: (reader, path, isIt) => release(state, reader, (chunk) => chunk.path === path && isIt(chunk.index)),
    fallOut: (reader) => fallOut(state, reader),
    [Symbol.dispose]() {
      signal.removeEventListener("abort", onAbort);
      state.kept.clear();
      wake(state);
    },
  };
}

function wake({ waiting }: State): void {
  for (const go of waiting) go();
}

function drop(state: State, chunk: Kept): void {
  if (!state.kept.delete(chunk)) return;
  state.keptBytes -= chunk.bytes.length;
  wake(state);
}

function release(state: State, reader: Reader, isIt: (chunk: Kept) => boolean): void {
  for (const chunk of state.kept)
    if (isIt(chunk) && chunk.awaitedBy.delete(reader) && chunk.awaitedBy.size === 0) drop(state, chunk);
}

function fallOut(state: State, reader: Reader): void {
  reader.isInStep = false;
  release(state, reader, () => true);
}

/** Of files up to this one: those that are behind are who is waited for. */
function upTo({ kept }: State, order: number): readonly Kept[] {
  return [...kept].filter((chunk) => chunk.order <= order);
}

function fits({ kept, keptBytes, limits }: State, { order, isFirst, sizeBytes }: Wanted): boolean {
  const isAlone = isFirst() && ![...kept].some((chunk) => chunk.order < order);
  return keptBytes + sizeBytes <= (isAlone ? limits.windowBytes : limits.windowBytes - RESERVED_BYTES);
}

/** What is kept of the last file makes room for the first. */
function makeRoom(state: State, { order, sizeBytes }: Wanted): boolean {
  const ahead = upTo(state, order).reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (ahead + sizeBytes > RESERVED_BYTES) return false;
  const [first, ...others] = state.kept;
  if (first === undefined) return false;
  const last = others.reduce((found, chunk) => (isBehind(chunk, found) ? chunk : found), first);
  if (last.order <= order) return false;
  drop(state, last);
  return true;
}

/** Whoever is waited for has been waited for long enough, or not. */
function judge(state: State, reader: Reader, order: number, sinceMs: number): void {
  const { patienceMs, heldUpMs } = state.limits;
  const nowMs = state.clock.nowMs();
  for (const slow of new Set(upTo(state, order).flatMap(({ awaitedBy }) => [...awaitedBy]))) {
    slow.heldUpMs += Math.max(0, nowMs - Math.max(sinceMs, reader.tookAtMs, slow.countedToMs));
    slow.countedToMs = nowMs;
    const silentMs = nowMs - Math.max(sinceMs, slow.tookAtMs);
    if (silentMs >= patienceMs || slow.heldUpMs >= heldUpMs) fallOut(state, slow);
  }
}

/** Somebody took something, or the longest time that anybody is waited for is over. @throws the signal's reason */
async function change({ waiting, clock, limits, signal }: State): Promise<void> {
  const stop = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  waiting.add(resolve);
  clock.sleep(limits.patienceMs, stop.signal).then(resolve, resolve);
  await promise;
  waiting.delete(resolve);
  stop.abort();
  signal.throwIfAborted();
}

function isBehind(one: Kept, other: Kept): boolean {
  return one.order === other.order ? one.index > other.index : one.order > other.order;
}
