import { describe, expect, it } from "vitest";
import { startDcmqrscp } from "../peers/dcmtk.ts";
import { freePort } from "../peers/free-port.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { ctStudy } from "../support/rehearsal.ts";
import { makeSite, type Site } from "../support/site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly code?: string;
  readonly message: string;
  readonly remedy?: string;
}

const study = ctStudy(41);

async function destinationCheck(site: Site): Promise<Check | undefined> {
  const { document } = await site.run("doctor");
  return (document.checks as readonly Check[]).find(({ check }) => check.includes("move destination"));
}

/** A site whose one archive is told of our listener, or of somebody else's. */
async function siteFor(address: string, dicomPort: number): Promise<Site> {
  return await makeSite({ dicomPort, archives: [{ name: "archive", address, retrieve: "move" }] });
}

describe.skipIf(!requirePeer("Orthanc"))("doctor on a real Orthanc", () => {
  it.each([
    ["RADFERRY", { ok: true }],
    ["SOMEBODY", { ok: false, code: "MOVE_DESTINATION_UNREACHED" }],
  ])("that knows %s says whether it can send to us", async (aeTitle, expected) => {
    const port = await freePort();
    await using orthanc = await startOrthanc({ aeTitle: "ORTHANC", moveDestinations: [{ aeTitle, port }] });
    for (const { file } of study.instances) {
      await fetch(`http://127.0.0.1:${orthanc.httpPort}/instances`, { method: "POST", body: new Uint8Array(file) });
    }
    await using site = await siteFor(`ORTHANC@127.0.0.1:${orthanc.port}`, port);
    expect(await destinationCheck(site)).toMatchObject(expected);
  });
});

describe.skipIf(!requirePeer("dcmqrscp"))("doctor on a real dcmqrscp", () => {
  it.each([
    ["RADFERRY", { ok: true }],
    ["SOMEBODY", { ok: false, code: "MOVE_DESTINATION_UNKNOWN" }],
  ])("that knows %s says whether it can send to us", async (aeTitle, expected) => {
    const port = await freePort();
    await using storage = await temporaryFolder();
    const moveDestinations = [{ aeTitle, port }];
    await using archive = await startDcmqrscp({ aeTitle: "DCMQRSCP", storageDir: storage.path, moveDestinations });
    await using site = await siteFor(`DCMQRSCP@127.0.0.1:${archive.port}`, port);
    expect(await destinationCheck(site)).toMatchObject({ ok: true, message: expect.stringContaining("not proven") });
    for (const [index, { file }] of study.instances.entries()) await site.write(`${index}.dcm`, file);
    await site.run("dicom", "store", `DCMQRSCP@127.0.0.1:${archive.port}`, site.folder);
    expect(await destinationCheck(site)).toMatchObject(expected);
  });
});

it("names what is wrong, what to do, and the line for the administrator, and exits 1", async () => {
  const port = await freePort();
  await using site = await siteFor(`NOBODY@127.0.0.1:${await freePort()}`, port);
  const { exitCode, document } = await site.run("doctor");
  expect(exitCode).toBe(1);
  expect(document).toMatchObject({
    ok: false,
    letters: [{ archive: "archive", line: expect.stringContaining("RADFERRY") }],
  });
  const echo = (document.checks as readonly Check[]).find(({ check }) => check.includes("C-ECHO"));
  expect(echo).toMatchObject({ ok: false, code: "CONNECTION_FAILED", remedy: expect.stringContaining("firewall") });
});
