import { expect, it } from "vitest";
import type { JobRecord } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { contextOf } from "./context.testing.ts";
import { createOperations } from "./create-operations.ts";

const job = (id: string, state: JobRecord["state"]) => ({ id, project: "lung", state }) as JobRecord;

/** It counts a study as queued that is delivered by the time the studies are listed. */
const store: Partial<Store> = {
  cohortStatus: async (cohort) => ({
    cohort,
    project: "lung",
    total: 2,
    states: { queued: 1, failed: 1 },
    done: false,
  }),
  listJobs: async () => [job("job-1", "delivered"), job("job-2", "failed")],
  cohortsOfEach: async (ids) => ids.map(() => ["cohort-1"]),
};

it("counts the studies of a cohort as it lists them, though they move meanwhile", async () => {
  const operations = createOperations(contextOf({ role: "viewer", told: [], store }));
  const { jobs, ...sums } = await operations.cohortStatus("cohort-1", { jobs: true });
  expect(sums).toMatchObject({ total: 2, states: { delivered: 1, failed: 1 }, done: true });
  expect(jobs?.map(({ state }) => state)).toEqual(["delivered", "failed"]);
});
