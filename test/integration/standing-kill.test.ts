import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import type { ArchiveFaults } from "../peers/practice-archive.ts";
import { ctStudy, withArchive } from "../support/rehearsal.ts";
import { PROJECT, type RunningService, type Site } from "../support/site.ts";

const STUDIES = [91, 92, 93].map((seed) => ctStudy(seed, 2));
const WAIT = { timeout: 40_000, interval: 100 };

/** What the home has, whether a service runs over it or not. */
async function kept({ home }: Site) {
  await using store = await openSqliteStore({ path: join(home, "radferry.db") });
  const [runs, jobs, cohorts] = await Promise.all([
    store.standingRuns("nightly", { limit: 10 }),
    store.listJobs({ limit: 10 }),
    store.listCohorts({ limit: 10 }),
  ]);
  return { runs, cohorts, states: jobs.map(({ state }) => state) };
}

/** An archive that has its client killed before it answers a search, and in the next life before it sends an instance. */
function createKilling() {
  const killed = { search: Promise.withResolvers<void>(), retrieval: Promise.withResolvers<void>() };
  let next: keyof typeof killed | undefined = "search";
  let serving = Promise.withResolvers<RunningService>();
  let service: RunningService | undefined;
  const killAt = async (where: keyof typeof killed): Promise<void> => {
    if (next !== where) return;
    next = where === "search" ? "retrieval" : undefined;
    // What runs already is killed in this very turn: nothing was answered yet.
    const victim = service ?? (await serving.promise);
    service = undefined;
    serving = Promise.withResolvers();
    victim.kill().then(killed[where].resolve, killed[where].reject);
  };
  const faults: ArchiveFaults = {
    refuses() {
      void killAt("search");
      return false;
    },
    async *send({ bytes }) {
      await killAt("retrieval");
      yield bytes;
    },
  };
  return {
    faults,
    killed,
    lives(begun: RunningService): void {
      service = begun;
      serving.resolve(begun);
    },
  };
}

it("is one run with one cohort, though the service is killed in its search and while it fetches what it found", async () => {
  const { faults, killed, lives } = createKilling();
  await withArchive(
    faults,
    STUDIES,
    async ({ site }) => {
      const search = ["--project", PROJECT, "--archive", "practice", "--from", "1990-01-01"];
      await site.run("cohort", "standing", "add", "nightly", ...search, "--at", "02:00");
      lives(await site.serve());
      await site.run("cohort", "standing", "run", "nightly");
      await killed.search.promise;
      expect(await kept(site)).toMatchObject({ runs: [{ number: 1, state: "running" }], cohorts: [], states: [] });

      lives(await site.serve());
      await killed.retrieval.promise;
      const { runs, cohorts } = await kept(site);
      expect(runs).toMatchObject([{ number: 1, state: "done", found: 3, fresh: 3, known: 0 }]);
      expect(cohorts).toMatchObject([{ cohort: runs[0]?.cohort, rows: 3 }]);

      await using last = await site.serve();
      await vi.waitFor(async () => expect((await kept(site)).states).toEqual(STUDIES.map(() => "delivered")), WAIT);
      expect(await kept(site)).toMatchObject({ runs, cohorts: [{ cohort: runs[0]?.cohort, rows: 3 }] });
      expect(last.log()).not.toContain("INTERNAL");
    },
    { retrieve: "get" },
  );
}, 150_000);
