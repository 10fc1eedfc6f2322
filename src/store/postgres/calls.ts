import type pg from "pg";
import type { PoolClient } from "pg";
import type { AuditWitness } from "../sql/audit-witness.ts";
import type { MethodName } from "../sql/methods.ts";
import { asStoreError, isLostRace, isSpoilt } from "./errors.ts";
import { type Hold, holds, LOCKS } from "./locks.ts";
import { postgresMethods } from "./methods.ts";
import { openSession, type PostgresSession } from "./session.ts";
import { createTogether } from "./together.ts";

/** One answer is that a transaction lost a race: it is done again from its beginning, so often at most. */
const MAXIMUM_TRIES = 6;
const MAXIMUM_PAUSE_MS = 50;
/** Slots that counters are kept in; more connections than that share the first. */
const SLOTS = 1_000;

export interface Calls {
  read(method: MethodName, args: readonly unknown[]): Promise<unknown>;
  write(method: MethodName, args: readonly unknown[]): Promise<unknown>;
}

/** @param random from 0 to 1, for pauses between tries */
export function createCalls(pool: pg.Pool, witness: AuditWitness, random: () => number): Calls {
  const known = new WeakSet<PoolClient>();

  async function connected<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect().catch((thrown: unknown) => {
      throw asStoreError(thrown);
    });
    let isUsable = false;
    try {
      if (!known.has(client)) await takeSlot(client);
      known.add(client);
      const answer = await work(client);
      isUsable = true;
      return answer;
    } catch (thrown) {
      isUsable = !isSpoilt(thrown);
      throw thrown;
    } finally {
      client.release(!isUsable);
    }
  }

  async function transaction<T>(client: PoolClient, work: (session: PostgresSession) => Promise<T>): Promise<T> {
    const begun = client.query("BEGIN").catch((thrown: unknown) => thrown);
    try {
      const answer = await work(openSession(client, witness, true));
      await client.query("COMMIT").catch((thrown: unknown) => {
        throw asStoreError(thrown);
      });
      return answer;
    } catch (thrown) {
      await begun;
      await client.query("ROLLBACK").catch(() => undefined);
      throw thrown;
    }
  }

  async function untilWon<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await connected(work);
      } catch (thrown) {
        if (!isLostRace(thrown) || tries === MAXIMUM_TRIES) throw thrown;
        await new Promise((resolve) => setTimeout(resolve, random() * MAXIMUM_PAUSE_MS * tries));
      }
    }
  }

  const whole = (method: MethodName, args: readonly unknown[]): Promise<unknown> =>
    untilWon((client) =>
      transaction(client, async (session) => {
        const needed = holdOf(method, args);
        if (needed !== undefined) await session.run(needed.statement, needed.parameters);
        return await invoke(session, method, args);
      }),
    );
  const together = createTogether({
    alone: (work) => untilWon((client) => work(openSession(client, witness, true))),
    within: (work) => untilWon((client) => transaction(client, work)),
    settle: async (...args) => Boolean(await whole("settle", args)),
  });

  return {
    read: (method, args) => connected((client) => invoke(openSession(client, witness, false), method, args)),
    write(method, args) {
      const own = together[method] as ((...args: readonly unknown[]) => Promise<unknown>) | undefined;
      return own?.(...args) ?? whole(method, args);
    },
  };
}

/**
 * Calls of one transaction over one connection, one after the other; it is never committed, and is undone when the connection is given back.
 * @param begin what comes first within it
 */
export async function rehearseCalls(
  pool: pg.Pool,
  witness: AuditWitness,
  begin: (client: PoolClient) => Promise<void>,
): Promise<Calls & AsyncDisposable> {
  const client = await pool.connect().catch((thrown: unknown) => {
    throw asStoreError(thrown);
  });
  let last: Promise<unknown> = Promise.resolve();
  const oneByOne = (isWriting: boolean) => (method: MethodName, args: readonly unknown[]) => {
    const session = openSession(client, witness, isWriting);
    const answer = last.then(() => rehearse(client, session, method, args));
    last = answer.catch(() => undefined);
    return answer;
  };
  const end = async (): Promise<void> => {
    await last;
    await client.query("ROLLBACK").catch(() => undefined);
    // Closed: what the session holds goes with it.
    client.release(true);
  };
  try {
    await takeSlot(client);
    await client.query("BEGIN");
    await begin(client);
  } catch (thrown) {
    await end();
    throw asStoreError(thrown);
  }
  return { read: oneByOne(false), write: oneByOne(true), [Symbol.asyncDispose]: end };
}

/** One call that fails undoes itself alone. */
async function rehearse(client: PoolClient, session: PostgresSession, method: MethodName, args: readonly unknown[]) {
  await client.query("SAVEPOINT one_call");
  try {
    const needed = holdOf(method, args);
    if (needed !== undefined) await session.run(needed.statement, needed.parameters);
    const answer = await invoke(session, method, args);
    await client.query("RELEASE one_call");
    return answer;
  } catch (thrown) {
    await client.query("ROLLBACK TO one_call").catch(() => undefined);
    throw asStoreError(thrown);
  }
}

/** Each connection counts in rows of its own while it lives: see OVERVIEW. */
async function takeSlot(client: PoolClient): Promise<void> {
  const text = `
    SELECT set_config('radferry.slot', coalesce((
      SELECT number FROM generate_series(1, ${SLOTS}) AS number WHERE pg_try_advisory_lock(${LOCKS.slots}, number) LIMIT 1), 0)::TEXT, false)`;
  await client.query(text).catch((thrown: unknown) => {
    throw asStoreError(thrown);
  });
}

function holdOf(method: MethodName, args: readonly unknown[]): Hold | undefined {
  const hold = holds[method] as ((...args: readonly unknown[]) => Hold | undefined) | undefined;
  return hold?.(...args);
}

function invoke(session: PostgresSession, method: MethodName, args: readonly unknown[]): Promise<unknown> {
  const run = postgresMethods[method] as (session: PostgresSession, ...args: readonly unknown[]) => Promise<unknown>;
  return run(session, ...args);
}
