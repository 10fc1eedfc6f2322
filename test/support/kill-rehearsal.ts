import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import { seededRandom } from "../../src/units/random.ts";
import { freePort } from "../peers/free-port.ts";
import { type PracticeArchive, startPracticeArchive } from "../peers/practice-archive.ts";
import type { SyntheticModality } from "../peers/synthetic-modules.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { type CountingStore, startCountingStore } from "./counting-store.ts";
import { makeSite, PROJECT, type Site } from "./site.ts";

/** The service lives this long after it was ready, at least and at most. */
const LEAST_LIFE_MS = 30;
const MOST_LIFE_MS = 420;
/** Each instance takes the archive this long, so that the run outlasts the kills. */
const SEND_MS = 45;

const MODALITIES: readonly SyntheticModality[] = ["CT", "MR", "PT", "DX", "US"];

const studies = Array.from({ length: 20 }, (_, index) =>
  syntheticStudy({
    seed: 300 + index,
    modality: MODALITIES[index % MODALITIES.length] ?? "CT",
    series: 2,
    instancesPerSeries: 3 + (index % 3),
  }),
);

interface Rehearsal extends AsyncDisposable {
  readonly site: Site;
  readonly archive: PracticeArchive;
  readonly viewer: CountingStore;
}

async function rehearse(): Promise<Rehearsal> {
  await using opened = new AsyncDisposableStack();
  const dicomPort = await freePort();
  const archive = opened.use(
    await startPracticeArchive({
      studies,
      destinations: [`RADFERRY@127.0.0.1:${dicomPort}`],
      faults: {
        async *send({ bytes }) {
          await delay(SEND_MS);
          yield bytes;
        },
      },
    }),
  );
  const viewer = opened.use(await startCountingStore(0));
  const site = opened.use(
    await makeSite({
      dicomPort,
      archives: [{ name: "practice", address: archive.address, retrieve: "move", availability: { associations: 2 } }],
      moreDestinations: [{ name: "viewer", kind: "dimse", address: viewer.address, confirm: "find" }],
    }),
  );
  const everything = opened.move();
  return { site, archive, viewer, [Symbol.asyncDispose]: () => everything.disposeAsync() };
}

async function submit(site: Site): Promise<string> {
  const rows = studies.map((study: SyntheticStudy) => study.studyInstanceUid).join("\n");
  const file = await site.write("wanted.csv", `study_instance_uid\n${rows}\n`);
  const { document } = await site.run("cohort", "submit", file, "--project", PROJECT);
  return String(document.cohort);
}

async function isDone(site: Site, cohort: string): Promise<boolean> {
  const { document } = await site.run("cohort", "status", cohort);
  return document.done === true;
}

async function untilDone(site: Site, cohort: string): Promise<void> {
  for (let look = 0; look < 200; look += 1) {
    if (await isDone(site, cohort)) return;
    await delay(100);
  }
  throw new Error("the cohort was not done in time");
}

/** The end state: what each study and each instance came to, without times, tries and names given by chance. */
async function account(site: Site): Promise<unknown> {
  await using store = await openSqliteStore({ path: join(site.home, "radferry.db") });
  const jobs = await store.listJobs({ limit: 100 });
  const accounts = await Promise.all(
    jobs.map(
      async ({ id, studyInstanceUid, state, code, verdict, expected, received, excluded, delivered, pseudonym }) => ({
        study: { studyInstanceUid, state, code, verdict, expected, received, excluded, delivered, pseudonym },
        ledger: (await store.ledger(id)).map((entry) => ({
          ...entry,
          expectedAtMs: entry.expectedAtMs !== undefined,
          receivedAtMs: entry.receivedAtMs !== undefined,
          excludedAtMs: entry.excludedAtMs !== undefined,
          deidentifiedAtMs: entry.deidentifiedAtMs !== undefined,
          deliveredAtMs: entry.deliveredAtMs !== undefined,
        })),
        deliveries: (await store.deliveries(id)).map(({ changedAtMs: _, ...delivery }) => delivery),
      }),
    ),
  );
  return accounts.sort((a, b) => String(a.study.studyInstanceUid).localeCompare(String(b.study.studyInstanceUid)));
}

/** Path below the destination to inode: a file that was written again has another. */
async function deliveredFiles({ delivered }: Site): Promise<ReadonlyMap<string, number>> {
  const names = await readdir(delivered, { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith(".dcm") && !name.startsWith(".radferry")).sort();
  return new Map(
    await Promise.all(files.map(async (name) => [name, (await stat(join(delivered, name))).ino] as const)),
  );
}

/**
 * Runs the cohort twice: undisturbed, and killed with SIGKILL at random moments, started again each time. Expects the same end state, ledger and
 * delivered set, and nothing delivered twice.
 */
export async function rehearseKills(seed: number, kills: number): Promise<void> {
  await using undisturbed = await rehearse();
  {
    const cohort = await submit(undisturbed.site);
    await using _service = await undisturbed.site.serve();
    await untilDone(undisturbed.site, cohort);
  }

  await using disturbed = await rehearse();
  const random = seededRandom(seed);
  const cohort = await submit(disturbed.site);
  let seen: ReadonlyMap<string, number> = new Map();
  let killsUnderWay = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const service = await disturbed.site.serve();
    await delay(LEAST_LIFE_MS + random.next() * (MOST_LIFE_MS - LEAST_LIFE_MS));
    await service.kill();
    const files = await deliveredFiles(disturbed.site);
    for (const [name, inode] of seen) expect(files.get(name), "a delivered file stays as it is").toBe(inode);
    seen = files;
    if (files.size < (await deliveredFiles(undisturbed.site)).size) killsUnderWay += 1;
  }
  {
    await using _service = await disturbed.site.serve();
    await untilDone(disturbed.site, cohort);
  }

  expect(killsUnderWay, "most kills hit while work was under way").toBeGreaterThanOrEqual(kills / 2);
  expect(await account(disturbed.site)).toEqual(await account(undisturbed.site));
  expect([...(await deliveredFiles(disturbed.site)).keys()]).toEqual([
    ...(await deliveredFiles(undisturbed.site)).keys(),
  ]);
  expect([...disturbed.viewer.objects.keys()].sort()).toEqual([...undisturbed.viewer.objects.keys()].sort());
  for (const [uid, bytes] of disturbed.viewer.objects)
    expect(bytes.equals(undisturbed.viewer.objects.get(uid) ?? Buffer.of())).toBe(true);
  expect(Math.max(...disturbed.viewer.timesStored.values()), "nothing is delivered twice").toBe(1);
}
