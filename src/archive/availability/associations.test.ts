import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import {
  createSharedPermits,
  PERMIT_LEASE_MS,
  type SharedPermit,
  type SharedPermits,
} from "../../store/shared-permits.ts";
import { openSqliteStore } from "../../store/sqlite/open.ts";
import type { Store } from "../../store/store.ts";
import { neverAborted } from "../../units/abort.ts";
import { createManualClock, type ManualClock } from "../../units/manual-clock.testing.ts";
import { seededRandom } from "../../units/random.ts";
import { type Associations, createSharedAssociations } from "./associations.ts";

const LIMIT = 2;
const HOUR_MS = 3_600_000;

interface Node extends AsyncDisposable {
  readonly permits: SharedPermits;
  readonly associations: Associations;
}

/** Nodes that share one store. */
async function scene() {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const store = stack.use(await openSqliteStore({ path: join(folder.path, "radferry.db") }));
  const clock = createManualClock();
  const node = (name: string, of: Pick<Store, "takePermit" | "renewPermits" | "returnPermit"> = store): Node => {
    const permits = createSharedPermits({ store: of, node: name, clock, random: seededRandom(1) });
    const limited = { resource: "archive:pacs", limit: LIMIT };
    const associations = createSharedAssociations({ permits, clock }, limited);
    return { permits, associations, [Symbol.asyncDispose]: () => associations[Symbol.asyncDispose]() };
  };
  return { store, clock, node, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Lets time go on until it is done. */
async function within<T>(clock: ManualClock, store: Store, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  for (let step = 0; step < 1_000 && !isDone; step += 1) {
    await store.listNodes();
    await clock.advance(10);
  }
  return await done;
}

test("no more of them are in use than there may be, whichever node uses them, and every node has its turn", async () => {
  await using at = await scene();
  await using north = at.node("north");
  await using east = at.node("east");
  let inUse = 0;
  let most = 0;
  const turns = { north: 0, east: 0 };
  const work = async (name: keyof typeof turns, { associations }: Node): Promise<void> => {
    for (let turn = 0; turn < 90; turn += 1) {
      const association = await associations.acquire(neverAborted());
      inUse += 1;
      most = Math.max(most, inUse);
      await at.clock.sleep(150);
      inUse -= 1;
      association[Symbol.dispose]();

      if (turns.north < 180 && turns.east < 180) turns[name] += 1;
    }
  };
  const all = Promise.all([work("north", north), work("north", north), work("east", east), work("east", east)]);
  for (let isDone = false; !isDone; ) {
    isDone = await Promise.race([
      all.then(() => true),
      within(at.clock, at.store, at.clock.sleep(50)).then(() => false),
    ]);
  }
  expect(most).toBe(LIMIT);
  expect(Math.min(turns.north, turns.east)).toBeGreaterThan(0);
});

test("one that is not used any more is another worker's of this node before the store is asked", async () => {
  await using at = await scene();
  const asked: string[] = [];
  await using north = at.node("north", {
    ...at.store,
    takePermit: (wish, ...rest) => {
      asked.push(wish.holder);
      return at.store.takePermit(wish, ...rest);
    },
  });
  const first = await north.associations.acquire(neverAborted());
  first[Symbol.dispose]();
  const second = await north.associations.acquire(neverAborted());
  expect(asked).toEqual(["north/1"]);
  second[Symbol.dispose]();
});

test("what a node leaves unused is another's before long", async () => {
  await using at = await scene();
  await using north = at.node("north");
  await using east = at.node("east");
  const held = [await north.associations.acquire(neverAborted()), await north.associations.acquire(neverAborted())];
  for (const each of held) each[Symbol.dispose]();
  using _association = await within(at.clock, at.store, east.associations.acquire(neverAborted()));
  expect(at.clock.nowMs()).toBeLessThan(1_000);
});

test("what a dead node held is another's when its time is over, and not while it gives signs of life", async () => {
  await using at = await scene();
  const dead = at.node("dead");
  await dead.associations.acquire(neverAborted());
  await dead.associations.acquire(neverAborted());
  await at.clock.advance(PERMIT_LEASE_MS - 1);
  await dead.permits.keep();
  await using east = at.node("east");
  const waiting = east.associations.acquire(neverAborted());
  let isGranted = false;
  void waiting.then(() => {
    isGranted = true;
  });
  await within(at.clock, at.store, at.clock.sleep(2_000));
  expect(isGranted).toBe(false);
  await at.clock.advance(PERMIT_LEASE_MS);
  using _association = await within(at.clock, at.store, waiting);
});

test("a permit whose grant was never heard of, or that could not be given back, is given back with the next sign of life", async () => {
  await using at = await scene();
  let isDown = false;
  const failing = async <T>(answer: Promise<T>): Promise<T> => {
    const given = await answer;
    if (isDown) throw new Error("the connection was lost");
    return given;
  };
  await using north = at.node("north", {
    takePermit: (...asked) => failing(at.store.takePermit(...asked)),
    renewPermits: (...asked) => at.store.renewPermits(...asked),
    returnPermit: (...asked) => (isDown ? failing(Promise.resolve(false)) : at.store.returnPermit(...asked)),
  });
  const permit = await north.permits.acquire("study:a", 1, neverAborted());
  isDown = true;
  await permit.giveBack();
  await expect(north.permits.acquire("study:b", 1, neverAborted())).rejects.toThrow("the connection was lost");
  isDown = false;
  const wish = (resource: string) => ({ resource, limit: 1, holder: "east/1", node: "east" });
  expect(await at.store.takePermit(wish("study:a"), 1, 0)).toBe(false);
  expect(await at.store.takePermit(wish("study:b"), 1, 0)).toBe(false);
  await north.permits.keep();
  expect(await at.store.takePermit(wish("study:a"), 1, 0)).toBe(true);
  expect(await at.store.takePermit(wish("study:b"), 1, 0)).toBe(true);
});

test("who gives up waiting holds nothing", async () => {
  await using at = await scene();
  await using north = at.node("north");
  await using east = at.node("east");
  const held = [await north.associations.acquire(neverAborted()), await north.associations.acquire(neverAborted())];
  const stop = new AbortController();
  const waiting = east.associations.acquire(stop.signal);
  stop.abort(new Error("given up"));
  await expect(waiting).rejects.toThrow("given up");
  for (const each of held) each[Symbol.dispose]();
  using _first = await within(at.clock, at.store, east.associations.acquire(neverAborted()));
  using _second = await within(at.clock, at.store, east.associations.acquire(neverAborted()));
});

test("an hour by which the clock is set back keeps the archive from nobody", async () => {
  await using at = await scene();
  let backMs = 0;
  const clock = { nowMs: () => at.clock.nowMs() - backMs, sleep: at.clock.sleep };
  const permits = createSharedPermits({ store: at.store, node: "north", clock, random: seededRandom(1) });
  await using north = createSharedAssociations({ permits, clock }, { resource: "archive:pacs", limit: 1 });
  await at.clock.advance(2 * HOUR_MS);

  const first = await north.acquire(neverAborted());
  await at.clock.advance(20_000);
  first[Symbol.dispose]();
  backMs = HOUR_MS;
  const second = await within(at.clock, at.store, north.acquire(neverAborted()));

  const waiting = north.acquire(neverAborted());
  backMs = 2 * HOUR_MS;
  let isLeft = false;
  const east = createSharedPermits({ store: at.store, node: "east", clock, random: seededRandom(2) });
  const others = east.acquire("archive:pacs", 1, neverAborted()).then((permit) => {
    isLeft = true;
    return permit;
  });
  second[Symbol.dispose]();
  await within(at.clock, at.store, at.clock.sleep(400));
  expect(isLeft).toBe(true);
  await (await others).giveBack();
  using _third = await within(at.clock, at.store, waiting);
});

/** Permits that are granted when the test says so, whether or not they are still waited for; how many are out. */
function permitsByHand() {
  const waiting: PromiseWithResolvers<SharedPermit>[] = [];
  let out = 0;
  const permit: SharedPermit = {
    async giveBack() {
      out -= 1;
    },
  };
  return {
    out: () => out,
    grant() {
      out += 1;
      waiting.shift()?.resolve(permit);
    },
    refuse: (reason: unknown) => waiting.shift()?.reject(reason),
    permits: {
      async acquire() {
        const asked = Promise.withResolvers<SharedPermit>();
        waiting.push(asked);
        return await asked.promise;
      },
      hold: async () => true,
      leave: async () => undefined,
      keep: async () => undefined,
    } satisfies SharedPermits,
  };
}

test("no permit is lost of one who was handed another's at the moment that his own was granted", async () => {
  const hand = permitsByHand();
  const associations = createSharedAssociations(
    { permits: hand.permits, clock: createManualClock() },
    { resource: "archive:pacs", limit: LIMIT },
  );
  const first = associations.acquire(neverAborted());
  await nextTurn();
  hand.grant();
  const second = associations.acquire(neverAborted());
  await nextTurn();
  (await first)[Symbol.dispose]();
  hand.grant();
  await nextTurn();
  const third = associations.acquire(neverAborted());
  await nextTurn();
  (await third)[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  const [one, other] = [await associations.acquire(neverAborted()), await associations.acquire(neverAborted())];
  expect(hand.out()).toBe(LIMIT);
  other[Symbol.dispose]();
  one[Symbol.dispose]();
  await associations[Symbol.asyncDispose]();
  expect(hand.out()).toBe(0);
});

test("no permit is lost of one who gave up at the moment that another's was handed to him", async () => {
  const hand = permitsByHand();
  const associations = createSharedAssociations(
    { permits: hand.permits, clock: createManualClock() },
    { resource: "archive:pacs", limit: LIMIT },
  );
  const stop = new AbortController();
  const first = associations.acquire(neverAborted());
  await nextTurn();
  hand.grant();
  const held = await first;
  const given = associations.acquire(stop.signal);
  await nextTurn();
  held[Symbol.dispose]();
  stop.abort(new Error("given up"));
  hand.refuse(stop.signal.reason);
  await expect(given).rejects.toThrow("given up");
  await associations[Symbol.asyncDispose]();
  expect(hand.out()).toBe(0);
});
