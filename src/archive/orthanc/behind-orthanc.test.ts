import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { emptyOrthanc, introduceModality, type OrthancServer, startOrthanc } from "../../../test/peers/orthanc.ts";
import {
  type ArchiveFaults,
  type PracticeArchive,
  startPracticeArchive,
} from "../../../test/peers/practice-archive.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { givesUpAt } from "../../../test/support/rehearsal.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseDicomAddress } from "../../dicom/ae-title.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { textOf } from "../../dicom/values.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { listJobs } from "../../network/rest/orthanc/jobs.ts";
import { openStagingArea } from "../../staging/open-staging.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { systemDisk } from "../../units/disk.ts";
import { silentLogger } from "../../units/logger.ts";
import { systemRandom } from "../../units/random.ts";
import type { Archive, ListedInstance } from "../archive.ts";
import { createPace } from "../availability/pace.ts";
import { createExpectations } from "../expectations.ts";
import { createRefusals } from "../refusals.ts";
import { createOrthancArchive } from "./orthanc-archive.ts";

const study = syntheticStudy({ seed: 881, modality: "CT", instancesPerSeries: 4, rows: 8, columns: 8 });
const STUDY = parseStudyInstanceUid(study.studyInstanceUid);
const UIDS = study.instances.map(({ sopInstanceUid }) => sopInstanceUid).sort();
const signal = neverAborted();

interface Scene {
  readonly archive: Archive;
  readonly behind: PracticeArchive;
  readonly jobs: () => Promise<readonly string[]>;
  readonly staged: () => Promise<readonly string[]>;
}

describe.skipIf(!requirePeer("Orthanc"))("an archive behind an Orthanc", () => {
  const running = new AsyncDisposableStack();
  let fetcher: OrthancServer;
  beforeAll(async () => {
    fetcher = running.use(await startOrthanc({ aeTitle: "FETCHER" }));
  });
  beforeEach(() => emptyOrthanc(fetcher));
  afterAll(() => running.disposeAsync());

  /** @param modality how the Orthanc is asked for it */
  async function withScene<T>(faults: ArchiveFaults, work: (scene: Scene) => Promise<T>, modality = "practice") {
    const destinations = [`FETCHER@127.0.0.1:${fetcher.port}`];
    await using behind = await startPracticeArchive({ studies: [study], destinations, faults });
    await introduceModality(fetcher, "practice", parseDicomAddress(behind.address));
    await using folder = await temporaryFolder();
    const { path } = folder;
    await using staging = await openStagingArea({ path, reserveBytes: 0, disk: systemDisk, logger: silentLogger });
    const clock = systemClock;
    const taker = {
      ...{ staging, clock, random: systemRandom, pace: createPace(clock) },
      ...{ expectations: createExpectations(clock), refusals: createRefusals() },
    };
    const client = openHttpClient({ baseUrl: `http://127.0.0.1:${fetcher.httpPort}` });
    await using archive = createOrthancArchive({ name: "fetcher", client, associations: 2, taker, modality });
    return await work({
      archive,
      behind,
      jobs: async () => (await listJobs(client, signal)).map(({ state }) => state),
      staged: async () => (await staging.list(STUDY)).map(({ sopInstanceUid }) => sopInstanceUid).sort(),
    });
  }

  /** As the archive lists it. */
  async function listed(archive: Archive): Promise<readonly ListedInstance[]> {
    const listing = await archive.listStudy(STUDY, signal);
    if (listing.kind !== "instances") throw new Error(`lists ${listing.kind}`);
    return listing.instances;
  }

  it("is not asked again for what the Orthanc holds by now", async () => {
    await withScene({}, async ({ archive, behind, staged }) => {
      const wanted = new Set((await listed(archive)).map(({ sopInstanceUid }) => sopInstanceUid));
      const request = { studyInstanceUid: STUDY, wanted };
      expect(await archive.retrieve(request, signal)).toEqual({ status: 0, completed: 4, failed: 0 });
      expect(await staged()).toEqual(UIDS);
      await archive.retrieve(request, signal);
      await archive.retrieve({ studyInstanceUid: STUDY, instances: await listed(archive) }, signal);
      expect(behind.timesAsked.get(STUDY)).toBe(1);
    });
  });

  it("is asked for what is missing, and one instance that it cannot send costs itself alone", async () => {
    const [bad, ...good] = study.instances;
    await withScene(givesUpAt(bad), async ({ archive, staged }) => {
      await expect(archive.retrieve({ studyInstanceUid: STUDY }, signal)).rejects.toMatchObject({
        code: "ARCHIVE_UNABLE",
        details: { errorCode: 9 },
      });
      await archive.retrieve({ studyInstanceUid: STUDY, instances: await listed(archive) }, signal);
      expect(await staged()).toEqual(good.map(({ sopInstanceUid }) => sopInstanceUid).sort());
    });
  });

  it("is left in peace when nobody waits any more", async () => {
    const leaving = new AbortController();
    const faults: ArchiveFaults = {
      async *send({ bytes }) {
        leaving.abort(new Error("left"));
        yield bytes;
      },
    };
    await withScene(faults, async ({ archive, jobs, staged }) => {
      const aborted = once(leaving.signal, "abort");
      await expect(archive.retrieve({ studyInstanceUid: STUDY }, leaving.signal)).rejects.toThrow("left");
      await aborted;
      expect(await staged()).toEqual([]);
      expect(await jobs()).not.toContain("Running");
    });
  });

  it("is tried with one instance, of which nothing is kept", async () => {
    await withScene({}, async ({ archive, behind, staged }) => {
      expect(await archive.rehearseRetrieval(signal)).toEqual({ kind: "tried", status: 0, completed: 1, failed: 0 });
      expect([...behind.timesSent.values()]).toEqual([1]);
      const statistics = await (await fetch(`http://127.0.0.1:${fetcher.httpPort}/statistics`)).json();
      expect(statistics).toMatchObject({ CountInstances: 0 });
      expect(await staged()).toEqual([]);
    });
  });

  it("is told apart by whether it refuses one search or all: the latter passes", async () => {
    let refuses = (_: string | undefined): boolean => true;
    const faults = { refuses: (identifier: DataSet) => refuses(textOf(identifier, tags.StudyInstanceUID)) };
    const query = { by: "study-uid", studyInstanceUid: STUDY } as const;
    await withScene(faults, async ({ archive }) => {
      await expect(archive.findStudies(query, signal)).rejects.toMatchObject({ code: "ARCHIVE_UNABLE" });
      refuses = (uid) => uid === STUDY;
      await expect(archive.findStudies(query, signal)).rejects.toMatchObject({ code: "DIMSE_FAILED" });
      refuses = () => false;
      expect(await archive.findStudies(query, signal)).toHaveLength(1);
    });
  });

  it("must be one of the Orthanc's modalities", async () => {
    const error = { code: "ORTHANC_MODALITY_UNKNOWN", details: { modality: "elsewhere" } };
    await withScene(
      {},
      async ({ archive }) => {
        await expect(archive.echo(signal)).rejects.toMatchObject(error);
        await expect(archive.retrieve({ studyInstanceUid: STUDY }, signal)).rejects.toMatchObject(error);
      },
      "elsewhere",
    );
  });
});
