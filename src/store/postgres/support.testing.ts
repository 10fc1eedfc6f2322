import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { PostgresServer } from "../../../test/peers/postgres.ts";
import type { Store } from "../store.ts";
import { openPostgresStore, type PostgresStoreOptions } from "./open.ts";

/** A database of the test's own on a server that others use too. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  open(options?: Partial<PostgresStoreOptions>): Promise<Store>;
  readonly name: string;
  /** As its administrator. */
  query(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** The same, from another database. */
  administer(text: string): Promise<unknown>;
}

let databases = 0;

export function urlOf({ user, port }: PostgresServer, database: string): string {
  return `postgres://${user}@127.0.0.1:${port}/${database}`;
}

export async function makeDatabase(server: PostgresServer): Promise<TestDatabase> {
  databases += 1;
  const name = `test_${databases}`;
  const folder = await mkdtemp(join(tmpdir(), "witness-"));
  await ask(urlOf(server, server.user), `CREATE DATABASE ${name}`);
  const url = urlOf(server, name);
  return {
    url,
    name,
    open: (options) => openPostgresStore({ url, witnessPath: join(folder, "radferry"), poolSize: 4, ...options }),
    query: (text) => ask(url, text),
    administer: (text) => ask(urlOf(server, server.user), text),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function ask(url: string, text: string) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const result = await client.query(text);
    return Array.isArray(result) ? [] : result.rows;
  } finally {
    await client.end();
  }
}
