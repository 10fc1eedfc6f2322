import pg from "pg";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type Clock, systemClock } from "../../units/clock.ts";
import { type Logger, silentLogger } from "../../units/logger.ts";
import { systemRandom } from "../../units/random.ts";
import { type AuditWitness, createAuditWitness } from "../sql/audit-witness.ts";
import { type MethodName, READS } from "../sql/methods.ts";
import type { Store } from "../store.ts";
import { type Calls, createCalls, rehearseCalls } from "./calls.ts";
import { connectionOf, type PostgresSettings } from "./connection.ts";
import { type DatabaseTime, followDatabaseTime } from "./database-time.ts";
import { asStoreError } from "./errors.ts";
import { listenForWork } from "./listen.ts";
import { LISTINGS_ELSEWHERE } from "./locks.ts";
import { postgresMethods } from "./methods.ts";
import { migrate, rehearseMigration } from "./schema.ts";
import { openSession } from "./session.ts";
import { answered, asked } from "./times.ts";
import { renewWitnessLater } from "./witness.ts";

/** Calls under way at once; one more is refused rather than remembered without end. */
const MAXIMUM_CALLS = 10_000;

export interface PostgresStoreOptions extends PostgresSettings {
  /** Of a replica that answers listings; it may be a moment behind. */
  readonly readUrl?: string | undefined;
  /** The file that tells how far the audit trail goes is named after it, with `.audit-head` behind. */
  readonly witnessPath: string;
  /** What is done is seen by this store alone, and undone when it is disposed. */
  readonly isRehearsal?: boolean | undefined;
  /** `callers`: the times that they give are taken as they are, as tests need it. */
  readonly timeOf?: "database" | "callers";
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/**
 * The store on a server, for one gateway or several. Disposing answers the calls under way first. Times of leases and of what is due are the
 * database's, whatever this machine's clock says.
 * @throws GatewayError STORE_URL_INVALID, STORE_UNAVAILABLE, STORE_ACCESS_DENIED, STORE_NOT_OURS, STORE_SCHEMA_NEWER, STORE_SERVER_UNSUPPORTED, STORE_READ_ONLY, STORE_FULL
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { logger = silentLogger, clock = systemClock } = options;
  await using opened = new AsyncDisposableStack();
  const pool = openPool(options, logger, opened);
  const listings =
    options.readUrl === undefined ? pool : openPool({ ...options, url: options.readUrl }, logger, opened);
  const witness = createAuditWitness(options.witnessPath);
  const { calls, elsewhere } = options.isRehearsal
    ? await rehearsedCalls(pool, options.witnessPath, clock, opened)
    : await committedCalls(pool, listings, witness, clock);
  const time = options.timeOf === "callers" ? undefined : await followTime(pool, witness);
  const listening = opened.use(listenForWork(connectionOf(options), logger));
  const keeping = opened.use(renewWitnessLater(pool, witness));

  let isOpen = true;
  const underWay = new Set<Promise<unknown>>();
  const ask = async (method: MethodName, args: readonly unknown[]): Promise<unknown> => {
    const nowMs = clock.nowMs();
    const byMs = time?.shiftMs(nowMs) ?? 0;
    time?.refresh();
    const given = shifted(asked[method], byMs, args);
    const answer = READS.has(method)
      ? await (LISTINGS_ELSEWHERE.has(method) ? elsewhere : calls).read(method, given)
      : await calls.write(method, given);
    await keeping.look();
    return answeredAt(answered[method], byMs, answer);
  };
  const call = (method: MethodName, args: readonly unknown[]): Promise<unknown> => {
    if (!isOpen || underWay.size >= MAXIMUM_CALLS)
      return Promise.reject(new GatewayError("STORE_UNAVAILABLE", { open: isOpen, waiting: underWay.size }));
    const asking = ask(method, args);
    const done = (): void => {
      underWay.delete(asking);
    };
    underWay.add(asking);
    asking.then(done, done);
    return asking;
  };
  const closing = opened.move();
  const methods = Object.fromEntries(
    (Object.keys(postgresMethods) as MethodName[]).map((method) => [
      method,
      (...args: readonly unknown[]) => call(method, args),
    ]),
  ) as unknown as Omit<Store, typeof Symbol.asyncDispose>;
  return Object.assign(methods, {
    onWork: listening.onWork,
    async [Symbol.asyncDispose]() {
      isOpen = false;
      await Promise.allSettled([...underWay]);
      await closing.disposeAsync();
    },
  });
}

function openPool(settings: PostgresSettings, logger: Logger, opened: AsyncDisposableStack): pg.Pool {
  const pool = new pg.Pool(connectionOf(settings));
  // A connection that is lost while nobody uses it: the next call makes another one.
  pool.on("error", (thrown) => {
    logger.warn("store connection lost", { code: asCode(thrown) });
  });
  // And one that is lost while somebody uses it fails what is asked over it.
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
  });
  opened.defer(() => pool.end());
  return pool;
}

function asCode(thrown: unknown): string {
  const error = asStoreError(thrown);
  return error instanceof GatewayError ? error.code : "INTERNAL";
}

/** Listings are asked of a replica where there is one. */
interface CallsOfStore {
  readonly calls: Calls;
  readonly elsewhere: Calls;
}

async function committedCalls(
  pool: pg.Pool,
  listings: pg.Pool,
  witness: AuditWitness,
  clock: Clock,
): Promise<CallsOfStore> {
  await prepareDatabase(pool, clock.nowMs());
  const calls = createCalls(pool, witness, systemRandom.next);
  return { calls, elsewhere: createCalls(listings, witness, systemRandom.next) };
}

/** The witness is one that is never written: what it would tell of is undone. */
async function rehearsedCalls(
  pool: pg.Pool,
  witnessPath: string,
  clock: Clock,
  opened: AsyncDisposableStack,
): Promise<CallsOfStore> {
  const begin = (client: pg.PoolClient): Promise<void> => rehearseMigration(client, clock.nowMs());
  const calls = opened.use(await rehearseCalls(pool, createAuditWitness(witnessPath), begin));
  return { calls, elsewhere: calls };
}

async function prepareDatabase(pool: pg.Pool, nowMs: number): Promise<void> {
  try {
    const client = await pool.connect();
    try {
      await migrate(client, nowMs);
    } finally {
      client.release(true);
    }
  } catch (thrown) {
    throw asStoreError(thrown);
  }
}

async function followTime(pool: pg.Pool, witness: AuditWitness): Promise<DatabaseTime> {
  const ask = async (): Promise<number> => {
    const client = await pool.connect();
    try {
      return Number((await openSession(client, witness, false).get("databaseTime"))?.nowMs);
    } finally {
      client.release();
    }
  };
  return await followDatabaseTime(ask, () => performance.now()).catch((thrown: unknown) => {
    throw asStoreError(thrown);
  });
}

function shifted(shift: unknown, byMs: number, args: readonly unknown[]): readonly unknown[] {
  return typeof shift === "function" && byMs !== 0 ? shift(byMs, ...args) : args;
}

function answeredAt(shift: unknown, byMs: number, answer: unknown): unknown {
  return typeof shift === "function" && byMs !== 0 ? shift(byMs, answer) : answer;
}
