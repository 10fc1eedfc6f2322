import { expect, it } from "vitest";
import { startHttpServer } from "../../../test/support/http-server.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { neverAborted } from "../../units/abort.ts";
import { createOrthancArchive, type OrthancArchiveOptions } from "./orthanc-archive.ts";

const [STUDY, SERIES, ...INSTANCES] = ["1", "2", "3", "4"].map((digit) => Array(5).fill(digit.repeat(8)).join("-"));
/** One of them is longer than a UID may be. PS3.5 9.1. */
const NAMES = ["1.2.3.4.5", `1.${"2".repeat(70)}`];

/** By the end of the address. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  "/tools/find": [{ ID: STUDY, MainDicomTags: { StudyInstanceUID: "1.2.3" } }],
  [`/studies/${STUDY}/series`]: [{ ID: SERIES, MainDicomTags: { SeriesInstanceUID: "1.2.3.4" }, Instances: INSTANCES }],
  [`/studies/${STUDY}/instances`]: INSTANCES.map((ID, index) => ({
    ...{ ID, ParentSeries: SERIES },
    MainDicomTags: { SOPInstanceUID: NAMES[index] },
  })),
};

it("counts an instance of the study whose name is no UID: it cannot be asked for, and is there all the same", async () => {
  await using server = await startHttpServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json").end(JSON.stringify(ANSWERS[request.url ?? ""] ?? null));
  });
  const client = openHttpClient({ baseUrl: server.url });
  // It lists, and takes nothing.
  const taker = {} as OrthancArchiveOptions["taker"];
  await using archive = createOrthancArchive({ name: "orthanc", client, associations: 1, taker });
  expect(await archive.listStudy(parseStudyInstanceUid("1.2.3"), neverAborted())).toEqual({
    kind: "instances",
    instances: [expect.objectContaining({ sopInstanceUid: "1.2.3.4.5" })],
    unlisted: 1,
  });
});
