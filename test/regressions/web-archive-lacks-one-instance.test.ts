import { describe, expect, it } from "vitest";
import { MULTIPART, multipartOf, startWebServer, type WebAnswer, type WebRequest } from "../peers/dicomweb-server.ts";
import { type SyntheticInstance, syntheticStudy } from "../peers/synthetic-studies.ts";
import { makeSite, PROJECT } from "../support/site.ts";

const study = syntheticStudy({ seed: 861, modality: "CT", instancesPerSeries: 4, rows: 8, columns: 8 });
const [odd] = study.instances;

const ui = (uid: string) => ({ vr: "UI", Value: [uid] });
const text = (vr: string, value: string) => ({ vr, Value: [value] });

/** A service that lists every instance of the study, and gives one of them as it is told. */
function service(oddly: (instance: SyntheticInstance) => WebAnswer) {
  return ({ path }: WebRequest): WebAnswer => {
    if (path === "/studies")
      return {
        body: [
          {
            "0020000D": ui(study.studyInstanceUid),
            "00100020": text("LO", study.patientId),
            "00080050": text("SH", study.accessionNumber),
          },
        ],
      };
    if (path.endsWith("/instances"))
      return {
        body: study.instances.map((one) => ({
          "0020000E": ui(one.seriesInstanceUid),
          "00080018": ui(one.sopInstanceUid),
        })),
      };
    const one = study.instances.find(({ sopInstanceUid }) => path.endsWith(`/instances/${sopInstanceUid}`));
    if (one === undefined) return given(study.instances.filter((each) => each !== odd).map(({ file }) => file));
    return one === odd ? oddly(one) : given([one.file]);
  };
}

function given(files: readonly Buffer[]): WebAnswer {
  return { headers: MULTIPART, body: multipartOf(files) };
}

async function ended(oddly: (instance: SyntheticInstance) => WebAnswer, partial: "hold" | "deliver") {
  await using server = await startWebServer(service(oddly));
  await using site = await makeSite({
    archives: [{ name: "web", kind: "dicomweb", url: server.url }],
    dicomPort: 0,
    project: { partial },
    retry: { attempts: 4, firstDelaySeconds: 0.1, maximumDelaySeconds: 0.1 },
  });
  const rows = ["accession_number,patient_id", `${study.accessionNumber},${study.patientId}`, ""].join("\n");
  await site.run("cohort", "submit", await site.write("cohort.csv", rows), "--project", PROJECT, "--wait");
  return (await site.run("study", "list")).document;
}

/** Such a study used to fail, with the code of the one instance, and nothing of it was delivered. */
describe("of a study of which a web archive lists an instance and does not give it", () => {
  it.each([
    ["is gone", () => ({ status: 404 })],
    ["is refused", () => ({ status: 400 })],
    ["cannot be read there", () => ({ status: 500 })],
    ["comes damaged", () => given([Buffer.alloc(400, 0xa5)])],
  ] as const)("a project that takes partial studies gets the others where it %s", async (_, oddly) => {
    expect(await ended(oddly, "deliver")).toMatchObject([
      { state: "delivered", verdict: "partial", expected: 4, delivered: 3 },
    ]);
  });

  it("any other project has it held", async () => {
    expect(await ended(() => ({ status: 404 }), "hold")).toMatchObject([
      { state: "held", code: "INSTANCES_MISSING", verdict: "partial", expected: 4, received: 3 },
    ]);
  });
});
