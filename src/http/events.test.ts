import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { expect, it, vi } from "vitest";
import type { StudyChangeDocument, StudyDocument } from "../operations/documents.ts";
import type { Operations } from "../operations/operations.ts";
import type { Actor } from "../units/actor.ts";
import { silentLogger } from "../units/logger.ts";
import { createEventHub, type Following } from "./events.ts";

const pat: Actor = { name: "pat", kind: "token", role: "viewer" };

const whoFollows = (facts: Partial<Following> = {}): Following => ({
  actor: pat,
  lastEventId: undefined,
  mayGoOn: () => Promise.resolve(true),
  ...facts,
});

/** A list of changes that grows; `looks` counts how often it was asked for. */
function changingStudies() {
  const changes: StudyChangeDocument[] = [];
  const state = { looks: 0 };
  const operations: Partial<Operations> = {
    async studyChanges({ after, limit }) {
      state.looks += 1;
      const next = changes.filter(({ number }) => number > after).slice(0, limit);
      const end = changes.at(-1)?.number ?? 0;
      return { changes: next, last: next.at(-1)?.number ?? end, isBroken: after > end };
    },
    async overview() {
      return {
        at: "",
        total: changes.length,
        states: {},
        counts: [],
        oldestWaitingSeconds: null,
        nodes: null,
        storeTrouble: null,
      };
    },
    async *listArchives() {},
  };
  const change = (project: string): void => {
    const study = { id: `job-${changes.length + 1}`, project } as StudyDocument;
    changes.push({ number: changes.length + 1, study });
  };
  return { change, state, operationsFor: () => operations as Operations };
}

/** What is written to it is kept; `isStuck`: nobody reads. */
function connection(isStuck = false) {
  const stream = new PassThrough({ highWaterMark: 16 });
  let text = "";
  if (!isStuck) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ids = () => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  return { response: stream as unknown as ServerResponse, stream, ids, text: () => text };
}

/** Time passes only when it is told to. */
function steppedClock() {
  let step = Promise.withResolvers<void>();
  let nowMs = 0;
  return {
    clock: {
      nowMs: () => nowMs,
      async sleep(_: number, signal?: AbortSignal) {
        const aborted = new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
        await Promise.race([step.promise, aborted]);
      },
    },
    tick(ms = 0) {
      nowMs += ms;
      step.resolve();
      step = Promise.withResolvers();
    },
  };
}

it("asks the store once for all who follow, and tells each change once", async () => {
  const { change, state, operationsFor } = changingStudies();
  const { clock, tick } = steppedClock();
  await using hub = createEventHub({ operationsFor, clock, logger: silentLogger, limit: 10 });
  change("lung");
  const connections = [connection(), connection()];
  for (const { response } of connections) void hub.follow(response, whoFollows({ lastEventId: 0 }));
  await vi.waitFor(() => expect(connections.map(({ ids }) => ids())).toEqual([[1], [1]]));
  await vi.waitFor(() => expect(connections[1]?.text()).toContain("event: overview"));
  const before = state.looks;
  change("lung");
  tick();
  await vi.waitFor(() =>
    expect(connections.map(({ ids }) => ids())).toEqual([
      [1, 2],
      [1, 2],
    ]),
  );
  expect(state.looks - before).toBeLessThanOrEqual(2);
});

it("tells only of projects that the follower may see, and goes on after what it has not", async () => {
  const { change, operationsFor } = changingStudies();
  const { clock } = steppedClock();
  await using hub = createEventHub({ operationsFor, clock, logger: silentLogger, limit: 10 });
  for (const project of ["lung", "heart", "lung"]) change(project);
  const { response, ids } = connection();
  void hub.follow(response, whoFollows({ actor: { ...pat, projects: ["lung"] }, lastEventId: 0 }));
  await vi.waitFor(() => expect(ids()).toEqual([1, 3]));
});

it("cuts off who does not read, and nobody else", async () => {
  const { change, operationsFor } = changingStudies();
  const { clock, tick } = steppedClock();
  await using hub = createEventHub({ operationsFor, clock, logger: silentLogger, limit: 10 });
  const [stuck, other] = [connection(true), connection()];
  for (const { response } of [stuck, other]) void hub.follow(response, whoFollows());
  await vi.waitFor(() => expect(other.text()).toContain("overview"));
  for (let count = 0; count < 20_000; count += 1) change("lung".padEnd(100));
  tick();
  await vi.waitFor(() => expect(other.ids()).toHaveLength(20_000), { timeout: 10_000 });
  expect([stuck.stream.destroyed, other.stream.destroyed]).toEqual([true, false]);
  await vi.waitFor(() => expect(hub.followers).toBe(1));
});

it("stops looking when nobody follows any more", async () => {
  const { state, operationsFor } = changingStudies();
  const { clock, tick } = steppedClock();
  await using hub = createEventHub({ operationsFor, clock, logger: silentLogger, limit: 10 });
  const { response, stream, text } = connection();
  const following = hub.follow(response, whoFollows());
  await vi.waitFor(() => expect(text()).toContain("overview"));
  stream.destroy();
  await following;
  tick();
  await vi.waitFor(() => expect(hub.followers).toBe(0));
  const { looks } = state;
  tick();
  expect(state.looks).toBeLessThanOrEqual(looks + 1);
});

it("lets go of whose token has ended, and of nobody else", async () => {
  const { operationsFor } = changingStudies();
  const { clock, tick } = steppedClock();
  await using hub = createEventHub({ operationsFor, clock, logger: silentLogger, limit: 10 });
  const [revoked, unknown, good] = [connection(), connection(), connection()];
  let isRevoked = false;
  const all = [
    hub.follow(revoked.response, whoFollows({ mayGoOn: () => Promise.resolve(!isRevoked) })),
    hub.follow(unknown.response, whoFollows({ mayGoOn: () => Promise.reject(new Error("no store")) })),
    hub.follow(good.response, whoFollows()),
  ];
  for (const { text } of [revoked, unknown, good]) await vi.waitFor(() => expect(text()).toContain("overview"));
  isRevoked = true;
  tick(15_000);
  await all[0];
  await vi.waitFor(() => expect(good.text()).toContain("still here"));
  expect([revoked, unknown, good].map(({ stream }) => stream.writableEnded)).toEqual([true, false, false]);
  expect(hub.followers).toBe(2);
});

it("asks whether one may go on though the clock is set back by an hour", async () => {
  const { operationsFor } = changingStudies();
  const { clock, tick } = steppedClock();
  await using hub = createEventHub({ operationsFor, clock, logger: silentLogger, limit: 1 });
  const { response, stream, text } = connection();
  void hub.follow(response, whoFollows({ mayGoOn: () => Promise.resolve(false) }));
  await vi.waitFor(() => expect(text()).toContain("overview"));
  tick(-3_600_000);
  const ended = (): void => {
    tick(1_000);
    expect(stream.writableEnded).toBe(true);
  };
  await vi.waitFor(ended, { interval: 2 });
});

it("cuts off who does not read what he missed", async () => {
  const { change, operationsFor } = changingStudies();
  const { clock, tick } = steppedClock();
  await using hub = createEventHub({ operationsFor, clock, logger: silentLogger, limit: 1 });
  for (let count = 0; count < 2_000; count += 1) change("lung".padEnd(100));
  const stuck = connection(true);
  void hub.follow(stuck.response, whoFollows({ lastEventId: 0 }));
  const cut = (): void => {
    tick();
    expect(stuck.stream.destroyed).toBe(true);
  };
  await vi.waitFor(cut, { interval: 2 });
});

it("counts for who joins what changed while he was told how it is", async () => {
  const { change, operationsFor } = changingStudies();
  const { clock, tick } = steppedClock();
  const gate = Promise.withResolvers<void>();
  let isHeld = false;
  const held = (): Operations => ({
    ...operationsFor(),
    async *listArchives() {
      if (isHeld) await gate.promise;
      yield* [];
    },
  });
  await using hub = createEventHub({ operationsFor: held, clock, logger: silentLogger, limit: 2 });
  const [first, second] = [connection(), connection()];
  void hub.follow(first.response, whoFollows());
  await vi.waitFor(() => expect(first.text()).toContain("overview"));
  isHeld = true;
  void hub.follow(second.response, whoFollows());
  await vi.waitFor(() => expect(second.text()).toContain("overview"));
  change("lung");
  await vi.waitFor(() => {
    tick();
    expect(first.ids()).toEqual([1]);
  });
  gate.resolve();
  const totals = (): unknown[] => [...second.text().matchAll(/"total":(\d+)/g)].map(([, total]) => total);
  await vi.waitFor(() => expect(totals().at(-1)).toBe("1"));
  expect(second.ids()).toEqual([1]);
});

it("does not count who went away while it was asked who he is", async () => {
  const { operationsFor } = changingStudies();
  const { clock } = steppedClock();
  await using hub = createEventHub({ operationsFor, clock, logger: silentLogger, limit: 1 });
  const gone = connection();
  gone.stream.destroy();
  await once(gone.stream, "close");
  await hub.follow(gone.response, whoFollows());
  expect(hub.followers).toBe(0);
});
