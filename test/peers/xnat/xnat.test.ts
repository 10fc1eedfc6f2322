import { describe, expect, it } from "vitest";
import { syntheticStudy } from "../synthetic-studies.ts";
import { type PracticeXnat, startXnat } from "./start-xnat.ts";
import { writeZip } from "./zip.ts";

const STUDY = syntheticStudy({ seed: 611, modality: "CT", series: 2, instancesPerSeries: 2 });

async function logIn({ url, username, password }: PracticeXnat): Promise<Readonly<Record<string, string>>> {
  const Authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const response = await fetch(`${url}/data/JSESSION`, { method: "POST", headers: { Authorization } });
  return { Cookie: `JSESSIONID=${await response.text()}` };
}

async function importRequest(xnat: PracticeXnat, headers: Readonly<Record<string, string>>) {
  const body = {
    pacsId: 1,
    aeTitle: "XNAT",
    port: 8104,
    projectId: "trial",
    studies: [
      { studyInstanceUid: STUDY.studyInstanceUid, relabelMap: { Subject: "S1", Session: STUDY.accessionNumber } },
    ],
  };
  const response = await fetch(`${xnat.url}/xapi/dqr/import`, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, rows: await response.json() };
}

describe("the practice XNAT", () => {
  it("gives a session for a password, and a page to whoever has none", async () => {
    await using xnat = await startXnat();
    const refused = await fetch(`${xnat.url}/data/projects`);
    expect([refused.status, refused.headers.get("content-type")]).toEqual([401, "text/html;charset=utf-8"]);
    expect((await fetch(`${xnat.url}/data/projects`, { headers: await logIn(xnat) })).status).toBe(200);
  });

  it("asks browsers for a token", async () => {
    await using xnat = await startXnat({ projects: ["trial"] });
    const headers = await logIn(xnat);
    const put = (agent: string) =>
      fetch(`${xnat.url}/data/projects/trial/subjects/one`, {
        method: "PUT",
        headers: { ...headers, "User-Agent": agent },
      });
    expect((await put("Mozilla/5.0")).status).toBe(403);
    expect((await put("radferry")).status).toBe(201);
  });

  it("keeps the old file and answers 200 when it may not replace it", async () => {
    await using xnat = await startXnat({ projects: ["trial"] });
    const headers = await logIn(xnat);
    const session = `${xnat.url}/data/projects/trial/subjects/one/experiments/first`;
    const send = (path: string, body?: string) =>
      fetch(`${session}${path}`, { method: "PUT", headers, ...(body && { body }) });
    expect((await send("?xsiType=xnat:ctSessionData")).status).toBe(201);
    expect((await send("/scans/1?xsiType=xnat:ctScanData")).status).toBe(200);
    expect((await send("/scans/1?xsiType=xnat:mrScanData")).status).toBe(409);
    const file = "/scans/1/resources/NIFTI/files/sub/a.nii";
    expect(await (await send(`${file}?inbody=true`, "one")).text()).toBe("");
    expect(await (await send(`${file}?inbody=true`, "two")).json()).toEqual({ duplicates: ["sub/a.nii"] });
    expect(await (await fetch(`${session}${file}`, { headers })).text()).toBe("one");
    const listed = await fetch(`${session}/scans/1/resources/NIFTI/files?format=json`, { headers });
    expect(await listed.json()).toMatchObject({ ResultSet: { Result: [{ Name: "a.nii", Size: "3" }] } });
  });

  it("takes a zip of DICOM into the archive", async () => {
    await using xnat = await startXnat({ projects: ["trial"] });
    const headers = { ...(await logIn(xnat)), "Content-Type": "application/zip" };
    const zip = writeZip(
      STUDY.instances.map(({ sopInstanceUid, file }) => ({ name: `${sopInstanceUid}.dcm`, bytes: file })),
    );
    const dest = "/archive/projects/trial/subjects/S1/experiments/E1";
    const query = new URLSearchParams({ "import-handler": "DICOM-zip", inbody: "true", dest });
    const body = new Uint8Array(zip);
    const response = await fetch(`${xnat.url}/data/services/import?${query}`, { method: "POST", headers, body });
    expect(await response.text()).toBe("/data/archive/projects/trial/subjects/S1/experiments/E1\r\n");
    const cut = { method: "POST", headers, body: body.subarray(0, -2_000) };
    expect((await fetch(`${xnat.url}/data/services/import?${query}`, cut)).status).toBe(400);
    const session = await fetch(`${xnat.url}/data/projects/trial/experiments/E1?format=json`, { headers });
    expect(await session.json()).toMatchObject({
      items: [{ data_fields: { label: "E1", UID: STUDY.studyInstanceUid }, children: [{ items: { length: 2 } }] }],
    });
  });

  it("carries an import out, from the queue through the history to the archive", async () => {
    await using xnat = await startXnat({ studies: [STUDY], projects: ["trial"], workEveryMs: 0 });
    const headers = await logIn(xnat);
    xnat.switches.failingMoves = 1;
    expect(await importRequest(xnat, headers)).toMatchObject({
      status: 200,
      rows: [{ status: "QUEUED", priority: 1 }],
    });
    await xnat.work();
    expect(xnat.state).toMatchObject({ queued: [{ status: "QUEUED", retries: 1 }], executed: [{ status: "FAILED" }] });
    await xnat.work();
    expect(xnat.state).toMatchObject({ queued: [], executed: [{ status: "FAILED" }, { status: "RECEIVED" }] });
    for (let round = 0; round < 6; round += 1) await xnat.work();
    expect(xnat.state.directArchive).toEqual([]);
    const [experiment] = xnat.state.projects.get("trial")?.experiments.values() ?? [];
    expect(experiment).toMatchObject({ label: STUDY.accessionNumber, subject: "S1", uid: STUDY.studyInstanceUid });
    expect(xnat.state.executed[0]).toMatchObject({ status: "FAILED", errorMessage: expect.stringContaining("C-MOVE") });
  });

  it("puts what it cannot archive into the prearchive, and forgets that it tried", async () => {
    await using xnat = await startXnat({ studies: [STUDY], projects: ["trial"], workEveryMs: 0 });
    xnat.switches.directArchiveFailure = "prearchive";
    await importRequest(xnat, await logIn(xnat));
    for (let round = 0; round < 8; round += 1) await xnat.work();
    expect(xnat.state).toMatchObject({
      directArchive: [],
      prearchive: [{ status: "ERROR", tag: STUDY.studyInstanceUid }],
    });
  });
});
