import type { StudyDeidentifier } from "../../src/deid/workers/study-run.ts";
import type { Destination } from "../../src/delivery/destination.ts";
import type { MethodName } from "../../src/store/sql/methods.ts";
import type { SqliteSession } from "../../src/store/sqlite/session.ts";
import type { Invariant } from "./invariants.ts";
import { fileAt } from "./machine.ts";

/** The product, broken on purpose in one place, and the promise that has to be seen broken then. */
export interface Mutation {
  readonly breaks: Invariant;
  readonly destination?: (destination: Destination) => Destination;
  readonly deidentifier?: (deidentifier: StudyDeidentifier) => StudyDeidentifier;
  readonly store?: (method: MethodName, ask: () => Promise<unknown>, session: SqliteSession) => Promise<unknown>;
  /** Nothing that is synced survives a power cut for certain. */
  readonly ignoresSyncs?: boolean;
}

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "originals leave instead of their copies": {
    breaks: "verified only",
    deidentifier: (deidentifier) => ({
      ...deidentifier,
      study(options) {
        const run = deidentifier.study(options);
        return {
          ...run,
          async instances(tasks, onDone) {
            const outcomes = await run.instances(tasks, onDone);
            for (const [index, outcome] of outcomes.entries()) {
              const task = tasks[index];
              if (outcome.kind === "deidentified" && task !== undefined)
                fileAt(outcome.file.path).content = fileAt(task.path).content;
            }
            return outcomes;
          },
        };
      },
    }),
  },
  "a delivery is confirmed without being read back": {
    breaks: "ledger equals destination",
    destination: (destination) => ({
      ...destination,
      held: ({ files }) => Promise.resolve(new Set(files.map(({ sopInstanceUid }) => sopInstanceUid))),
    }),
  },
  "each instance is sent twice": {
    breaks: "delivered once",
    destination: (destination) => ({
      ...destination,
      async send(delivery, files, signal) {
        await destination.send(delivery, files, signal);
        await destination.send(delivery, files, signal);
      },
    }),
  },
  "leases are handed out again": {
    breaks: "one holder",
    store(method, ask, { database }) {
      if (method === "claim") database.exec("UPDATE study_jobs SET state = 'queued' WHERE state = 'running'");
      return ask();
    },
  },
  "windows are not looked at": {
    breaks: "within limits",
    async store(method, ask) {
      const value = await ask();
      return method === "archiveCondition" && typeof value === "object"
        ? { ...value, overrides: { windows: null, studiesPerMinute: null } }
        : value;
    },
  },
  "requests lose their jobs": {
    breaks: "one visible state",
    async store(method, ask, { database }) {
      const value = await ask();
      if (method === "located") database.exec("DELETE FROM request_jobs");
      return value;
    },
  },
  "what is sent unasked is acknowledged and not written down": {
    breaks: "one visible state",
    store: (method, ask) => (method === "addIntakeInstances" ? Promise.resolve([true]) : ask()),
  },
  "what waits is never due": {
    breaks: "settles",
    async store(method, ask, { database }) {
      const value = await ask();
      if (method === "settle" || method === "settleAndClaim")
        database.exec("UPDATE study_jobs SET due_at = 9000000000000 WHERE state = 'waiting'");
      return value;
    },
  },
  "nothing is synced": { breaks: "ledger equals destination", ignoresSyncs: true },
};
