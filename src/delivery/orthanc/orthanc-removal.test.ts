import { expect, it } from "vitest";
import { startWebServer } from "../../../test/peers/dicomweb-server.ts";
import { PSEUDONYM, STUDY } from "../../../test/support/small-delivery.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { neverAborted } from "../../units/abort.ts";
import { removeStudy } from "../removal/removal.ts";
import { createOrthancDestination } from "./orthanc-destination.ts";

const OURS = "11111111-11111111-11111111-11111111-11111111";
const ORIGINAL = "22222222-22222222-22222222-22222222-22222222";

it("leaves other studies that an Orthanc which matches loosely answers too", async () => {
  const deleted: string[] = [];
  await using server = await startWebServer(async ({ method, path }) => {
    if (method === "DELETE") deleted.push(path);
    const found = { ID: ORIGINAL, MainDicomTags: { StudyInstanceUID: `${STUDY}1` } };
    const PatientMainDicomTags = { PatientID: PSEUDONYM };
    return { headers: { "Content-Type": "application/json" }, body: [{ ...found, PatientMainDicomTags }] };
  });
  const client = openHttpClient({ baseUrl: server.url });
  await using destination = createOrthancDestination({ name: "rest", client, parallel: 2 });
  const study = { project: "trial", pseudonym: PSEUDONYM, studyInstanceUid: STUDY, files: [] };
  expect(await removeStudy({ destination }, study, neverAborted())).toEqual({ kind: "absent" });
  expect(deleted).toEqual([]);
});

it("leaves the original of the same UID in an Orthanc that holds both, and says so", async () => {
  const patients = new Map([
    [OURS, PSEUDONYM as string],
    [ORIGINAL, "somebody"],
  ]);
  await using server = await startWebServer(async ({ method, path }) => {
    if (method === "DELETE") patients.delete(path.split("/").at(-1) ?? "");
    const found = [...patients].map(([ID, PatientID]) => ({
      ...{ ID, MainDicomTags: { StudyInstanceUID: STUDY } },
      PatientMainDicomTags: { PatientID },
    }));
    return { headers: { "Content-Type": "application/json" }, body: found };
  });
  const client = openHttpClient({ baseUrl: server.url });
  await using destination = createOrthancDestination({ name: "rest", client, parallel: 2 });
  const study = { project: "trial", pseudonym: PSEUDONYM, studyInstanceUid: STUDY, files: [] };
  const end = await removeStudy({ destination }, study, neverAborted());
  expect(end).toEqual({ kind: "person", code: "REMOVAL_OTHERS_LEFT", left: 1 });
  expect([...patients.keys()]).toEqual([ORIGINAL]);
});
