import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { BreakerPolicy } from "../../store/archive-condition.ts";
import { finish, submit } from "../../store/contract/support.testing.ts";
import { openSqliteStore } from "../../store/sqlite/open.ts";
import type { Store } from "../../store/store.ts";
import type { Notice } from "../../units/notifications.ts";
import type { Tell } from "./outbox.ts";
import { watchJobs } from "./watch-jobs.ts";
import { watchArchives, watchIntake, watchStaging } from "./watch-site.ts";

let opened: AsyncDisposableStack;
let store: Store;
let told: Notice[];
const clock = { nowMs: () => 7 };

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder());
  store = opened.use(await openSqliteStore({ path: join(path, "radferry.db") }));
  told = [];
});
afterEach(() => opened.disposeAsync());

const tell: Tell = async (notices, marks) => {
  told.push(...notices);
  await store.addNotices({ notices: [], marks, maximumWaiting: 9 }, 0);
};

/** As a process does that has just started: it knows what the store knows. */
async function marks(): Promise<Map<string, string>> {
  return new Map((await store.noticeMarks()).map(({ name, value = "" }) => [name, value]));
}

describe("the looker after jobs", () => {
  const look = async (): Promise<readonly Notice[]> => {
    told = [];
    await watchJobs({ store, clock, tell, marks: await marks(), isWanted: () => true });
    return told;
  };
  const names = (notices: readonly Notice[]) => notices.map(({ event, project }) => `${event} ${project}`);

  it("tells nothing of what was before its first look", async () => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    await finish(store, "failed");
    expect(await look()).toEqual([]);
    expect(await look()).toEqual([]);
  });

  it("tells each end that needs a person once, over restarts, and by the job's id alone", async () => {
    await look();
    await submit(store, [{ studyInstanceUid: "1.2.3.4711", patientId: "P4711" }, { studyInstanceUid: "1.2" }]);
    const job = await finish(store, "quarantined");
    const [notice] = await look();
    expect(notice).toEqual({
      event: "study-quarantined",
      atMs: 7,
      project: "lung",
      facts: { job, project: "lung", code: "INTERNAL" },
    });
    expect(JSON.stringify(notice)).not.toContain("4711");
    expect(await look()).toEqual([]);
    await store.retryJobs({ job }, 1);
    expect(await look()).toEqual([]);
    await finish(store, "failed");
    expect(names(await look())).toEqual(["study-failed lung"]);
  });

  it("tells a cohort's end once, with its counts, and again when it was opened anew", async () => {
    await look();
    const cohort = await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    await finish(store, "delivered");
    expect(await look()).toEqual([]);
    const failed = await finish(store, "failed");
    const [, done] = await look();
    const counts = { total: 2, delivered: 1, failed: 1, quarantined: 0, notFound: 0 };
    expect(done).toMatchObject({ event: "cohort-done", project: "lung", facts: { cohort, ...counts } });
    expect(await look()).toEqual([]);
    await store.retryJobs({ job: failed }, 1);
    expect(await look()).toEqual([]);
    await finish(store, "delivered");
    expect(await look()).toMatchObject([{ event: "cohort-done", facts: { delivered: 2, failed: 0 } }]);
    expect([...(await marks()).keys()]).toEqual(["jobs"]);
  });

  it("tells a cohort once though its last studies are on several pages", async () => {
    await look();
    const rows = Array.from({ length: 600 }, (_, index) => ({ studyInstanceUid: `1.${index + 1}` }));
    const cohort = await submit(store, rows);
    await store.cancelJobs({ cohort }, 1);
    expect(await look()).toMatchObject([{ event: "cohort-done", facts: { cohort, total: 600, cancelled: 600 } }]);
    expect(await look()).toEqual([]);
  });
});

describe("the looker after the site", () => {
  const POLICY: BreakerPolicy = { failures: 1, firstRestMs: 10, longestRestMs: 10, probeMs: 10 };
  let freeBytes = 0;
  let owner: string | undefined;
  const look = async (): Promise<readonly string[]> => {
    told = [];
    const conditionOf = (archive: string) => store.archiveCondition(archive);
    const own = { node: "north", owner };
    const parts = {
      ...own,
      archives: () => ["vna"],
      conditionOf,
      freeBytes: async () => freeBytes,
      reserveBytes: 20e9,
    };
    const site = { ...parts, clock, tell, marks: await marks() };
    await watchArchives(site);
    await watchStaging(site);
    return told.map(({ event, facts }) => [event, ...Object.values(facts)].join(" "));
  };
  beforeEach(() => {
    freeBytes = 50e9;
    owner = undefined;
  });

  it("tells when an archive is left alone, paused and back, once each; a probe is not yet back", async () => {
    expect(await look()).toEqual([]);
    await store.judgeArchive("vna", "CONNECTION_FAILED", POLICY, 0);
    expect(await look()).toEqual(["archive-down vna CONNECTION_FAILED"]);
    await store.admitToArchive("vna", POLICY, 100);
    expect(await look()).toEqual([]);
    await store.judgeArchive("vna", undefined, POLICY, 101);
    expect(await look()).toEqual(["archive-back vna"]);
    await store.setArchiveControls("vna", { paused: true }, 102);
    expect(await look()).toEqual(["archive-paused vna"]);
    expect(await look()).toEqual([]);
    await store.setArchiveControls("vna", { paused: false }, 103);
    expect(await look()).toEqual(["archive-back vna"]);
  });

  it("tells when staging falls below its reserve, and when it has room again", async () => {
    freeBytes = 19.9e9;
    expect(await look()).toEqual(["staging-low north 19 20 STAGING_FULL"]);
    expect(await look()).toEqual([]);
    freeBytes = 21e9;
    expect(await look()).toEqual(["staging-enough north 21 20"]);
  });
});

describe("the looker after what was sent unasked", () => {
  const look = async (studies: number): Promise<readonly Notice[]> => {
    told = [];
    const held = studies === 0 ? [] : [{ state: "held", studies, oldestAtMs: 0 } as const];
    const counts = { intakeCounts: async () => [{ state: "open", studies: 3, oldestAtMs: 0 } as const, ...held] };
    await watchIntake({ store: counts, clock, tell, marks: await marks() });
    return told;
  };

  it("tells when more studies are held than before, and not of those that somebody dealt with", async () => {
    expect(await look(0)).toEqual([]);
    expect(await look(2)).toEqual([{ event: "intake-held", atMs: 7, facts: { studies: 2 } }]);
    expect(await look(2)).toEqual([]);
    expect(await look(1)).toEqual([]);
    expect(await look(2)).toMatchObject([{ facts: { studies: 2 } }]);
  });
});
