import { beforeEach, expect, test } from "vitest";
import type { PermitWish } from "../store/nodes.ts";
import { createSharedPermits } from "../store/shared-permits.ts";
import { silentLogger } from "../units/logger.ts";
import { createManualClock, type ManualClock } from "../units/manual-clock.testing.ts";
import { seededRandom } from "../units/random.ts";
import { type Alone, createAlone } from "./keep-alone.ts";

let clock: ManualClock;
/** By resource: who holds it, and until when. */
let held: Map<string, { readonly holder: string; readonly untilMs: number }>;
let cutOff: ReadonlySet<string>;
/** Nothing tells them that there is no way: what they ask is given up after a while. */
let unheard: ReadonlySet<string>;
let working: string[];

const GIVEN_UP_MS = 35_000;

beforeEach(() => {
  clock = createManualClock();
  held = new Map();
  cutOff = new Set();
  unheard = new Set();
  working = [];
});

function aloneOf(node: string): Alone {
  const asked = async (): Promise<void> => {
    if (unheard.has(node)) await clock.sleep(GIVEN_UP_MS);
    if (cutOff.has(node) || unheard.has(node)) throw new Error("no way to the store");
  };
  const store = {
    async takePermit({ resource, holder }: PermitWish, leaseMs: number, nowMs: number) {
      await asked();
      const other = held.get(resource);
      if (other !== undefined && other.holder !== holder && other.untilMs > nowMs) return false;
      held.set(resource, { holder, untilMs: nowMs + leaseMs });
      return true;
    },
    renewPermits: async () => 0,
    async returnPermit(resource: string) {
      await asked();
      return held.delete(resource);
    },
  };
  const permits = createSharedPermits({ store, node, clock, random: seededRandom(1) });
  return createAlone({ permits, clock, logger: silentLogger });
}

const worker = (name: string) => (): AsyncDisposable => {
  working.push(name);
  return {
    async [Symbol.asyncDispose]() {
      working = working.filter((other) => other !== name);
    },
  };
};

test("one node does it at a time, and another goes on as soon as it has ended", async () => {
  const north = await aloneOf("north").keep("standing", worker("north"));
  await clock.advance(1);
  await using _ = await aloneOf("east").keep("standing", worker("east"));
  await clock.advance(100_000);
  expect(working).toEqual(["north"]);
  await north[Symbol.asyncDispose]();
  await clock.advance(2_000);
  expect(working).toEqual(["east"]);
});

test("who cannot begin it leaves the turn to another", async () => {
  const failing = () => Promise.reject(new Error("its disk is not there"));
  await using _north = await aloneOf("north").keep("standing", failing);
  await clock.advance(1);
  await using _east = await aloneOf("east").keep("standing", worker("east"));
  await clock.advance(2_000);
  expect(working).toEqual(["east"]);
});

test("who cannot ask whether it is still his turn stops before another one begins", async () => {
  await using _north = await aloneOf("north").keep("standing", worker("north"));
  await clock.advance(1);
  await using _east = await aloneOf("east").keep("standing", worker("east"));
  cutOff = new Set(["north"]);
  for (let second = 0; second < 60; second += 1) {
    await clock.advance(1_000);
    expect(working.length).toBeLessThanOrEqual(1);
  }
  expect(working).toEqual(["east"]);
});

test("who hears nothing when he asks whether it is still his turn stops before another one begins, and goes on when it is his again", async () => {
  await using _north = await aloneOf("north").keep("standing", worker("north"));
  await clock.advance(1);
  const east = await aloneOf("east").keep("standing", worker("east"));
  unheard = new Set(["north"]);
  for (let second = 0; second < 60; second += 1) {
    await clock.advance(1_000);
    expect(working.length).toBeLessThanOrEqual(1);
  }
  expect(working).toEqual(["east"]);
  unheard = new Set();
  await east[Symbol.asyncDispose]();
  await clock.advance(GIVEN_UP_MS);
  expect(working).toEqual(["north"]);
});

test("what one node is doing once is not done beside it", async () => {
  const [north, east] = [aloneOf("north"), aloneOf("east")];
  const done: string[] = [];
  await north.once("sweep", async () => {
    done.push("north");
    await east.once("sweep", async () => void done.push("east"));
  });
  expect(done).toEqual(["north"]);
  await east.once("sweep", async () => void done.push("east"));
  expect(done).toEqual(["north", "east"]);
});

test("without other nodes it begins at once", async () => {
  const alone = createAlone({ permits: undefined, clock, logger: silentLogger });
  await using _ = await alone.keep("standing", worker("only"));
  expect(working).toEqual(["only"]);
});
