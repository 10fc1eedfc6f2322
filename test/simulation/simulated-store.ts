import { copyFileSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { GatewayError, toGatewayError } from "../../src/errors/gateway-error.ts";
import { answered, asked } from "../../src/store/postgres/times.ts";
import { type MethodName, READS } from "../../src/store/sql/methods.ts";
import { asStoreError, openDatabase } from "../../src/store/sqlite/database.ts";
import { sqliteMethods } from "../../src/store/sqlite/methods.ts";
import { openSession, type SqliteSession } from "../../src/store/sqlite/session.ts";
import type { Store } from "../../src/store/store.ts";
import type { Faults } from "./faults.ts";
import { theMachine } from "./machine.ts";
import { type Life, lives } from "./scheduler.ts";

/** A call that was carried out, and what it came to. */
export interface StoreCall {
  readonly method: MethodName;
  readonly args: readonly unknown[];
  readonly value: unknown;
  readonly node: string;
}

export interface SimulatedDatabase extends Disposable {
  readonly session: SqliteSession;
  /** What a program on a node has in its hands. */
  connect(): Store;
  /** Asks without faults, and outside of simulated time. */
  ask<N extends MethodName>(method: N, ...args: Parameters<Store[N]>): ReturnType<Store[N]>;
}

export interface DatabaseOptions {
  readonly path: string;
  readonly faults: Faults;
  /** Told of every call whose changes are committed, before its answer is on its way. */
  readonly onCall: (call: StoreCall) => void;
  /** Several gateways have one database: its time decides, as on PostgreSQL. */
  readonly isShared: boolean;
  /** For showing that invariants can fail. */
  readonly distort?:
    | ((method: MethodName, ask: () => Promise<unknown>, session: SqliteSession) => Promise<unknown>)
    | undefined;
}

const LEAST_MS = 0.2;
const MOST_MS = 4;
const SLOW_MS = 3_000;

/** A new database is as the template: its schema is made once. */
export function makeTemplate(path: string): void {
  rmSync(path, { force: true });
  const database = openDatabase(path, 0);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE");
  database.close();
}

/**
 * The store's own logic over SQLite, in this thread: one call is one transaction, as a step of the simulation. What a program that dies had not
 * committed is not there; what it had, is.
 */
export function openSimulatedDatabase(template: string, options: DatabaseOptions): SimulatedDatabase {
  const { path } = options;
  copyFileSync(template, path);
  const database = new DatabaseSync(path);
  database.exec("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA foreign_keys = ON");
  const session = openSession(database, path);
  const carryOut = (method: MethodName, args: readonly unknown[]): Promise<unknown> =>
    inTransaction(session, method, async () => {
      const run = () => Promise.resolve(invoke(session, method, args));
      return options.distort === undefined ? await run() : await options.distort(method, run, session);
    });
  const names = Object.keys(sqliteMethods).filter(isMethodName);
  return {
    session,
    connect: () => storeOf(names, (method, args) => callInItsTime(method, args, carryOut, options)),
    ask: (method, ...args) =>
      answerOf(
        method,
        lives.exit(() => carryOut(method, args)),
      ),
    [Symbol.dispose]() {
      database.close();
      rmSync(path, { force: true });
    },
  };
}

/** What a method answers is what its own function answered: the compiler cannot see it through the table. */
function answerOf<N extends MethodName>(_method: N, answer: Promise<unknown>): ReturnType<Store[N]> {
  return answer as ReturnType<Store[N]>;
}

function isMethodName(name: string): name is MethodName {
  return name in sqliteMethods;
}

function storeOf(
  names: readonly MethodName[],
  ask: (method: MethodName, args: readonly unknown[]) => Promise<unknown>,
): Store {
  const asked = Object.fromEntries(
    names.map((method) => [method, (...args: readonly unknown[]) => ask(method, args)]),
  ) as unknown as Omit<Store, typeof Symbol.asyncDispose>;
  return Object.assign(asked, { [Symbol.asyncDispose]: () => Promise.resolve() });
}

function invoke(session: SqliteSession, method: MethodName, args: readonly unknown[]): unknown {
  const run = sqliteMethods[method] as (session: SqliteSession, ...args: readonly unknown[]) => unknown;
  return run(session, ...args);
}

async function inTransaction<T>(session: SqliteSession, method: MethodName, work: () => Promise<T>): Promise<T> {
  if (READS.has(method)) return await work();
  session.run("begin");
  try {
    const value = await work();
    session.run("commit");
    return value;
  } catch (thrown) {
    if (session.database.isTransaction) session.run("rollback");
    throw toGatewayError(asStoreError(thrown));
  }
}

type CarryOut = (method: MethodName, args: readonly unknown[]) => Promise<unknown>;
type ShiftArguments = (byMs: number, ...args: readonly unknown[]) => readonly unknown[];
type ShiftAnswer = (byMs: number, answer: unknown) => unknown;

/** The store on PostgreSQL does the same, with the same tables. */
async function callInItsTime(
  method: MethodName,
  args: readonly unknown[],
  carryOut: CarryOut,
  options: DatabaseOptions,
): Promise<unknown> {
  const byMs = options.isShared ? -Math.round(lives.getStore()?.skewMs ?? 0) : 0;
  const toDatabase = asked[method] as ShiftArguments | undefined;
  const back = answered[method] as ShiftAnswer | undefined;
  const answer = await remoteCall(method, toDatabase?.(byMs, ...args) ?? args, carryOut, options);
  return back === undefined ? answer : back(byMs, answer);
}

/** To the database, through it, and back: each of the three may be the last. */
function remoteCall(
  method: MethodName,
  args: readonly unknown[],
  carryOut: CarryOut,
  { faults, onCall }: DatabaseOptions,
): Promise<unknown> {
  const { scheduler, crashAt, kill } = theMachine();
  const life = lives.getStore();
  const isRead = READS.has(method);
  const latency = (): number =>
    faults.strikes("store is slow", 0.003) ? scheduler.between(MOST_MS, SLOW_MS) : scheduler.between(LEAST_MS, MOST_MS);
  const unavailable = (): GatewayError => new GatewayError("STORE_UNAVAILABLE", {});
  return new Promise((resolve, reject) => {
    const answer = (settle: () => void): void => void scheduler.at(scheduler.nowMs + latency(), settle, life);
    scheduler.at(scheduler.nowMs + latency(), () => {
      if (faults.strikes("store does not answer", 0.004)) return answer(() => reject(unavailable()));
      const crash = life === undefined || isRead ? undefined : crashAt(life, `store ${method}`);
      if (crash === "before") return kill(life ?? lifeless);
      carryOut(method, args).then(
        (value) => {
          scheduler.note(`${method} ${life?.node}`);
          onCall({ method, args, value, node: life?.node ?? "" });
          if (crash === "after") return kill(life ?? lifeless);
          if (!isRead && faults.strikes("store's answer is lost", 0.003)) return answer(() => reject(unavailable()));
          answer(() => resolve(value));
        },
        (thrown: unknown) => answer(() => reject(thrown)),
      );
    });
  });
}

const lifeless: Life = { node: "", isAlive: false, skewMs: 0, bootedAtMs: 0 };
