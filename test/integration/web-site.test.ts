import { chmod, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHttpClient } from "../../src/network/http-client/http-client.ts";
import { storeInOrthanc } from "../../src/network/rest/orthanc/resources.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { introduceModality, type OrthancOptions, type OrthancServer, startOrthanc } from "../peers/orthanc.ts";
import { findPeer, requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { makeSite, PROJECT, type Site } from "../support/site.ts";

const isInstalled = [requirePeer("Orthanc"), requirePeer("libOrthancDicomWeb.so")].every(Boolean);
const STUDIES = [
  syntheticStudy({ seed: 601, modality: "CT", series: 2, instancesPerSeries: 3 }),
  syntheticStudy({ seed: 602, modality: "MR", instancesPerSeries: 4 }),
];
const USERS = { AuthenticationEnabled: true, RegisteredUsers: { radferry: "open sesame" } };

/** An Orthanc that also speaks DICOMweb, to who knows the password. */
function startWebOrthanc(moveDestinations: OrthancOptions["moveDestinations"] = []): Promise<OrthancServer> {
  const configuration = { Plugins: [findPeer("libOrthancDicomWeb.so")], DicomWeb: { Enable: true }, ...USERS };
  return startOrthanc({ aeTitle: "WEB", configuration, moveDestinations });
}

/** How the site asks its archive: itself, or an Orthanc that fetches from it. */
type Way = "dicomweb" | "orthanc" | "modality";

describe.skipIf(!isInstalled)("a site whose archive and stores speak HTTP", () => {
  const running = new AsyncDisposableStack();
  let archive: OrthancServer;
  let store: OrthancServer;
  let fetcher: OrthancServer;
  let site: Site;

  beforeAll(async () => {
    fetcher = running.use(await startOrthanc({ aeTitle: "FETCHER" }));
    [archive, store] = await Promise.all([startWebOrthanc([fetcher]), startWebOrthanc()]);
    for (const server of [archive, store]) running.use(server);
    await introduceModality(fetcher, "pacs", archive);
    await using client = clientOf(archive);
    for (const { file } of STUDIES.flatMap(({ instances }) => instances)) {
      const read = async function* () {
        yield file;
      };
      await storeInOrthanc(client, read, neverAborted());
    }
  });
  afterAll(() => running.disposeAsync());

  function clientOf(server: OrthancServer) {
    const logIn = async () => ({ authorization: `Basic ${Buffer.from("radferry:open sesame").toString("base64")}` });
    return openHttpClient({ baseUrl: `http://127.0.0.1:${server.httpPort}`, authentication: { logIn } });
  }

  async function openSite(way: Way, password = "open sesame"): Promise<Site> {
    const url = ({ httpPort }: OrthancServer, path = "") => `http://127.0.0.1:${httpPort}${path}`;
    const user = { username: "radferry", passwordFile: "password" };
    const asked = {
      dicomweb: { kind: "dicomweb", url: url(archive, "/dicom-web"), ...user },
      orthanc: { kind: "orthanc", url: url(archive), ...user },
      modality: { kind: "orthanc", url: url(fetcher), modality: "pacs" },
    } as const;
    const made = await makeSite({
      archives: [{ name: "web", ...asked[way] }],
      dicomPort: 0,
      moreDestinations: [
        { name: "stow", kind: "dicomweb", url: url(store, "/dicom-web"), ...user },
        { name: "rest", kind: "orthanc", url: url(store), ...user },
      ],
      project: { profile: "basic" },
      retry: { attempts: 2, firstDelaySeconds: 0.1, maximumDelaySeconds: 0.1 },
    });
    await made.write("password", `${password}\n`);
    await chmod(join(made.folder, "password"), 0o600);
    return made;
  }

  async function submit(): Promise<Readonly<Record<string, unknown>>> {
    const rows = STUDIES.map(({ accessionNumber, patientId }) => `${accessionNumber},${patientId}`);
    const cohort = await site.write("cohort.csv", ["accession_number,patient_id", ...rows, ""].join("\n"));
    const { document } = await site.run("cohort", "submit", cohort, "--project", PROJECT, "--wait");
    return document;
  }

  it.each(["dicomweb", "orthanc", "modality"] as const)(
    "pulls by %s, delivers by STOW-RS and to Orthanc, and proves both",
    async (way) => {
      await using opened = await openSite(way);
      site = opened;
      expect(await submit()).toMatchObject({ accepted: 2, states: { delivered: 2 }, done: true });
      const { document } = await site.run("study", "list");
      const jobs = document as unknown as readonly Readonly<Record<string, unknown>>[];
      expect(
        jobs.map(({ verdict, expected, received, delivered }) => [verdict, expected, received, delivered]),
      ).toEqual([
        ["complete", 6, 6, 6],
        ["complete", 4, 4, 4],
      ]);
      const held = await (
        await fetch(`http://127.0.0.1:${store.httpPort}/statistics`, {
          headers: { authorization: `Basic ${Buffer.from("radferry:open sesame").toString("base64")}` },
        })
      ).json();
      // The same in both runs: pseudonyms do not depend on how a study was pulled.
      expect(held).toMatchObject({ CountInstances: 10, CountStudies: 2 });
      expect((await readdir(join(site.delivered, PROJECT))).length).toBe(2);
    },
  );

  it("says what is wrong with a password, once for all work", async () => {
    await using opened = await openSite("dicomweb", "wrong");
    site = opened;
    expect(await submit()).toMatchObject({ states: { failed: 2 } });
    const { document } = await site.run("study", "list", "--state", "failed");
    expect(document).toMatchObject([{ code: "HTTP_UNAUTHORISED" }, { code: "HTTP_UNAUTHORISED" }]);
    const { document: doctor } = await site.run("doctor");
    expect(doctor).toMatchObject({ ok: false });
  });

  it("lists and asks such an archive like any other", async () => {
    await using opened = await openSite("dicomweb");
    site = opened;
    expect((await site.run("archive", "list")).document).toMatchObject([
      { name: "web", kind: "dicomweb", state: "open" },
    ]);
    expect((await site.run("archive", "echo", "web")).document).toMatchObject({ ok: true });
    const { document } = await site.run(
      "archive",
      "find",
      "web",
      `PatientID=${STUDIES[0]?.patientId}`,
      "StudyInstanceUID",
    );
    expect(document).toMatchObject([{ "0020000D": { Value: [STUDIES[0]?.studyInstanceUid] } }]);
    expect((await site.run("doctor")).document).toMatchObject({ ok: true });
  });
});
