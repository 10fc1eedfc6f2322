import { openSqliteStore } from "./open.ts";

/**
 * Submits cohorts and works on them without end; prints one line of JSON for each thing that the store has acknowledged.
 * The kill test starts it as a process of its own and kills it: `node kill-writer.testing.ts DATABASE`.
 */
const [path = ""] = process.argv.slice(2);
await using store = await openSqliteStore({ path });

function acknowledge(line: { readonly cohort?: string; readonly delivered?: string }): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function submitCohorts(): Promise<never> {
  for (let number = 0; ; number += 1) {
    const requests = [1, 2].map((rowNumber) => ({
      rowNumber,
      studyInstanceUid: `1.${process.pid}.${number}.${rowNumber}`,
      patientId: undefined,
      accessionNumber: undefined,
      seriesInstanceUids: undefined,
      participantId: undefined,
      priority: 3,
      cells: [],
    }));
    const { cohort } = await store.submitCohort({ project: "lung", columns: [], requests, refused: [] }, 0);
    acknowledge({ cohort });
  }
}

async function work(worker: string): Promise<never> {
  for (;;) {
    const claimed = await store.claim(worker, 60_000, 0);
    if (claimed === undefined) continue;
    const ledger = [{ kind: "received", sopInstanceUid: "1.2", seriesInstanceUid: "1.1" }] as const;
    const outcome = { state: "delivered", attempts: 0, change: { ledger } } as const;
    if (await store.settle(claimed.lease, outcome, 1)) acknowledge({ delivered: claimed.job.id });
  }
}

await Promise.all([submitCohorts(), work("worker-1"), work("worker-2")]);
