import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type ArchiveFaults, type PracticeArchive, startPracticeArchive } from "../peers/practice-archive.ts";
import { freePort } from "../peers/process.ts";
import { startScriptedPeer } from "../peers/scripted-peer.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { makeSite, PROJECT, type Site } from "../support/site.ts";

interface Study {
  readonly state: string;
  readonly code?: string;
  readonly verdict: string | null;
  readonly expected: number | null;
  readonly received: number;
  readonly delivered: number;
  readonly attempts: number;
}

const FAST_RETRY = { attempts: 8, firstDelaySeconds: 0.2, maximumDelaySeconds: 0.5 };

function ctStudy(seed: number, instancesPerSeries = 4): SyntheticStudy {
  return syntheticStudy({ seed, modality: "CT", instancesPerSeries });
}

function cohortOf(studies: readonly SyntheticStudy[]): string {
  return `study_instance_uid\n${studies.map(({ studyInstanceUid }) => studyInstanceUid).join("\n")}\n`;
}

/** Submits one row for each study and waits; gives the studies in the order of the rows. */
async function run(
  site: Site,
  studies: readonly SyntheticStudy[],
): Promise<{ readonly exitCode: number | null; readonly jobs: readonly Study[] }> {
  const file = await site.write("wanted.csv", cohortOf(studies));
  const { exitCode } = await site.run("cohort", "submit", file, "--project", PROJECT, "--wait");
  const { stdout } = await site.run("study", "list");
  return { exitCode, jobs: JSON.parse(stdout) };
}

interface Rehearsal {
  readonly site: Site;
  readonly archive: PracticeArchive;
}

/** A site whose one archive has the faults, for as long as `use` runs. */
async function withFaults(
  faults: ArchiveFaults,
  studies: readonly SyntheticStudy[],
  use: (rehearsal: Rehearsal) => Promise<void>,
  options: { readonly retrieve?: "move" | "get"; readonly project?: Readonly<Record<string, unknown>> } = {},
): Promise<void> {
  const dicomPort = await freePort();
  const destinations = [`RADFERRY@127.0.0.1:${dicomPort}`];
  await using archive = await startPracticeArchive({ studies, destinations, faults });
  await using site = await makeSite({
    dicomPort,
    archives: [{ name: "practice", address: archive.address, retrieve: options.retrieve ?? "move" }],
    retry: FAST_RETRY,
    ...(options.project === undefined ? {} : { project: options.project }),
  });
  await use({ site, archive });
}

describe.each(["move", "get"] as const)("an archive asked by C-%s", (retrieve) => {
  it("that answers success but sends fewer is asked for the missing ones only", async () => {
    const studies = [ctStudy(11, 6)];
    const select: ArchiveFaults["select"] = (instances, asked) => (asked === 0 ? instances.slice(2) : instances);
    await withFaults(
      { select },
      studies,
      async ({ site, archive }) => {
        const { exitCode, jobs } = await run(site, studies);
        expect(jobs).toMatchObject([
          { state: "delivered", verdict: "complete", expected: 6, received: 6, delivered: 6 },
        ]);
        expect(exitCode).toBe(0);
        expect(Math.max(...archive.timesSent.values())).toBe(1);
      },
      { retrieve },
    );
  });

  it("that aborts in the middle of an instance is asked again", async () => {
    const studies = [ctStudy(12)];
    let cuts = 0;
    const send: ArchiveFaults["send"] = async function* ({ bytes }) {
      cuts += 1;
      yield bytes.subarray(0, 1_000);
      if (cuts === 2) throw new Error("cut");
      yield bytes.subarray(1_000);
    };
    await withFaults(
      { send },
      studies,
      async ({ site }) => {
        const { jobs } = await run(site, studies);
        expect(jobs).toMatchObject([{ state: "delivered", verdict: "complete", received: 4, delivered: 4 }]);
      },
      { retrieve },
    );
  });

  it("that sends an instance twice gets it counted once", async () => {
    const studies = [ctStudy(13)];
    await withFaults(
      { select: (instances) => [...instances, ...instances] },
      studies,
      async ({ site }) => {
        const { jobs } = await run(site, studies);
        expect(jobs).toMatchObject([{ state: "delivered", expected: 4, received: 4, delivered: 4 }]);
      },
      { retrieve },
    );
  });

  it("that sends what nobody asked for has it refused", async () => {
    const [wanted, other] = [ctStudy(14), ctStudy(15)];
    const select: ArchiveFaults["select"] = (instances) => [...other.instances, ...instances];
    await withFaults(
      { select },
      [wanted, other],
      async ({ site }) => {
        const { jobs } = await run(site, [wanted]);
        expect(jobs).toMatchObject([{ state: "delivered", expected: 4, received: 4, delivered: 4 }]);
        expect(jobs).toHaveLength(1);
      },
      { retrieve },
    );
  });

  it("that keeps an instance back leaves the study held, and says so", async () => {
    const studies = [ctStudy(16)];
    await withFaults(
      { select: (instances) => instances.slice(1) },
      studies,
      async ({ site }) => {
        const { exitCode, jobs } = await run(site, studies);
        expect(jobs).toMatchObject([
          { state: "held", code: "INSTANCES_MISSING", verdict: "partial", expected: 4, received: 3, delivered: 0 },
        ]);
        expect(exitCode).toBe(3);
      },
      { retrieve },
    );
  });

  it("that sends garbage fails that study with the reason, and the rest go on", async () => {
    const [bad, good] = [ctStudy(17), ctStudy(18)];
    const send: ArchiveFaults["send"] = async function* ({ bytes, studyInstanceUid }) {
      yield studyInstanceUid === bad.studyInstanceUid ? Buffer.alloc(bytes.length, 0xa5) : bytes;
    };
    await withFaults(
      { send },
      [bad, good],
      async ({ site }) => {
        const { jobs } = await run(site, [bad, good]);
        expect(jobs).toMatchObject([
          { state: "failed", code: "INSTANCE_UNREADABLE" },
          { state: "delivered", delivered: 4 },
        ]);
      },
      { retrieve },
    );
  });
});

it("delivers a partial study when the project says so, and marks it", async () => {
  const studies = [ctStudy(21)];
  const project = { partial: "deliver" };
  await withFaults(
    { select: (instances) => instances.slice(1) },
    studies,
    async ({ site }) => {
      const { exitCode, jobs } = await run(site, studies);
      expect(jobs).toMatchObject([{ state: "delivered", verdict: "partial", expected: 4, received: 3, delivered: 3 }]);
      expect(exitCode).toBe(0);
    },
    { project },
  );
});

it("waits for an archive that is slow", async () => {
  const studies = [ctStudy(22)];
  const send: ArchiveFaults["send"] = async function* ({ bytes }) {
    for (let start = 0; start < bytes.length; start += 1_000) {
      await delay(50);
      yield bytes.subarray(start, start + 1_000);
    }
  };
  await withFaults({ send }, studies, async ({ site }) => {
    const { jobs } = await run(site, studies);
    expect(jobs).toMatchObject([{ state: "delivered", delivered: 4, attempts: 0 }]);
  });
});

it("fails at once when the archive refuses the association for good", async () => {
  const studies = [ctStudy(23)];
  await withFaults({ callingAeTitles: ["SOMEBODYELSE"] }, studies, async ({ site }) => {
    const { exitCode, jobs } = await run(site, studies);
    expect(jobs).toMatchObject([{ state: "failed", code: "ASSOCIATION_REJECTED", attempts: 1 }]);
    expect(exitCode).toBe(3);
  });
});

it("waits for an archive that is down, and goes on when it is back", async () => {
  const studies = [ctStudy(24)];
  const [dicomPort, archivePort] = [await freePort(), await freePort()];
  await using site = await makeSite({
    dicomPort,
    archives: [{ name: "practice", address: `PRACTICE@127.0.0.1:${archivePort}`, retrieve: "move" }],
    retry: { attempts: 60, firstDelaySeconds: 0.2, maximumDelaySeconds: 0.5 },
  });
  await using _service = await site.serve();
  await site.run("cohort", "submit", await site.write("wanted.csv", cohortOf(studies)), "--project", PROJECT);
  await until(site, (study) => study.attempts >= 2);
  const { stdout } = await site.run("study", "list");
  expect(JSON.parse(stdout)).toMatchObject([{ code: "CONNECTION_FAILED" }]);
  await using _archive = await startPracticeArchive({
    studies,
    port: archivePort,
    destinations: [`RADFERRY@127.0.0.1:${dicomPort}`],
  });
  const study = await until(site, ({ state }) => state === "delivered");
  expect(study).toMatchObject({ verdict: "complete", delivered: 4 });
});

it("tries again when the archive ends the association with an abort", async () => {
  const studies = [ctStudy(25)];
  /** A-ABORT by the provider. PS3.8 9.3.8: type 07H, reserved, length 4, reserved 2, source 2, reason 0. */
  const abort = Uint8Array.of(0x07, 0, 0, 0, 0, 4, 0, 0, 2, 0);
  await using peer = await startScriptedPeer([{ expectPdu: 0x01 }, { send: abort }, { abruptly: "end" }]);
  await using site = await makeSite({
    dicomPort: await freePort(),
    archives: [{ name: "practice", address: `ABORTS@127.0.0.1:${peer.port}`, retrieve: "move" }],
    retry: { attempts: 3, firstDelaySeconds: 0.1, maximumDelaySeconds: 0.1 },
  });
  const { jobs } = await run(site, studies);
  expect(jobs).toMatchObject([{ state: "failed", code: "ASSOCIATION_ABORTED", attempts: 3 }]);
});

it("asks the next archive after a clean not-found only", async () => {
  const study = ctStudy(26);
  const dicomPort = await freePort();
  const destinations = [`RADFERRY@127.0.0.1:${dicomPort}`];
  await using empty = await startPracticeArchive({ studies: [], aeTitle: "EMPTY", destinations });
  await using full = await startPracticeArchive({ studies: [study], aeTitle: "FULL", destinations });
  await using site = await makeSite({
    dicomPort,
    archives: [
      { name: "first", address: empty.address, retrieve: "move" },
      { name: "second", address: full.address, retrieve: "move" },
    ],
    retry: FAST_RETRY,
  });
  const { jobs } = await run(site, [study]);
  expect(jobs).toMatchObject([{ state: "delivered", archive: "second" }]);
});

/** Looks at the site's only study until it is as wanted. */
async function until(site: Site, isWanted: (study: Study) => boolean): Promise<Study> {
  for (let look = 0; look < 100; look += 1) {
    const { stdout } = await site.run("study", "list");
    const [study]: Study[] = JSON.parse(stdout);
    if (study !== undefined && isWanted(study)) return study;
    await delay(50);
  }
  throw new Error("the study never came into the wanted state");
}
