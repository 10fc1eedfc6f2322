import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../../src/units/clock.ts";
import type { Random } from "../../src/units/random.ts";

/** One life of one machine's program: from its start to its end. What waits in it when it is dead waits for ever. */
export interface Life {
  readonly node: string;
  isAlive: boolean;
  /** How far its clock is ahead of true time; negative: behind. */
  skewMs: number;
  /** In true time: when its machine was switched on. */
  bootedAtMs: number;
}

interface Happening {
  readonly atMs: number;
  /** Of those due at one moment, chance decides. */
  readonly lot: number;
  readonly life: Life | undefined;
  readonly run: () => void;
}

/** What happens whoever lives. */
export const NOBODY: Life = { node: "-", isAlive: true, skewMs: 0, bootedAtMs: 0 };

/** Whose code runs. Outside of every life: the simulation's own. */
export const lives = new AsyncLocalStorage<Life>();

/** True time, what is due in it, and chance. Everything that a program waits for is a happening here, so the seed decides every order. */
export interface Scheduler {
  readonly nowMs: number;
  readonly random: Random;
  readonly steps: number;
  /** A number that sums up every step so far. */
  readonly trace: number;
  note(text: string): void;
  chance(probability: number): boolean;
  between(least: number, most: number): number;
  pick<T>(items: readonly T[]): T;
  /** In the life of who asks, unless told otherwise: with its end it is called off. Returns how to call it off. */
  at(atMs: number, run: () => void, life?: Life): () => void;
  /** Something that takes a while: what `perform` answers or throws, later. */
  later<T>(delayMs: number, perform: () => T): Promise<T>;
  clockOf(life: Life): Clock;
  /** Lets the earliest happen, and then everything that follows from it at once. False: nothing is left. */
  step(): Promise<boolean>;
}

/** FNV-1a. */
const HASH_OFFSET = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

export function createScheduler(random: Random, startMs: number): Scheduler {
  const heap: Happening[] = [];
  let nowMs = startMs;
  let steps = 0;
  let trace = HASH_OFFSET;
  const note = (text: string): void => {
    for (let index = 0; index < text.length; index += 1)
      trace = Math.imul(trace ^ text.charCodeAt(index), HASH_PRIME) >>> 0;
  };
  const at: Scheduler["at"] = (atMs, run, life = lives.getStore()) => {
    let isCalledOff = false;
    const happening = { atMs: Math.max(atMs, nowMs), lot: random.next(), life, run: () => isCalledOff || run() };
    push(heap, happening);
    return () => {
      isCalledOff = true;
    };
  };
  const later = <T>(delayMs: number, perform: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      at(nowMs + delayMs, () => {
        try {
          resolve(perform());
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
  return {
    get nowMs() {
      return nowMs;
    },
    get steps() {
      return steps;
    },
    get trace() {
      return trace;
    },
    random,
    note,
    chance: (probability) => random.next() < probability,
    between: (least, most) => least + random.next() * (most - least),
    pick: (items) => {
      const item = items[Math.floor(random.next() * items.length)];
      if (item === undefined) throw new RangeError("nothing to pick from");
      return item;
    },
    at,
    later,
    clockOf: (life) => ({
      nowMs: () => Math.floor(nowMs + life.skewMs),
      sleep: (durationMs, signal) => sleep(at, nowMs + durationMs, signal),
    }),
    async step() {
      for (let next = pop(heap); next !== undefined; next = pop(heap)) {
        if (next.life?.isAlive === false) continue;
        nowMs = next.atMs;
        steps += 1;
        const { life, run } = next;
        if (life === undefined || life === NOBODY) lives.exit(run);
        else lives.run(life, run);
        // All that follows without waiting is done when a turn of the event loop is over.
        await new Promise((resolve) => setImmediateOfNode(resolve));
        note(`${nowMs.toFixed(3)} ${life?.node ?? "-"}`);
        return true;
      }
      return false;
    },
  };
}

const setImmediateOfNode = setImmediate;

function sleep(at: Scheduler["at"], atMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      callOff();
      reject(signal?.reason);
    };
    const callOff = at(atMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.atMs === b.atMs ? a.lot < b.lot : a.atMs < b.atMs;
}

function push(heap: Happening[], happening: Happening): void {
  let place = heap.push(happening) - 1;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || isBefore(above, happening)) break;
    heap[place] = above;
    place = parent;
  }
  heap[place] = happening;
}

function pop(heap: Happening[]): Happening | undefined {
  const [first] = heap;
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    const [left, right] = [heap[child], heap[child + 1]];
    if (left === undefined) break;
    let least = left;
    if (right !== undefined && isBefore(right, left)) {
      least = right;
      child += 1;
    }
    if (!isBefore(least, last)) break;
    heap[place] = least;
    place = child;
  }
  heap[place] = last;
  return first;
}
