import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OrthancServer, startOrthanc } from "../../../test/peers/orthanc.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { dataSetOfTexts, numberOf, textOf } from "../../dicom/values.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { storeInOrthanc } from "../../network/rest/orthanc/resources.ts";
import { neverAborted } from "../../units/abort.ts";
import { identifierFromKeys } from "../find-keys.ts";
import { findInOrthanc } from "./find.ts";

const study = syntheticStudy({ seed: 831, modality: "CT", series: 2, instancesPerSeries: 3, rows: 8, columns: 8 });
const WITHIN = `StudyInstanceUID=${study.studyInstanceUid}`;
const [first] = study.instances;
if (first === undefined) throw new Error("no instances");

describe.skipIf(!requirePeer("Orthanc"))("a search of an Orthanc", () => {
  const running = new AsyncDisposableStack();
  let orthanc: OrthancServer;
  beforeAll(async () => {
    orthanc = running.use(await startOrthanc({ aeTitle: "FIND" }));
    await using client = openHttpClient({ baseUrl: `http://127.0.0.1:${orthanc.httpPort}` });
    for (const { file } of study.instances) {
      const read = async function* () {
        yield file;
      };
      await storeInOrthanc(client, read, neverAborted());
    }
  });
  afterAll(() => running.disposeAsync());

  async function find(level: "PATIENT" | "STUDY" | "SERIES" | "IMAGE", ...keys: readonly string[]) {
    await using client = openHttpClient({ baseUrl: `http://127.0.0.1:${orthanc.httpPort}` });
    const identifier =
      level === "PATIENT" ? dataSetOfTexts([[tags.QueryRetrieveLevel, level]]) : identifierFromKeys(level, keys);
    return await Array.fromAsync(findInOrthanc(client, identifier, 100, neverAborted()));
  }

  it("gives series with the number of their instances", async () => {
    const answers = await find("SERIES", WITHIN);
    expect(answers.map((answer) => [textOf(answer, tags.Modality), textOf(answer, tags.StudyInstanceUID)])).toEqual([
      ["CT", study.studyInstanceUid],
      ["CT", study.studyInstanceUid],
    ]);
    expect(answers.map((answer) => numberOf(answer, tags.NumberOfSeriesRelatedInstances))).toEqual([3, 3]);
  });

  it("gives the instances of a whole study, each with its series", async () => {
    const answers = await find("IMAGE", WITHIN);
    const found = answers.map(
      (answer) => `${textOf(answer, tags.SeriesInstanceUID)} ${textOf(answer, tags.SOPInstanceUID)}`,
    );
    expect(found.sort()).toEqual(
      study.instances.map((each) => `${each.seriesInstanceUid} ${each.sopInstanceUid}`).sort(),
    );
  });

  it("matches what is asked for at each level", async () => {
    expect((await find("IMAGE", WITHIN, "InstanceNumber=2")).length).toBe(2);
    expect((await find("IMAGE", WITHIN, `SOPInstanceUID=${first.sopInstanceUid}`)).length).toBe(1);
    expect((await find("SERIES", WITHIN, "Modality=MR")).length).toBe(0);
    expect((await find("STUDY", `PatientID=${study.patientId.slice(0, -1)}?`)).length).toBe(1);
  });

  it.each([
    ["SERIES", []],
    ["IMAGE", ["SeriesInstanceUID=1.2"]],
    ["IMAGE", ["StudyInstanceUID=*"]],
    ["PATIENT", []],
  ] as const)("at level %s by %j is refused", async (level, keys) => {
    await expect(find(level, ...keys)).rejects.toMatchObject({ code: "ARCHIVE_REFUSED_REQUEST" });
  });
});
