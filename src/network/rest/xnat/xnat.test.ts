import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { syntheticStudy } from "../../../../test/peers/synthetic-studies.ts";
import { type PracticeXnat, startXnat } from "../../../../test/peers/xnat/start-xnat.ts";
import { neverAborted } from "../../../units/abort.ts";
import { createManualClock } from "../../../units/manual-clock.testing.ts";
import type { HttpClient } from "../../http-client/types.ts";
import { allRequests, queryStudies } from "./dqr.ts";
import { listFiles, putFile, putResource, resourcePath } from "./files.ts";
import { openXnatClient } from "./login.ts";
import { xnatFilePath, xnatPath } from "./paths.ts";
import { ensureScan, scanTypeFor } from "./scans.ts";
import { findSession, listExperiments } from "./sessions.ts";
import { listProjects, loggedInAs } from "./site.ts";

const signal = neverAborted();
const STUDY = syntheticStudy({ seed: 621, modality: "CT" });

function clientOf({ url, username, password }: PracticeXnat, secret = password): HttpClient {
  return openXnatClient({ baseUrl: url, credentials: { username, password: () => Promise.resolve(secret) } });
}

/** A session of one scan to put files into. */
async function siteWithScan(sessionType = "xnat:ctSessionData") {
  const xnat = await startXnat({ projects: ["trial"] });
  const client = clientOf(xnat);
  const put = async (path: string) => {
    await using _ = await client.request({ method: "PUT", path, signal });
  };
  const session = "data/projects/trial/subjects/one/experiments/first";
  await put(`${session}?xsiType=${sessionType}`);
  await put(`${session}/scans/7?xsiType=xnat:ctScanData`);
  return {
    xnat,
    client,
    session,
    resource: resourcePath(`${session}/scans/7`, "MASK"),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await xnat[Symbol.asyncDispose]();
    },
  };
}

const upload = (text: string, overwrite: boolean, path = "sub/mask.nii") => ({
  path,
  sizeBytes: text.length,
  overwrite,
  async *read() {
    yield Buffer.from(text);
  },
});

describe("a client of XNAT", () => {
  it("logs in once for all, again once for all when the session has ended, and out at the end", async () => {
    await using xnat = await startXnat({ projects: ["trial"] });
    const client = clientOf(xnat);
    const askOften = () => Promise.all(Array.from({ length: 12 }, () => listProjects(client, signal)));
    await askOften();
    expect(xnat.logins.made).toBe(1);
    xnat.logins.expire();
    expect((await askOften()).flat()).toHaveLength(12);
    expect(xnat.logins.made).toBe(2);
    expect(await loggedInAs(client, signal)).toMatchObject({ username: "radferry" });
    await client[Symbol.asyncDispose]();
    expect(xnat.logins.count).toBe(0);
  });

  it("logs in again where a lapsed session is taken for a guest's, from whom things are hidden", async () => {
    await using site = await siteWithScan();
    const { xnat, client } = site;
    xnat.switches.requireLogin = false;
    const find = (label: string) => findSession(client, "trial", label, signal);
    expect(await find("second")).toBeUndefined();
    xnat.logins.expire();
    expect(await find("first")).toMatchObject({ label: "first" });
    expect(xnat.logins.made).toBe(2);
  });

  it("does not try a refused password again before the account could be locked by it", async () => {
    await using xnat = await startXnat();
    const clock = createManualClock(1_000_000);
    let password = "wrong";
    await using client = openXnatClient(
      { baseUrl: xnat.url, credentials: { username: xnat.username, password: () => Promise.resolve(password) } },
      clock,
    );
    const ask = () => loggedInAs(client, signal);
    for (let time = 0; time < 3; time += 1)
      await expect(ask()).rejects.toMatchObject({ code: "XNAT_LOGIN_REFUSED", class: "permanent" });
    expect(xnat.requests.filter((line) => line.includes("JSESSION"))).toHaveLength(1);
    password = xnat.password;
    await ask();
  });

  it("names itself so that no token is asked of it", async () => {
    await using site = await siteWithScan();
    expect(await putResource(site.client, site.resource, signal)).toBe("made");
    expect(await putResource(site.client, site.resource, signal)).toBe("exists");
  });

  it("says what stays in place of a file that is not replaced, and replaces one when asked", async () => {
    await using site = await siteWithScan();
    const { client, resource } = site;
    expect(await listFiles(client, resource, signal)).toBeUndefined();
    expect(await putFile(client, resource, upload("one", false), signal)).toBe("stored");
    expect(await putFile(client, resource, upload("two", false), signal)).toBe("kept");
    const md5 = (text: string) => createHash("md5").update(text).digest("hex");
    expect(await listFiles(client, resource, signal)).toEqual([
      { path: "sub/mask.nii", sizeBytes: 3, md5: md5("one") },
    ]);
    expect(await putFile(client, resource, upload("more", true), signal)).toBe("stored");
    expect(await listFiles(client, resource, signal)).toEqual([
      { path: "sub/mask.nii", sizeBytes: 4, md5: md5("more") },
    ]);
  });

  it.each([
    ["xnat:ctSessionData", "xnat:ctScanData"],
    ["xnat:mrSessionData", "xnat:mrScanData"],
    ["xnat:petmrSessionData", "xnat:petScanData"],
    ["icr:roiSessionData", "xnat:otherDicomScanData"],
  ])("gives a scan of a %s the type %s", (session, scan) => {
    expect(scanTypeFor(session)).toBe(scan);
  });

  it("leaves a scan of any type as it is, and makes the one that is missing", async () => {
    await using site = await siteWithScan("xnat:mrSessionData");
    const session = { path: site.session, xsiType: "xnat:mrSessionData" };
    expect(await ensureScan(site.client, session, "7", signal)).toBe("exists");
    expect(await ensureScan(site.client, session, "8", signal)).toBe("made");
    const read = await findSession(site.client, "trial", "first", signal);
    expect(read?.scans.map(({ id, xsiType }) => `${id} ${xsiType}`)).toEqual([
      "7 xnat:ctScanData",
      "8 xnat:mrScanData",
    ]);
  });

  it("sees sessions that the project's own listing hides", async () => {
    await using site = await siteWithScan("xnat:dxSessionData");
    expect(await listExperiments(site.client, "trial", signal)).toMatchObject([{ label: "first" }]);
    expect(await findSession(site.client, "trial", "second", signal)).toBeUndefined();
  });

  it.each(["", ".", "..", "a/b", "a\\b", "a\u0000b", "a\ud800"])("refuses %j as a part of an address", (name) => {
    expect(() => xnatPath("data/projects", name)).toThrow(expect.objectContaining({ code: "XNAT_NAME_UNSAFE" }));
    expect(() => xnatFilePath("files", `x/${name}/../y`)).toThrow(
      expect.objectContaining({ code: "XNAT_NAME_UNSAFE" }),
    );
  });

  it("escapes what it may use", () => {
    expect(xnatPath("data/projects", "A B?#%")).toBe("data/projects/A%20B%3F%23%25");
  });

  it("takes no page for an answer", async () => {
    await using xnat = await startXnat();
    xnat.switches.isInitialised = false;
    await using client = clientOf(xnat);
    await expect(listProjects(client, signal)).rejects.toMatchObject({ class: "permanent" });
  });

  it("knows nothing found from nothing said, and takes blanks for blanks", async () => {
    await using xnat = await startXnat({ studies: [STUDY] });
    await using client = clientOf(xnat);
    const find = (accessionNumber: string) => queryStudies(client, { pacsId: 1, accessionNumber }, signal);
    expect(await find("NOBODYS")).toEqual([]);
    xnat.switches.noMatches = "list";
    expect(await find("NOBODYS")).toEqual([]);
    xnat.switches.blankAttributes = new Set(["studyDescription", "referringPhysicianName", "sex"]);
    expect(await find(STUDY.accessionNumber)).toMatchObject([{ studyInstanceUid: STUDY.studyInstanceUid }]);
  });

  it("reads a queue of any length with no more requests than pages", async () => {
    await using xnat = await startXnat({ workEveryMs: 0 });
    for (let index = 0; index < 2_500; index += 1) xnat.state.queued.push(queuedRow(xnat, index));
    await using client = clientOf(xnat);
    const ids: number[] = [];
    for await (const { id } of allRequests(client, "queue", 10_000, signal)) ids.push(id);
    expect(new Set(ids).size).toBe(2_500);
    expect(xnat.requests.filter((line) => line.includes("/import/queue"))).toHaveLength(3);
  });
});

function queuedRow(xnat: PracticeXnat, index: number) {
  return {
    id: xnat.state.nextId(),
    created: index,
    timestamp: index,
    username: xnat.username,
    pacsId: 1,
    xnatProject: "trial",
    studyInstanceUid: `2.25.${index}`,
    seriesIds: [],
    relabelMap: {},
    destinationAeTitle: "XNAT:8104",
    status: "QUEUED",
    priority: 10,
    queuedTime: index,
    accessionNumber: undefined,
    patientId: undefined,
    studyDate: undefined,
    errorMessage: undefined,
    retries: 0,
    executedTime: undefined,
  };
}
