import type pg from "pg";
import { renewWitness } from "../sql/audit.ts";
import type { AuditWitness } from "../sql/audit-witness.ts";
import { openSession } from "./session.ts";

/** The file may be behind the trail so long. */
const BEHIND_MS = 1_000;

export interface WitnessKeeping extends AsyncDisposable {
  /** After a call: writes the file soon, when something was appended; at once when there is none. */
  look(): Promise<void>;
}

/** Keeps the file beside this gateway up with a trail that all gateways append to. */
export function renewWitnessLater(pool: pg.Pool, witness: AuditWitness): WitnessKeeping {
  let due: NodeJS.Timeout | undefined;
  let renewing: Promise<void> = Promise.resolve();

  async function renew(): Promise<void> {
    const client = await pool.connect();
    try {
      await renewWitness(openSession(client, witness, false));
    } finally {
      client.release();
    }
  }

  const start = (): void => {
    due = undefined;
    // Failing leaves it behind: the next call looks again.
    renewing = renewing.then(renew).catch(() => undefined);
  };
  return {
    async look() {
      if (!witness.isBehind) return;
      if (witness.read() !== undefined) due ??= setTimeout(start, BEHIND_MS);
      else {
        start();
        await renewing;
      }
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(due);
      if (witness.isBehind) start();
      await renewing;
    },
  };
}
