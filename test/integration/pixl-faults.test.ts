import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Message } from "../../src/compat/pixl/messages/message.ts";
import { RequeueMessageError } from "../../src/compat/pixl/processing/errors.ts";
import { processMessage } from "../../src/compat/pixl/processing/process-message.ts";
import type { Processing } from "../../src/compat/pixl/processing/processing.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { textOf } from "../../src/dicom/values.ts";
import { listJobs } from "../../src/network/rest/orthanc/jobs.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { introduceModality, type OrthancServer, startOrthanc } from "../peers/orthanc.ts";
import { type ArchiveFaults, type PracticeArchive, startPracticeArchive } from "../peers/practice-archive.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { startGate } from "../support/http-gate.ts";
import {
  instancesIn,
  openPixlSite,
  openSiteProcessing,
  type PixlSite,
  pathsAsked,
  store,
} from "../support/pixl-site.ts";
import { givesUpAt } from "../support/rehearsal.ts";

const STUDY = syntheticStudy({ seed: 921, modality: "CT", series: 2, instancesPerSeries: 3, rows: 16, columns: 16 });
const UIDS = STUDY.instances.map(({ sopInstanceUid }) => sopInstanceUid).sort();

/** Orthanc's ErrorCode. */
const CANCELLED = 37;

const messageFor = ({ patientId, accessionNumber, studyInstanceUid }: SyntheticStudy): Message => ({
  ...{ mrn: patientId, accessionNumber, studyUid: studyInstanceUid, seriesUid: "", studyDate: "2022-11-22" },
  ...{ procedureOccurrenceId: 1, projectName: "p", extractGeneratedTimestamp: "2023-12-07T14:08:00+00:00" },
});

/** Of those that are meant, the one that comes in this place. */
function nth(place: number, isMeant: (path: string) => boolean): (path: string) => boolean {
  let met = 0;
  return (path) => {
    met += isMeant(path) ? 1 : 0;
    return isMeant(path) && met === place;
  };
}

describe.skipIf(!requirePeer("Orthanc"))("PIXL's messages, with archives that fail", () => {
  const running = new AsyncDisposableStack();
  let site: PixlSite;
  let anon: OrthancServer;
  beforeAll(async () => {
    site = running.use(await openPixlSite());
    anon = running.use(await startOrthanc({ aeTitle: "PIXLANON" }));
    await introduceModality(site.raw, "PIXL-Anon", anon);
  });
  afterAll(() => running.disposeAsync());
  beforeEach(() => site.clear());

  interface Scene {
    readonly archive: PracticeArchive;
    readonly processing: Processing;
    process(): ReturnType<typeof processMessage>;
  }

  async function withScene(
    faults: ArchiveFaults,
    work: (scene: Scene) => Promise<void>,
    environment: Readonly<Record<string, string>> = {},
    studies: readonly SyntheticStudy[] = [STUDY],
  ): Promise<void> {
    const destinations = [`PIXLRAW@127.0.0.1:${site.raw.port}`];
    await using archive = await startPracticeArchive({ studies, destinations, faults, aeTitle: "PRIMARYQR" });
    const port = Number(archive.address.split(":").at(-1));
    await introduceModality(site.raw, "UCPRIMARYQR", { aeTitle: "PRIMARYQR", port });
    await using processing = openSiteProcessing(site, environment);
    await work({ archive, processing, process: () => processMessage(messageFor(STUDY), "primary", processing) });
  }

  it("W2: is not content with a part that the archive calls a success", async () => {
    const faults: ArchiveFaults = { select: (all, timesAsked) => (timesAsked === 0 ? all.slice(0, 4) : all) };
    await withScene(faults, async ({ archive, process }) => {
      expect(await process()).toMatchObject({ instances: 6, retrieved: 6, isHandedOver: true });
      expect(await instancesIn(site.raw, STUDY.studyInstanceUid)).toEqual(UIDS);
      // W11: what had come was not sent again.
      expect([...archive.timesSent.values()]).toEqual([1, 1, 1, 1, 1, 1]);
    });
  });

  it("W2: hands nothing over that stays incomplete, and says how much is missing", async () => {
    const [bad] = STUDY.instances;
    const faults: ArchiveFaults = { select: (all) => all.filter((instance) => instance !== bad) };
    await withScene(faults, async ({ process }) => {
      const processed = process();
      await expect(processed).rejects.toThrow(RequeueMessageError);
      await expect(processed).rejects.toMatchObject({
        code: "INSTANCES_MISSING",
        stage: "retrieving",
        details: { missing: 1, received: 5 },
      });
      expect(site.anon.imports).toEqual([]);
    });
  });

  it("takes all but the one instance that stops the archive", async () => {
    await withScene(givesUpAt(STUDY.instances[2]), async ({ process }) => {
      await expect(process()).rejects.toMatchObject({
        details: { missing: 1, received: 5, reason: "ARCHIVE_UNABLE" },
      });
    });
  });

  it("asks again for the one instance whose sending failed, after a warning (B000)", async () => {
    const [, bad] = STUDY.instances;
    let failures = 0;
    const faults: ArchiveFaults = {
      async *send(instance) {
        yield instance.bytes.subarray(0, 8);
        if (instance === bad && failures === 0) {
          failures += 1;
          throw new Error("cannot be read");
        }
        yield instance.bytes.subarray(8);
      },
    };
    await withScene(faults, async ({ archive, process }) => {
      expect(await process()).toMatchObject({ instances: 6, isHandedOver: true });
      expect(archive.timesSent.get(bad?.sopInstanceUid ?? "")).toBe(2);
    });
  });

  it("goes on after a job that failed once", async () => {
    let asked = 0;
    const faults: ArchiveFaults = {
      select(all) {
        asked += 1;
        if (asked === 1) throw new Error("out of breath");
        return all;
      },
    };
    await withScene(faults, async ({ process }) => {
      expect(await process()).toMatchObject({ instances: 6, isHandedOver: true });
    });
  });

  it("W10: cancels a job that is not done in time, and asks for no more than is missing", async () => {
    let sent = 0;
    const leaving = new AbortController();
    const faults: ArchiveFaults = {
      async *send({ bytes }) {
        sent += 1;
        // The first time, the third takes longer than anybody waits.
        if (sent === 3) await once(leaving.signal, "abort");
        yield bytes;
      },
    };
    const environment = { PIXL_DICOM_TRANSFER_TIMEOUT: "1" };
    await withScene(
      faults,
      async ({ archive, processing, process }) => {
        const paths = pathsAsked(processing);
        expect(await process()).toMatchObject({ instances: 6, isHandedOver: true });
        const [first, second] = STUDY.instances;
        expect([first, second].map((each) => archive.timesSent.get(each?.sopInstanceUid ?? ""))).toEqual([1, 1]);
        expect(paths.filter((path) => path.endsWith("/cancel"))).toHaveLength(1);
        leaving.abort();
      },
      environment,
    );
  });

  it.each([
    ["lists counts alone", (level: string) => level === "IMAGE"],
    ["lists nothing within a study", (level: string) => level !== "STUDY"],
  ])("W12: gets along with an archive that %s", async (_, isRefused) => {
    const faults: ArchiveFaults = {
      refuses: (identifier) => isRefused(textOf(identifier, tags.QueryRetrieveLevel) ?? ""),
    };
    await withScene(faults, async ({ process }) => {
      await store(site.raw, STUDY.instances.slice(1));
      expect(await process()).toMatchObject({ instances: 6, isHandedOver: true });
    });
  });

  describe("while orthanc-raw is busy with jobs of other people", () => {
    const stuck = syntheticStudy({ seed: 922, modality: "CT", rows: 16, columns: 16 });

    /** Some of the jobs run, the others wait for their turn. */
    async function withJobsOfOthers(
      environment: Readonly<Record<string, string>>,
      work: (scene: Scene, states: () => Promise<readonly string[]>) => Promise<void>,
    ): Promise<void> {
      const leaving = new AbortController();
      const faults: ArchiveFaults = {
        async *send({ bytes, studyInstanceUid }) {
          const isStuck = studyInstanceUid === stuck.studyInstanceUid;
          if (isStuck && !leaving.signal.aborted) await once(leaving.signal, "abort");
          yield bytes;
        },
      };
      const busy = async (scene: Scene): Promise<void> => {
        const { raw } = scene.processing;
        const jobs = await retrieveSeveralTimes(scene.processing, stuck.studyInstanceUid, 4);
        const states = async (): Promise<readonly string[]> =>
          (await listJobs(raw, neverAborted())).filter(({ id }) => jobs.includes(id)).map(({ state }) => state);
        await vi.waitFor(async () => expect(await states()).toContain("Pending"), { timeout: 10_000 });
        await work(scene, states).finally(() => leaving.abort());
        await vi.waitFor(async () => expect(new Set(await states())).toEqual(new Set(["Success"])), {
          timeout: 10_000,
        });
      };
      await withScene(faults, busy, environment, [STUDY, stuck]);
    }

    it("W22: does not wait for them when nothing is to be retrieved", async () => {
      await withJobsOfOthers({}, async ({ process }, states) => {
        await store(site.raw, STUDY.instances);
        expect(await process()).toMatchObject({ instances: 6, isHandedOver: true });
        expect(await states()).toContain("Pending");
      });
    });

    it("W10: does not wait without end for a job that never gets its turn", async () => {
      await withJobsOfOthers({ PIXL_DICOM_TRANSFER_TIMEOUT: "0.3" }, async ({ processing, process }) => {
        await expect(process()).rejects.toMatchObject({ code: "INSTANCES_MISSING", details: { reason: "TIMED_OUT" } });
        const jobs = await listJobs(processing.raw, neverAborted());
        expect(jobs.filter(({ errorCode }) => errorCode === CANCELLED).length).toBeGreaterThan(0);
      });
    });
  });

  it.each([
    ["what it knows", { PIXL_QUERY_TIMEOUT: "0.2" }, (path: string) => path.endsWith("/query")],
    ["what a study lists", { PIXL_DICOM_TRANSFER_TIMEOUT: "0.2" }, nth(2, (path) => path.endsWith("/query"))],
    ["what it reads files for", { PIXL_DICOM_TRANSFER_TIMEOUT: "0.2" }, (path: string) => path.endsWith("/instances")],
  ])("waits for an orthanc-raw that is asked for %s as long as PIXL's settings say", async (_, setting, isHeld) => {
    await store(site.raw, STUDY.instances);
    await using gate = await startGate(site.raw.httpPort, (_method, path) => (isHeld(path) ? "hold" : "pass"));
    const environment = { PIXL_QUERY_TIMEOUT: "60", PIXL_DICOM_TRANSFER_TIMEOUT: "60", ...setting };
    await withScene(
      {},
      async ({ process }) => {
        await expect(process()).rejects.toMatchObject({ code: "HTTP_HEADERS_TIMED_OUT" });
      },
      { ...environment, ORTHANC_RAW_URL: gate.endpoint },
    );
  });

  it("waits for orthanc-anon as long as it does for a query", async () => {
    await store(site.raw, STUDY.instances);
    const never = Promise.withResolvers<void>();
    site.anon.hold = never.promise;
    await withScene(
      {},
      async ({ process }) => {
        await expect(process()).rejects.toMatchObject({ code: "HTTP_HEADERS_TIMED_OUT", stage: "handing-over" });
      },
      { PIXL_QUERY_TIMEOUT: "1" },
    );
    never.resolve();
  });

  it("W21: looks for what is missing with as many requests for many instances as for few", async () => {
    const plan = { modality: "CT", series: 2, rows: 8, columns: 8 } as const;
    const requests = async (instancesPerSeries: number): Promise<number> => {
      const study = syntheticStudy({ ...plan, seed: 923, instancesPerSeries });
      let count = 0;
      await withScene(
        {},
        async ({ processing }) => {
          await store(site.raw, study.instances.slice(1));
          const paths = pathsAsked(processing);
          await processMessage(messageFor(study), "primary", processing);
          // How often a job is looked at depends on how long it takes.
          count = paths.filter((path) => !path.startsWith("jobs/")).length;
        },
        {},
        [study],
      );
      await site.clear();
      return count;
    };
    expect(await requests(40)).toBe(await requests(2));
  });

  it("C-STORE: sends the studies to orthanc-anon, of wanted series these alone", async () => {
    await withScene(
      {},
      async ({ processing, process }) => {
        const [wanted] = STUDY.instances;
        await processMessage(
          { ...messageFor(STUDY), seriesUid: wanted?.seriesInstanceUid ?? "" },
          "primary",
          processing,
        );
        expect(await instancesIn(anon, STUDY.studyInstanceUid)).toHaveLength(3);
        await process();
        expect(await instancesIn(anon, STUDY.studyInstanceUid)).toEqual(UIDS);
        expect(site.anon.imports).toEqual([]);
      },
      { RADFERRY_PIXL_HANDOVER: "c-store" },
    );
  });

  it("goes on with a retrieval in which orthanc-raw was killed", async () => {
    let sent = 0;
    const died = Promise.withResolvers<void>();
    const faults: ArchiveFaults = {
      async *send({ bytes }) {
        sent += 1;
        if (sent === 3) {
          await site.raw.kill();
          died.resolve();
        }
        yield bytes;
      },
    };
    await withScene(faults, async ({ process }) => {
      const first = process().catch((thrown: unknown) => thrown);
      await died.promise;
      await site.raw.start();
      expect(await first).toBeDefined();
      expect(await process()).toMatchObject({ instances: 6, isHandedOver: true });
      expect(await instancesIn(site.raw, STUDY.studyInstanceUid)).toEqual(UIDS);
    });
  });
});

/** Has orthanc-raw fetch a study in jobs of other people. */
async function retrieveSeveralTimes(processing: Processing, study: string, times: number): Promise<readonly string[]> {
  const ask = async (path: string, body: object): Promise<{ readonly ID: string }> => {
    await using response = await processing.raw.request({ method: "POST", path, body: JSON.stringify(body) });
    let text = "";
    for await (const piece of response.body) text += Buffer.from(piece).toString();
    return JSON.parse(text);
  };
  const jobs: string[] = [];
  for (let time = 0; time < times; time += 1) {
    const query = await ask("modalities/UCPRIMARYQR/query", { Level: "Study", Query: { StudyInstanceUID: study } });
    jobs.push((await ask(`queries/${query.ID}/retrieve`, { Synchronous: false })).ID);
  }
  return jobs;
}
