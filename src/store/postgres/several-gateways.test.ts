import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type PostgresServer, startPostgres } from "../../../test/peers/postgres.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { systemClock } from "../../units/clock.ts";
import { request, submit, theJob } from "../contract/support.testing.ts";
import { makeDatabase, type TestDatabase } from "./support.testing.ts";

const HOUR_MS = 3_600_000;
const actor = { name: "sam", kind: "command line", role: "admin" } as const;

describe.runIf(requirePeer("initdb"))("gateways that share a database", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  /** So many of the database's connections wait for what others hold. */
  async function waiting(database: TestDatabase, connections: number): Promise<void> {
    const blocked = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    await vi.waitFor(async () => expect(await database.query(blocked)).toHaveLength(connections), { timeout: 5_000 });
  }

  it("cancel no study that a standing cohort's run joins in the same moment", async () => {
    await using database = await makeDatabase(server);
    await using store = await database.open({ timeOf: "callers" });
    const cohort = await submit(store, [{ studyInstanceUid: "1.1" }]);
    const facts = { name: "nightly", project: "lung", archive: "vna", wish: "{}", timetable: "[]", nextRunAtMs: 10 };
    await store.addStandingCohort(facts, { event: "standing-cohort-added", actor, outcome: "success" }, 1);
    await store.beginStandingRun("nightly", { reason: "timetable", dueAtMs: 10, missed: 0, nextRunAtMs: 50 }, 11);
    const other = new pg.Client(database.url);
    await other.connect();
    try {
      // The run has joined the study, and is not committed yet.
      await other.query("BEGIN; SELECT 1 FROM standing_runs FOR UPDATE");
      const requests = [request({ studyInstanceUid: "1.1" })];
      const ended = store.endStandingRun(
        "nightly",
        1,
        {
          state: "done",
          counts: { found: 1, fresh: 0, changed: 0, known: 1, refused: 0 },
          cohort: { project: "lung", columns: ["uid"], refused: [], requests },
        },
        12,
      );
      await waiting(database, 1);
      const cancelled = store.cancelJobs({ cohort }, 13);
      await waiting(database, 2);
      await other.query("ROLLBACK");
      expect((await ended)?.state).toBe("done");
      expect(await cancelled).toBe(0);
      expect(await theJob(store, cohort)).toMatchObject({ state: "queued" });
    } finally {
      await other.end();
    }
  });

  it.each([HOUR_MS, -HOUR_MS])("begin a cohort when they were told to, by a clock that is %d ms off", async (offMs) => {
    await using database = await makeDatabase(server);
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + offMs };
    await using store = await database.open({ clock });
    const startAtMs = clock.nowMs() + HOUR_MS / 2;
    const cohort = { project: "lung", columns: ["uid"], refused: [], requests: [request({ studyInstanceUid: "1.1" })] };
    await store.submitCohort({ ...cohort, startAtMs }, clock.nowMs());
    expect(await store.claim("worker-1", 60_000, clock.nowMs())).toBeUndefined();
    expect(Math.abs(((await store.nextDueAtMs()) ?? 0) - startAtMs)).toBeLessThan(60_000);
    expect(await store.claim("worker-1", 60_000, startAtMs + 60_000)).toBeDefined();
  });

  it("tell until when an archive rests by the clock of who asks", async () => {
    await using database = await makeDatabase(server);
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + HOUR_MS };
    await using store = await database.open({ clock });
    const policy = { failures: 1, firstRestMs: 60_000, longestRestMs: 60_000, probeMs: 1_000 };
    const untilMs = clock.nowMs() + 60_000;
    await store.judgeArchive("vna", "ARCHIVE_UNABLE", policy, clock.nowMs());
    await store.spareArchive("vna", untilMs);
    const conditions = [
      await store.archiveCondition("vna"),
      await store.setArchiveControls("vna", { paused: true }, clock.nowMs()),
    ];
    for (const { breaker, sparedUntilMs } of conditions) {
      const restsUntilMs = breaker.state === "closed" ? 0 : breaker.untilMs;
      expect(Math.abs(restsUntilMs - untilMs)).toBeLessThan(30_000);
      expect(Math.abs(sparedUntilMs - untilMs)).toBeLessThan(30_000);
    }
  });
});
