import pg from "pg";
import type { Clock } from "../../units/clock.ts";
import { connectionOf, type PostgresSettings } from "./connection.ts";
import { asStoreError } from "./errors.ts";
import { toPostgres } from "./sql-text.ts";
import { ownStatements } from "./statements.ts";

/** How far the database's clock is ahead of this machine's, half of the way there and back taken off. @throws GatewayError STORE_… */
export async function measureSkewMs(settings: PostgresSettings, clock: Clock): Promise<number> {
  const client = new pg.Client(connectionOf(settings));
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { text } = toPostgres(ownStatements.databaseTime);
    const beforeMs = clock.nowMs();
    const { rows } = await client.query(text);
    return Number(rows[0]?.nowMs) - (beforeMs + clock.nowMs()) / 2;
  } catch (thrown) {
    throw asStoreError(thrown);
  } finally {
    await client.end().catch(() => undefined);
  }
}
