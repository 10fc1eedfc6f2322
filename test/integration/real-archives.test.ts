import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StatusDocument, StudyDocument } from "../../src/operations/documents.ts";
import type { LedgerEntry } from "../../src/store/records.ts";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import { concurrently } from "../../src/units/concurrently.ts";
import { corpusObjects, findCorpus } from "../peers/corpus.ts";
import { newDciodvfyErrors } from "../peers/dciodvfy.ts";
import { freePort } from "../peers/free-port.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { deliveredFiles, filesWithUids } from "../support/delivered-files.ts";
import { type Holdings, REAL_ARCHIVES, type RealArchiveKind } from "../support/real-archives.ts";
import { makeSite, PROJECT, type Site } from "../support/site.ts";

const corpus = findCorpus();
const hasDciodvfy = requirePeer("dciodvfy");
const archives = REAL_ARCHIVES.map((kind) => ({ ...kind, isInstalled: requirePeer(kind.program) }));
/** All of them, also where a program is missing: what is skipped is then skipped by name. */
const combinations = archives.flatMap((kind) => (["move", "get"] as const).map((retrieve) => ({ ...kind, retrieve })));

const RUN_TIMEOUT_MS = 120_000;
/** The program is quick; the machine is shared. */
const CHECKS_AT_ONCE = 2;

/** A cohort of everything that an archive holds, done, and all that is known of it afterwards. */
interface Run {
  readonly site: Site;
  readonly holdings: Holdings;
  readonly status: StatusDocument;
  /** By Study Instance UID. */
  readonly jobs: ReadonlyMap<string, StudyDocument>;
  readonly ledgers: ReadonlyMap<string, readonly LedgerEntry[]>;
  readonly exported: readonly Readonly<Record<string, string>>[];
}

for (const combination of combinations) {
  const canRun = corpus !== undefined && combination.isInstalled;
  describe.skipIf(!canRun)(`every study of ${combination.program} by C-${combination.retrieve}`, () => {
    const running = new AsyncDisposableStack();
    let run: Run;

    beforeAll(async () => {
      run = await runEverything(running, combination, corpus ?? "");
    }, RUN_TIMEOUT_MS);
    afterAll(() => running.disposeAsync());

    it("comes back in the export, row by row", () => {
      const { holdings, exported, status } = run;
      expect(status).toMatchObject({ total: holdings.size, done: true });
      expect(exported.map((row) => row.study_instance_uid)).toEqual([...holdings.keys()]);
      expect(exported.map((row) => row.note)).toEqual([...holdings.keys()].map((_, index) => `00${index}`));
    });

    it("is complete by the archive's own count, and ends in a state that says what became of it", () => {
      const { exported, holdings, jobs } = run;
      for (const row of exported) {
        const study = row.study_instance_uid ?? "";
        const count = `${holdings.get(study)?.size}`;
        expect(row, study).toMatchObject({
          radferry_state: expect.stringMatching(/^(delivered|quarantined|excluded)$/),
          radferry_verdict: "complete",
          radferry_expected: count,
          radferry_received: count,
        });
        const { state, excluded, delivered, expected } = jobs.get(study) ?? {};
        if (state === "delivered") expect((excluded ?? 0) + (delivered ?? 0), study).toBe(expected);
        else expect(delivered, study).toBe(0);
      }
    });

    it("is in the ledger instance by instance", () => {
      for (const [study, instances] of run.holdings) {
        const received = run.ledgers.get(study)?.filter(({ receivedAtMs }) => receivedAtMs !== undefined) ?? [];
        expect(received.map(({ sopInstanceUid }) => sopInstanceUid).sort(), study).toEqual([...instances].sort());
      }
    });

    it("lies in the destination as its report says", async () => {
      const { paths, problems } = await deliveredFiles(run.site.delivered);
      const delivered = sumOf(run.jobs.values(), (job) => job.delivered);
      expect(problems).toEqual([]);
      expect(paths.length).toBe(delivered);
      expect(delivered).toBeGreaterThan(50);
      process.stderr.write(`${countsLine(combination, run)}\n`);
    });

    it("takes no original UID along", async () => {
      const { paths } = await deliveredFiles(run.site.delivered);
      const uids = [...run.ledgers].flatMap(([study, entries]) => [
        study,
        ...entries.flatMap(({ seriesInstanceUid, sopInstanceUid }) => [seriesInstanceUid, sopInstanceUid]),
      ]);
      const originals = new Set(uids.filter((uid) => !uid.startsWith("1.2.840.10008.")));
      expect(await filesWithUids(run.site.delivered, paths, originals)).toEqual([]);
    });

    it.skipIf(!hasDciodvfy)("gives dciodvfy nothing new to complain of", async () => {
      const found: string[] = [];
      const pairs = await pairsOf(run);
      expect(pairs.length).toBe(sumOf(run.jobs.values(), (job) => job.delivered));
      await concurrently(pairs, CHECKS_AT_ONCE, async ({ input, output }) => {
        for (const error of await newDciodvfyErrors(input, output)) found.push(`${input}: ${error}`);
      });
      expect(found).toEqual([]);
    });
  });
}

async function runEverything(
  running: AsyncDisposableStack,
  { start, retrieve }: RealArchiveKind & { readonly retrieve: "move" | "get" },
  corpusFolder: string,
): Promise<Run> {
  const dicomPort = await freePort();
  const archive = running.use(await start(dicomPort));
  const site = running.use(
    await makeSite({ archives: [{ name: "archive", address: archive.address, retrieve }], dicomPort }),
  );
  const holdings = await archive.load(await corpusObjects(corpusFolder), site);
  const lines = [...holdings.keys()].map((study, index) => `${study},00${index}`);
  const file = await site.write("cohort.csv", `${["study_instance_uid,note", ...lines].join("\n")}\n`);

  const { document } = await site.run("cohort", "submit", file, "--project", PROJECT, "--wait");
  const cohort = String(document.cohort);
  const status = (await site.run("cohort", "status", cohort, "--jobs")).document as unknown as StatusDocument;
  const output = join(site.folder, "export.csv");
  await site.run("cohort", "export", cohort, "-o", output);
  const exported: Record<string, string>[] = parse(await readFile(output, "utf8"), { columns: true, bom: true });

  const byId = new Map(status.jobs?.map((job) => [job.id, job]));
  const jobs = new Map<string, StudyDocument>();
  const ledgers = new Map<string, readonly LedgerEntry[]>();
  await using store = await openSqliteStore({ path: join(site.home, "radferry.db") });
  for (const { study_instance_uid: study = "", radferry_job: id = "" } of exported) {
    const job = byId.get(id);
    if (job === undefined) continue;
    jobs.set(study, job);
    ledgers.set(study, await store.ledger(id));
  }
  return { site, holdings, status, jobs, ledgers, exported };
}

/** What was staged beside what was delivered of it. */
async function pairsOf({
  site,
  ledgers,
}: Run): Promise<readonly { readonly input: string; readonly output: string }[]> {
  const { paths } = await deliveredFiles(site.delivered);
  const byName = new Map(paths.map((path) => [basename(path), path]));
  return [...ledgers].flatMap(([study, entries]) =>
    entries.flatMap(({ sopInstanceUid, pseudoSopInstanceUid }) => {
      const output = byName.get(`${pseudoSopInstanceUid}.dcm`);
      const input = join(site.home, "staging", "studies", study, `${sopInstanceUid}.dcm`);
      return output === undefined ? [] : [{ input, output }];
    }),
  );
}

function countsLine({ program, retrieve }: { readonly program: string; readonly retrieve: string }, run: Run): string {
  const count = (of: (job: StudyDocument) => number): number => sumOf(run.jobs.values(), of);
  const instances = sumOf(run.holdings.values(), ({ size }) => size);
  const endings = Map.groupBy(run.jobs.values(), ({ state, code }) =>
    code === undefined ? state : `${state} ${code}`,
  );
  return [
    `${program} by C-${retrieve.toUpperCase()}: ${run.holdings.size} studies, ${instances} instances,`,
    `${count(({ delivered }) => delivered)} delivered, ${count(({ excluded }) => excluded)} excluded;`,
    [...endings].map(([ending, jobs]) => `${ending} ${jobs.length}`).join(", "),
  ].join(" ");
}

function sumOf<T>(values: Iterable<T>, of: (value: T) => number): number {
  let sum = 0;
  for (const value of values) sum += of(value);
  return sum;
}
