import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { openPostgresStore } from "../../src/store/postgres/open.ts";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";
import { systemClock } from "../../src/units/clock.ts";
import { type PostgresServer, startPostgres } from "../../test/peers/postgres.ts";
import { findPeer } from "../../test/peers/require-peer.ts";
import type { BenchFactory } from "../context.ts";
import type { Comparison, Contender, Measurement } from "../harness.ts";
import { processorSecondsOf } from "../processes.ts";

const WORKERS = [1, 8, 32] as const;
const GATED_WORKERS = 8;
const STUDIES = { sqlite: 8_000, postgres: 3_000 } as const;
const ROWS_OF_COHORT = 1_000;
const LEASE_MS = 600_000;
const RATE = "claimed and completed";
const CPU = "processor time, of workers and store";
const SUBMITTED = "rows submitted";
const SQLITE = "SQLite";
const POSTGRES = "PostgreSQL";

/**
 * Workers that claim a study and complete it, over and over, as the pipeline's do: the next is claimed as one is completed. The store keeps
 * what it acknowledged on the disk: SQLite in a file, PostgreSQL with fsync, over loopback.
 */
export const store: BenchFactory = async () => {
  const server = findPeer("initdb") === undefined ? undefined : await startPostgres({ isDurable: true });
  const comparisons = WORKERS.map(
    (workers): Comparison => ({
      title: `store, ${workers} ${workers === 1 ? "worker" : "workers"}`,
      figures: { [RATE]: "studies/s", [CPU]: "ms/study", [SUBMITTED]: "rows/s" },
      contenders: [sqlite(workers), ...(server === undefined ? [] : [postgres(server, workers)])],
      gates: [],
      absoluteGates:
        workers === GATED_WORKERS
          ? [
              { figure: RATE, contender: SQLITE, bound: { atLeast: 8_000 } },
              { figure: RATE, contender: POSTGRES, bound: { atLeast: 2_000 } },
            ]
          : [],
    }),
  );
  return {
    comparisons,
    async [Symbol.asyncDispose]() {
      await server?.[Symbol.asyncDispose]();
    },
  };
};

function sqlite(workers: number): Contender {
  return {
    name: SQLITE,
    program: process.execPath,
    async run(folder) {
      await mkdir(folder, { recursive: true });
      await using opened = await openSqliteStore({ path: join(folder, "radferry.db") });
      return await measure(opened, workers, STUDIES.sqlite, async () => ownProcessorMs());
    },
  };
}

let databases = 0;

function postgres(server: PostgresServer, workers: number): Contender {
  return {
    name: POSTGRES,
    program: findPeer("initdb") ?? "initdb",
    async run(folder) {
      await mkdir(folder, { recursive: true });
      databases += 1;
      const database = `bench_${databases}`;
      const urlOf = (name: string) => `postgres://${server.user}@127.0.0.1:${server.port}/${name}`;
      const client = new pg.Client(urlOf(server.user));
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${database}`);
        const options = {
          url: urlOf(database),
          witnessPath: join(folder, "radferry"),
          poolSize: Math.min(workers, 16),
        };
        await using opened = await openPostgresStore(options);
        return await measure(opened, workers, STUDIES.postgres, async () => {
          return ownProcessorMs() + (await processorMsOf(client, database));
        });
      } finally {
        await client.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
        await client.end();
      }
    },
  };
}

async function measure(
  opened: Store,
  workers: number,
  studies: number,
  processorMs: () => Promise<number>,
): Promise<Measurement> {
  const submittingMs = performance.now();
  for (let from = 0; from < studies; from += ROWS_OF_COHORT)
    await opened.submitCohort(cohort(from), systemClock.nowMs());
  const submitted = (studies * 1_000) / (performance.now() - submittingMs);
  const before = await processorMs();
  const startedMs = performance.now();
  const completed = await Promise.all(Array.from({ length: workers }, (_, number) => work(opened, `worker-${number}`)));
  const seconds = (performance.now() - startedMs) / 1_000;
  const usedMs = (await processorMs()) - before;
  const sum = completed.reduce((total, count) => total + count, 0);
  if (sum !== studies) throw new Error(`${sum} of ${studies} were completed`);
  return { figures: { [RATE]: sum / seconds, [CPU]: usedMs / sum, [SUBMITTED]: submitted }, peakRssBytes: 0 };
}

function cohort(from: number): Parameters<Store["submitCohort"]>[0] {
  const requests = Array.from({ length: ROWS_OF_COHORT }, (_, index) => ({
    rowNumber: index + 1,
    studyInstanceUid: `1.2.826.${from + index}`,
    patientId: undefined,
    accessionNumber: undefined,
    seriesInstanceUids: undefined,
    participantId: undefined,
    priority: 3,
    cells: [`1.2.826.${from + index}`],
  }));
  return { project: "bench", columns: ["StudyInstanceUID"], requests, refused: [] };
}

async function work(opened: Store, worker: string): Promise<number> {
  const next = { worker, leaseMs: LEASE_MS };
  let claimed = await opened.claim(worker, LEASE_MS, systemClock.nowMs());
  let completed = 0;
  for (; claimed !== undefined; completed += 1) {
    const outcome = { state: "delivered", attempts: 0 } as const;
    ({ claimed } = await opened.settleAndClaim(claimed.lease, outcome, next, systemClock.nowMs()));
  }
  return completed;
}

function ownProcessorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Of the connections to one database, which are processes of this machine and stay open meanwhile. */
async function processorMsOf(client: pg.Client, database: string): Promise<number> {
  const { rows } = await client.query("SELECT pid FROM pg_stat_activity WHERE datname = $1", [database]);
  return rows.reduce((sum, { pid }) => sum + 1_000 * processorSecondsOf(Number(pid)), 0);
}
