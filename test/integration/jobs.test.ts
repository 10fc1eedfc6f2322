import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import type { ArchiveFaults } from "../peers/practice-archive.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { cohortFile, ctStudy, studiesOf, submit, until, withArchive } from "../support/rehearsal.ts";
import { mountSmallDisk } from "../support/small-disk.ts";

/** An instance takes the archive so long that a test can act in the meantime. */
const taking = (milliseconds: number): ArchiveFaults => ({
  async *send({ bytes }) {
    yield bytes.subarray(0, 1_000);
    await delay(milliseconds);
    yield bytes.subarray(1_000);
  },
});

it("retrieves a study once that two projects want, and gives each its own", async () => {
  const studies = [ctStudy(31)];
  await withArchive(
    taking(400),
    studies,
    async ({ site, archive }) => {
      await using _service = await site.serve();
      const file = await cohortFile(site, studies);
      await Promise.all(
        ["trial", "other"].map((project) => site.run("cohort", "submit", file, "--project", project, "--wait")),
      );
      const jobs = await studiesOf(site);
      expect(jobs).toMatchObject([
        { state: "delivered", delivered: 4 },
        { state: "delivered", delivered: 4 },
      ]);
      expect([...archive.timesSent.values()]).toEqual([1, 1, 1, 1]);
      const [first, second] = jobs as readonly {
        readonly pseudonym?: string;
        readonly pseudoStudyInstanceUid?: string;
      }[];
      expect(first?.pseudonym).not.toBe(second?.pseudonym);
      expect(first?.pseudoStudyInstanceUid).not.toBe(second?.pseudoStudyInstanceUid);
    },
    { moreProjects: ["other"] },
  );
});

it("leaves alone what was delivered when the same list comes again, and fetches only what is new", async () => {
  const [first, second] = [ctStudy(32), ctStudy(33)];
  await withArchive({}, [first, second], async ({ site, archive }) => {
    await submit(site, [first], "--wait");
    const again = await submit(site, [first, second], "--wait");
    expect(again.document).toMatchObject({
      rows: 2,
      accepted: 2,
      joined: 1,
      total: 2,
      states: { delivered: 2 },
      done: true,
    });
    expect(again.exitCode).toBe(0);
    expect(Math.max(...archive.timesSent.values())).toBe(1);
  });
});

it("stops a study that is cancelled on its way, and takes it up again on retry", async () => {
  const studies = [ctStudy(34)];
  // Two programs are started before the study would be there.
  await withArchive(taking(2_000), studies, async ({ site }) => {
    await using _service = await site.serve();
    const { document } = await submit(site, studies);
    await until(site, ([study]) => study?.state === "running" && study.expected === 4);
    expect((await site.run("cohort", "cancel", String(document.cohort))).document).toMatchObject({ cancelled: 1 });
    const [cancelled] = await until(site, ([study]) => study?.state === "cancelled");
    expect(cancelled).toMatchObject({ delivered: 0, code: "CANCELLED" });
    expect((await site.run("study", "retry", cancelled?.id ?? "")).document).toMatchObject({ retried: 1 });
    const [study] = await until(site, ([one]) => one?.state === "delivered");
    expect(study).toMatchObject({ verdict: "complete", received: 4, delivered: 4 });
  });
});

it("pauses retrieval below the disk's reserve, counts no try, and says why", async () => {
  const studies = [ctStudy(35)];
  await withArchive(
    {},
    studies,
    async ({ site, archive }) => {
      await using _service = await site.serve();
      await submit(site, studies);
      const [study] = await until(site, ([one]) => one?.state === "waiting");
      expect(study).toMatchObject({ code: "STAGING_FULL", attempts: 0, received: 0 });
      expect(archive.timesSent.size).toBe(0);
      const doctor = await site.run("doctor");
      expect(doctor.exitCode).toBe(1);
      expect(doctor.stdout).toContain("STAGING_FULL");
    },
    { staging: { reserveGigabytes: 1_000_000 } },
  );
});

it("waits while the disk is full, and goes on by itself when there is room", async ({ skip }) => {
  using disk = mountSmallDisk(600);
  if (disk === undefined) return skip();
  const studies = [syntheticStudy({ seed: 38, modality: "CT", instancesPerSeries: 10, rows: 256, columns: 256 })];
  await withArchive(
    {},
    studies,
    async ({ site }) => {
      await using _service = await site.serve();
      await submit(site, studies);
      const [waiting] = await until(site, ([study]) => study?.state === "waiting");
      expect(waiting).toMatchObject({ code: "STAGING_FULL", attempts: 0, expected: 10, delivered: 0 });
      disk.resize(20_000);
      const [study] = await until(site, ([one]) => one?.state === "delivered");
      expect(study).toMatchObject({ verdict: "complete", received: 10, delivered: 10, attempts: 0 });
    },
    { staging: { path: disk.path } },
  );
});

it("works the same beside a running service, to which it hands the work", async () => {
  const studies = [ctStudy(36)];
  await withArchive({}, studies, async ({ site }) => {
    await using _service = await site.serve();
    const { exitCode, document } = await submit(site, studies, "--wait");
    expect(exitCode).toBe(0);
    expect(document).toMatchObject({
      rows: 1,
      accepted: 1,
      refused: [],
      total: 1,
      states: { delivered: 1 },
      done: true,
    });
  });
});

it("brings only the series that a row names, and the rest when a later row wants the study", async () => {
  const study = syntheticStudy({ seed: 37, modality: "CT", series: 2, instancesPerSeries: 4 });
  const [series] = study.instances.map(({ seriesInstanceUid }) => seriesInstanceUid);
  await withArchive({}, [study], async ({ site }) => {
    const file = await site.write(
      "series.csv",
      `study_instance_uid,series_instance_uids\n${study.studyInstanceUid},${series}\n`,
    );
    await site.run("cohort", "submit", file, "--project", "trial", "--wait");
    expect(await studiesOf(site)).toMatchObject([{ state: "delivered", expected: 4, delivered: 4 }]);
    await submit(site, [study], "--wait");
    expect(await studiesOf(site)).toMatchObject([{ state: "delivered", delivered: study.instances.length }]);
  });
});
