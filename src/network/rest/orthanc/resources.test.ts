import { expect, it } from "vitest";
import { startHttpServer } from "../../../../test/support/http-server.ts";
import { neverAborted } from "../../../units/abort.ts";
import { openHttpClient } from "../../http-client/http-client.ts";
import { findOrthancSeries } from "./resources.ts";

const SERIES_ID = "c9a5c1a9-9ad48c2c-2be3f1e5-0d3d5a3c-8b0c6a11";
const INSTANCE_ID = "1f0f1b1e-2c2d2e2f-3a3b3c3d-4e4f5a5b-6c6d6e6f";

/**
 * Orthanc since 1.11.1 keeps sequences, too, where ExtraMainDicomTags names them, as its own advice for fast QIDO-RS does with
 * RequestAttributesSequence; they come as lists.
 */
it("reads a series of an Orthanc that keeps sequences among its main tags", async () => {
  const MainDicomTags = {
    Modality: "MR",
    SeriesInstanceUID: "1.2.3",
    RequestAttributesSequence: [{ RequestedProcedureID: "P1", ScheduledProcedureStepID: "S1" }],
    PerformedProcedureStepDescription: null,
  };
  const found = [{ ID: SERIES_ID, MainDicomTags, Instances: [INSTANCE_ID], Type: "Series" }];
  await using server = await startHttpServer((_, response) => void response.end(JSON.stringify(found)));
  await using client = openHttpClient({ baseUrl: server.url });
  const series = await findOrthancSeries(client, { StudyInstanceUID: "1.2" }, { limit: 10 }, neverAborted());
  expect(series).toEqual([
    { ID: SERIES_ID, MainDicomTags: { Modality: "MR", SeriesInstanceUID: "1.2.3" }, Instances: [INSTANCE_ID] },
  ]);
});
