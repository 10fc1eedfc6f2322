import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { textOf } from "../../src/dicom/values.ts";
import { freePort } from "../peers/free-port.ts";
import { type ArchiveFaults, startPracticeArchive } from "../peers/practice-archive.ts";
import { startScriptedPeer } from "../peers/scripted-peer.ts";
import type { SyntheticInstance, SyntheticStudy } from "../peers/synthetic-studies.ts";
import { ctStudy, givesUpAt, type Study, studiesOf, submit, until, withArchive } from "../support/rehearsal.ts";
import { makeSite, type Site } from "../support/site.ts";

const FAST_RETRY = { attempts: 8, firstDelaySeconds: 0.2, maximumDelaySeconds: 0.5 };

const MR = "1.2.840.10008.5.1.4.1.1.4";

/** Submits one row for each study and waits; gives the studies in the order of the rows. */
async function run(
  site: Site,
  studies: readonly SyntheticStudy[],
): Promise<{ readonly exitCode: number | null; readonly jobs: readonly Study[] }> {
  const { exitCode } = await submit(site, studies, "--wait");
  return { exitCode, jobs: await studiesOf(site) };
}

describe.each(["move", "get"] as const)("an archive asked by C-%s", (retrieve) => {
  it("that answers success but sends fewer is asked for the missing ones only", async () => {
    const studies = [ctStudy(11, 6)];
    const select: ArchiveFaults["select"] = (instances, asked) => (asked === 0 ? instances.slice(2) : instances);
    await withArchive(
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
    await withArchive(
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
    await withArchive(
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
    await withArchive(
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

  it("that sends another object than it announces has it refused, and the study fails for that reason", async () => {
    const study = ctStudy(20);
    const [lied, other] = study.instances;
    const select: ArchiveFaults["select"] = (instances) =>
      instances.map((one) => (one === lied && other !== undefined ? { ...one, bytes: other.bytes } : one));
    await withArchive(
      { select },
      [study],
      async ({ site }) => {
        const { jobs } = await run(site, [study]);
        expect(jobs).toMatchObject([
          { state: "failed", code: "INSTANCE_MISMATCH", verdict: "partial", expected: 4, received: 3, delivered: 0 },
        ]);
      },
      { retrieve },
    );
  });

  it.each<readonly [string, (one: SyntheticInstance) => SyntheticInstance, Pick<ArchiveFaults, "refuses">]>([
    ["instance", (one) => ({ ...one, sopInstanceUid: `${one.sopInstanceUid}.1` }), {}],
    [
      "instance, and does not list them,",
      (one) => ({ ...one, sopInstanceUid: `${one.sopInstanceUid}.1` }),
      { refuses: (identifier) => textOf(identifier, tags.QueryRetrieveLevel) === "IMAGE" },
    ],
    // Over C-GET it has no context to send that over.
    ...(retrieve === "move" ? [["class", (one: SyntheticInstance) => ({ ...one, sopClassUid: MR }), {}] as const] : []),
  ])(
    "that announces everything as another %s fails the study at once, and says whose fault it is",
    async (_, lie, more) => {
      const study = ctStudy(29);
      const select: ArchiveFaults["select"] = (instances) => instances.map(lie);
      await withArchive(
        { ...more, select },
        [study],
        async ({ site, archive }) => {
          const { jobs } = await run(site, [study]);
          expect(jobs).toMatchObject([
            { state: "failed", code: "INSTANCE_MISMATCH", expected: 4, received: 0, attempts: 0 },
          ]);
          // Twice: what is missing is asked for once more.
          expect(Math.max(...archive.timesSent.values())).toBe(2);
        },
        { retrieve },
      );
    },
  );

  it("that keeps an instance back leaves the study held, and says so", async () => {
    const studies = [ctStudy(16)];
    await withArchive(
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

  it("that gives up a whole study at one bad instance is asked for the others one by one", async () => {
    const study = ctStudy(19);
    await withArchive(
      givesUpAt(study.instances[1]),
      [study],
      async ({ site }) => {
        const { jobs } = await run(site, [study]);
        expect(jobs).toMatchObject([
          { state: "held", code: "INSTANCES_MISSING", verdict: "partial", expected: 4, received: 3 },
        ]);
      },
      { retrieve },
    );
  });

  it("that sends garbage fails that study with the reason, and the rest go on", async () => {
    const [bad, good] = [ctStudy(17), ctStudy(18)];
    const send: ArchiveFaults["send"] = async function* ({ bytes, studyInstanceUid }) {
      yield studyInstanceUid === bad.studyInstanceUid ? Buffer.alloc(bytes.length, 0xa5) : bytes;
    };
    await withArchive(
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
  await withArchive(
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
  await withArchive({ send }, studies, async ({ site }) => {
    const { jobs } = await run(site, studies);
    expect(jobs).toMatchObject([{ state: "delivered", delivered: 4, attempts: 0 }]);
  });
});

it("fails at once when the archive refuses the association for good", async () => {
  const studies = [ctStudy(23)];
  await withArchive({ callingAeTitles: ["SOMEBODYELSE"] }, studies, async ({ site }) => {
    const { exitCode, jobs } = await run(site, studies);
    expect(jobs).toMatchObject([{ state: "failed", code: "CALLING_AE_TITLE_UNKNOWN", attempts: 1 }]);
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
  await submit(site, studies);
  // While the next attempt is under way there is no code.
  const [waiting] = await until(site, ([study]) => (study?.attempts ?? 0) >= 2 && study?.code !== undefined);
  // On a slow machine it rests already by the time one looks.
  expect(waiting?.code).toMatch(/^(?:CONNECTION_FAILED|ARCHIVE_RESTING)$/);
  await using _archive = await startPracticeArchive({
    studies,
    port: archivePort,
    destinations: [`RADFERRY@127.0.0.1:${dicomPort}`],
  });
  const delivered = await until(site, ([study]) => study?.state === "delivered");
  expect(delivered).toMatchObject([{ verdict: "complete", delivered: 4 }]);
}, 120_000);

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
