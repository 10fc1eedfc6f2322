import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../../../test/peers/free-port.ts";
import { emptyOrthanc, introduceModality, type OrthancServer, startOrthanc } from "../../../../test/peers/orthanc.ts";
import { requirePeer } from "../../../../test/peers/require-peer.ts";
import { syntheticStudy } from "../../../../test/peers/synthetic-studies.ts";
import { parseStudyInstanceUid } from "../../../dicom/uid.ts";
import { neverAborted } from "../../../units/abort.ts";
import { systemClock } from "../../../units/clock.ts";
import { openHttpClient } from "../../http-client/http-client.ts";
import type { HttpClient } from "../../http-client/types.ts";
import { heldInstances } from "./held-instances.ts";
import { listJobs, watchJob } from "./jobs.ts";
import {
  answersOfQuery,
  dropQuery,
  echoModality,
  modalityNames,
  moveFromModality,
  queryInstancesOfAnswer,
  queryModality,
  retrieveAnswers,
  storeToModality,
} from "./modalities.ts";
import { findOrthancStudies, storeInOrthanc } from "./resources.ts";

const study = syntheticStudy({ seed: 871, modality: "CT", series: 2, instancesPerSeries: 2, rows: 8, columns: 8 });
const STUDY = parseStudyInstanceUid(study.studyInstanceUid);
const UIDS = study.instances.map(({ sopInstanceUid }) => sopInstanceUid).sort();
const OF_STUDY = { level: "Study", keys: { StudyInstanceUID: STUDY, PatientID: "" } } as const;
const signal = neverAborted();

describe.skipIf(!requirePeer("Orthanc"))("an Orthanc with modalities", () => {
  const running = new AsyncDisposableStack();
  let archive: OrthancServer;
  let fetcher: OrthancServer;
  let client: HttpClient;
  beforeAll(async () => {
    archive = running.use(await startOrthanc({ aeTitle: "ARCHIVE" }));
    fetcher = running.use(await startOrthanc({ aeTitle: "FETCHER" }));
    await introduceModality(fetcher, "pacs", archive);
    await introduceModality(fetcher, "nowhere", { aeTitle: "NOWHERE", port: await freePort() });
    await introduceModality(archive, "fetcher", fetcher);
    client = running.use(openHttpClient({ baseUrl: `http://127.0.0.1:${fetcher.httpPort}` }));
    await using filling = openHttpClient({ baseUrl: `http://127.0.0.1:${archive.httpPort}` });
    for (const { file } of study.instances) {
      const read = async function* () {
        yield file;
      };
      await storeInOrthanc(filling, read, signal);
    }
  });
  beforeEach(() => emptyOrthanc(fetcher));
  afterAll(() => running.disposeAsync());

  const watch = (job: string) => watchJob(client, job, { clock: systemClock, timeoutMs: 30_000, signal });
  const held = async () => (await heldInstances(client, STUDY, signal)).map((each) => each.sopInstanceUid).sort();

  it("names them, and greets those that are there", async () => {
    expect((await modalityNames(client, signal)).toSorted()).toEqual(["nowhere", "pacs"]);
    await echoModality(client, "pacs", signal);
  });

  it.each([
    ["nowhere", "ORTHANC_MODALITY_FAILED"],
    ["nobody", "ORTHANC_MODALITY_UNKNOWN"],
    ["../system", "ORTHANC_MODALITY_UNKNOWN"],
  ])("says of %s that it is %s", async (modality, code) => {
    await expect(echoModality(client, modality, signal)).rejects.toMatchObject({ code });
    await expect(queryModality(client, modality, OF_STUDY, signal)).rejects.toMatchObject({ code });
  });

  it("queries one, keeps all answers, and forgets them when it is told so", async () => {
    const query = await queryModality(client, "pacs", OF_STUDY, signal);
    const [answer, ...more] = await answersOfQuery(client, query, signal);
    expect(more).toEqual([]);
    expect(answer).toMatchObject({ StudyInstanceUID: STUDY, PatientID: study.patientId });
    const below = await queryInstancesOfAnswer(client, query, 0, signal);
    const instances = await answersOfQuery(client, below, signal);
    expect(instances.map(({ SOPInstanceUID }) => SOPInstanceUID).sort()).toEqual(UIDS);
    await dropQuery(client, query, signal);
    await expect(answersOfQuery(client, query, signal)).rejects.toMatchObject({ code: "HTTP_NOT_FOUND" });
  });

  it("fetches what a query found, by a job", async () => {
    const query = await queryModality(client, "pacs", OF_STUDY, signal);
    const job = await retrieveAnswers(client, query, undefined, signal);
    expect(await watch(job)).toMatchObject({ id: job, type: "DicomMoveScu", state: "Success", progressPercent: 100 });
    expect((await listJobs(client, signal)).map(({ id }) => id)).toContain(job);
    expect(await held()).toEqual(UIDS);
  });

  it("fails the job when the archive does not know where to send to", async () => {
    const query = await queryModality(client, "pacs", OF_STUDY, signal);
    const job = await retrieveAnswers(client, query, "STRANGER", signal);
    await expect(watch(job)).rejects.toMatchObject({ code: "ORTHANC_MODALITY_FAILED", details: { errorCode: 9 } });
  });

  it("fetches what is named without a query, by a job or by itself", async () => {
    const [one] = study.instances;
    if (one === undefined) throw new Error("no instances");
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = one;
    const resource = {
      StudyInstanceUID: studyInstanceUid,
      SeriesInstanceUID: seriesInstanceUid,
      SOPInstanceUID: sopInstanceUid,
    };
    const move = { level: "Instance", resources: [resource] } as const;
    const job = await moveFromModality(client, "pacs", move, 30_000, signal);
    if (job !== undefined) await watch(job);
    expect(await held()).toEqual([sopInstanceUid]);
    const unknown = { level: "Study", resources: [{ StudyInstanceUID: "1.2.3" }] } as const;
    const failed = moveFromModality(client, "pacs", unknown, 30_000, signal).then((id = "") => watch(id));
    await expect(failed).rejects.toMatchObject({ code: expect.stringMatching(/^(?:DIMSE|ORTHANC_MODALITY)_FAILED$/) });
  });

  it("sends what it holds to one, by a job", async () => {
    const query = await queryModality(client, "pacs", OF_STUDY, signal);
    await watch(await retrieveAnswers(client, query, undefined, signal));
    const [{ ID = "" } = {}] = await findOrthancStudies(client, { StudyInstanceUID: STUDY }, { limit: 1 }, signal);
    expect(await watch(await storeToModality(client, "pacs", [ID], signal))).toMatchObject({ state: "Success" });
    const lost = await storeToModality(client, "nowhere", [ID], signal);
    await expect(watch(lost)).rejects.toMatchObject({ code: "ORTHANC_MODALITY_FAILED" });
  });
});
