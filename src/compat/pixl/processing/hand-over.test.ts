import { expect, it } from "vitest";
import { ANON_LOGIN, startPixlAnon } from "../../../../test/peers/pixl-anon.ts";
import { startHttpServer } from "../../../../test/support/http-server.ts";
import { parseStudyInstanceUid } from "../../../dicom/uid.ts";
import { basicAuthentication } from "../../../network/http-client/authentication.ts";
import { openHttpClient } from "../../../network/http-client/http-client.ts";
import { neverAborted } from "../../../units/abort.ts";
import { systemClock } from "../../../units/clock.ts";
import { handOver } from "./hand-over.ts";

/** As Orthanc names what it holds: in five groups. */
const idOf = (letter: string): string => Array(5).fill(letter.repeat(8)).join("-");

/** Hands studies over from an orthanc-raw that finds these, whatever it is asked for. */
async function handOverFrom(found: readonly (readonly [id: string, uid: string])[], wanted: readonly string[]) {
  await using raw = await startHttpServer((_, response) => {
    const studies = found.map(([letter, StudyInstanceUID]) => ({
      ID: idOf(letter),
      MainDicomTags: { StudyInstanceUID },
    }));
    response.setHeader("content-type", "application/json").end(JSON.stringify(studies));
  });
  await using anon = await startPixlAnon();
  await using rawClient = openHttpClient({ baseUrl: raw.url });
  const { username, password } = ANON_LOGIN;
  const authentication = basicAuthentication(username, () => Promise.resolve(password));
  await using anonClient = openHttpClient({ baseUrl: anon.url, authentication });
  const work = { studyInstanceUids: wanted.map(parseStudyInstanceUid), seriesInstanceUids: [], projectName: "p" };
  const code = await handOver("rest", work, {
    ...{ raw: rawClient, anon: anonClient, anonModality: "PIXL-Anon", transferTimeoutMs: 1_000 },
    ...{ clock: systemClock, signal: neverAborted() },
  }).then(
    () => undefined,
    (thrown: { readonly code: string }) => thrown.code,
  );
  return { code, imports: anon.imports };
}

it("hands over each resource of the wanted studies, and nothing that Orthanc matched besides", async () => {
  const found = [
    ["b", "1.2.2"],
    ["f", "1.2.9"],
    ["a", "1.2.1"],
    ["c", "1.2.2"],
  ] as const;
  expect(await handOverFrom(found, ["1.2.1", "1.2.2"])).toEqual({
    code: undefined,
    imports: [
      {
        ResourceIDs: ["b", "a", "c"].map(idOf),
        StudyInstanceUIDs: ["1.2.2", "1.2.1", "1.2.2"],
        SeriesInstanceUIDs: [],
        ProjectName: "p",
      },
    ],
  });
});

it("hands over none when orthanc-raw has given one of them away meanwhile", async () => {
  expect(await handOverFrom([["a", "1.2.1"]], ["1.2.1", "1.2.2"])).toEqual({ code: "INSTANCES_MISSING", imports: [] });
});
