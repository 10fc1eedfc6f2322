import { expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { type ArchiveFaults, startPracticeArchive } from "../peers/practice-archive.ts";
import { ctStudy, submit, until, withArchive } from "../support/rehearsal.ts";
import { makeSite } from "../support/site.ts";

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** One hour, two days ahead: closed whenever this runs. */
function windowAhead(): string {
  return `${DAYS[(new Date().getUTCDay() + 2) % DAYS.length]} 01:00-02:00`;
}

it("leaves an archive alone until its window opens, says when that is, and goes on at once when it is opened", async () => {
  const studies = [ctStudy(41), ctStudy(42)];
  await withArchive({}, studies, async ({ site, archive }) => {
    await site.run("archive", "windows", "practice", windowAhead(), "--time-zone", "UTC");
    await using _service = await site.serve();
    await submit(site, studies);
    const waiting = await until(site, (jobs) => jobs.length === 2 && jobs.every(({ state }) => state === "waiting"));
    const { document } = await site.run("archive", "list");
    const [practice] = document as unknown as readonly { readonly state: string; readonly opensAt: string }[];
    expect(practice?.state).toBe("closed");
    for (const job of waiting) {
      expect(job).toMatchObject({ code: "ARCHIVE_CLOSED", attempts: 0, waitingUntil: practice?.opensAt });
    }
    expect(archive.timesSent.size).toBe(0);
    await site.run("archive", "windows", "practice", "--always");
    await until(site, (jobs) => jobs.every(({ state }) => state === "delivered"));
  });
});

it("stops what is being fetched when the archive is paused, and takes it up again when it is resumed", async () => {
  const isPaused = Promise.withResolvers<void>();
  const slow: ArchiveFaults = {
    async *send({ bytes }) {
      yield bytes.subarray(0, 1_000);
      await isPaused.promise;
      yield bytes.subarray(1_000);
    },
  };
  const studies = [ctStudy(43, 8)];
  await withArchive(slow, studies, async ({ site }) => {
    await using _service = await site.serve();
    await submit(site, studies);
    await until(site, ([job]) => job?.state === "running" && job.expected === 8);
    await site.run("archive", "pause", "practice");
    const [paused] = await until(site, ([job]) => job?.state === "waiting");
    isPaused.resolve();
    expect(paused).toMatchObject({ code: "ARCHIVE_PAUSED", attempts: 0 });
    await site.run("archive", "resume", "practice");
    const [job] = await until(site, ([one]) => one?.state === "delivered");
    expect(job).toMatchObject({ verdict: "complete", received: 8, attempts: 0 });
  });
}, 120_000);

it("lets an archive that fails again and again rest, and goes on when an echo is answered", async () => {
  const [port, dicomPort] = [await freePort(), await freePort()];
  const studies = Array.from({ length: 6 }, (_, index) => ctStudy(50 + index));
  const archives = [{ name: "practice", address: `PRACTICE@127.0.0.1:${port}`, retrieve: "get" as const }];
  await using site = await makeSite({ dicomPort, archives });
  await using _service = await site.serve();
  await submit(site, studies);
  await until(site, (jobs) => jobs.some(({ code }) => code === "ARCHIVE_RESTING"));
  expect((await site.run("archive", "list")).document).toMatchObject([{ state: "resting", code: "CONNECTION_FAILED" }]);
  await using _archive = await startPracticeArchive({ studies, port });
  await site.run("archive", "echo", "practice");
  await until(site, (jobs) => jobs.every(({ state }) => state === "delivered"));
  expect((await site.run("archive", "list")).document).toMatchObject([{ state: "open" }]);
}, 120_000);
