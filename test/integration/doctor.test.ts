import { once } from "node:events";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { startDimseServer } from "../../src/network/dimse/server.ts";
import { startDcmqrscp } from "../peers/dcmtk.ts";
import { freePort } from "../peers/free-port.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { ctStudy } from "../support/rehearsal.ts";
import { makeSite, type Site } from "../support/site.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
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

  it("that does not know us, or goes by another name, says which of the two it is", async () => {
    const port = await freePort();
    const configuration = { DicomAlwaysAllowFind: false, DicomAlwaysAllowMove: false, DicomCheckCalledAet: true };
    await using orthanc = await startOrthanc({ aeTitle: "ORTHANC", configuration });
    for (const [called, told] of [
      ["ORTHANC", { code: "ASSOCIATION_ABORTED", remedy: expect.stringContaining("register our AE title") }],
      ["ORTHNAC", { code: "CALLED_AE_TITLE_UNKNOWN", remedy: expect.stringContaining("before the @") }],
    ] as const) {
      await using site = await siteFor(`${called}@127.0.0.1:${orthanc.port}`, port);
      const { document } = await site.run("doctor");
      const find = (document.checks as readonly Check[]).find(({ check }) => check.includes("C-FIND"));
      expect(find).toMatchObject({ ok: false, ...told });
    }
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

it("does not take another program at our port for our listener", async () => {
  const port = await freePort();
  const aeTitle = parseAeTitle("RADFERRY");
  const handlers = { store: async () => ({ refuse: 0xa700 }) };
  await using _other = await startDimseServer({ host: "127.0.0.1", port, aeTitle, handlers });
  const destinations = [`RADFERRY@127.0.0.1:${port}`];
  await using archive = await startPracticeArchive({ studies: [study], destinations });
  await using site = await siteFor(archive.address, port);
  expect(await destinationCheck(site)).toMatchObject({ ok: false, code: "LISTENER_PORT_IN_USE" });
});

/** Fed by what is sent to it alone: no archive is there. */
async function siteForPush(dicomPort: number, commitTo: readonly string[] = []): Promise<Site> {
  const rules = [
    { name: "scanners", callingAeTitles: ["CT1"], project: "trial" },
    { name: "routers", tokens: ["router"], project: "trial" },
  ];
  return await makeSite({ dicomPort, archives: [], intake: { rules, commitTo } });
}

async function examined(site: Site) {
  const { exitCode, document } = await site.run("doctor");
  const checks = document.checks as readonly Check[];
  return {
    exitCode,
    letters: document.letters,
    checks,
    of: (text: string) => checks.find(({ check }) => check.includes(text)),
  };
}

describe("doctor where studies are sent to us and no archive is there", () => {
  it("looks at port, rules, key, destination and disk, and misses no archive", async () => {
    const [port, senderPort] = [await freePort(), await freePort()];
    await using _sender = await startDimseServer({
      ...{ host: "127.0.0.1", port: senderPort, aeTitle: parseAeTitle("CT1") },
      handlers: { commitmentResult: () => true },
    });
    await using site = await siteForPush(port, [`CT1@127.0.0.1:${senderPort}`]);
    await mkdir(site.delivered);
    const { exitCode, letters, checks, of } = await examined(site);
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect({ exitCode, letters }).toEqual({ exitCode: 0, letters: [] });
    expect(of("sent to our listener")?.message).toContain(`port ${port}: free until the service is started`);
    expect(of("rules of the intake")?.message).toBe("2, for trial; no token that may send is named router");
    expect(of("project trial has its key")?.message).toMatch(/^yes, [0-9a-f]{8}$/);
    expect(of("destination research-store takes studies")).toBeDefined();
    expect(of("CT1 takes results of storage commitment")).toBeDefined();
    expect(checks.filter(({ check }) => check.includes("archive"))).toEqual([]);
  });

  it("makes no folder that a destination lacks: one that is new is told, and one that a service had and that is gone", async () => {
    await using site = await siteForPush(await freePort());
    const before = await examined(site);
    const toBeMade = expect.stringContaining("is made at the service's start");
    expect(before.of("destination research-store")).toMatchObject({ ok: true, message: toBeMade });
    expect(before.of("staging can be written")).toMatchObject({ ok: true });
    await expect(stat(site.delivered)).rejects.toMatchObject({ code: "ENOENT" });
    await using _service = await site.serve();
    const isThere = expect.stringMatching(/^yes, [\d.]+ GB free$/);
    expect((await examined(site)).of("destination research-store")).toMatchObject({ ok: true, message: isThere });
    await rm(site.delivered, { recursive: true });
    const gone = await examined(site);
    expect(gone.of("destination research-store")).toMatchObject({ ok: false, code: "DESTINATION_FOLDER_MISSING" });
  });

  it("tells a destination's full disk, which still takes empty files", async ({ skip }) => {
    await using site = await siteForPush(await freePort());
    await mkdir(site.delivered);
    using disk = mountSmallDisk(64, site.delivered);
    if (disk === undefined) return skip();
    await writeFile(join(disk.path, "fill"), Buffer.alloc(1 << 20)).catch(() => {});
    expect((await examined(site)).of("destination research-store")).toMatchObject({ code: "DESTINATION_FULL" });
    disk.resize(1024);
    expect((await examined(site)).of("destination research-store")).toMatchObject({ ok: true });
  });

  it("knows the service that has the port, and the token that a rule names", async () => {
    const port = await freePort();
    await using site = await siteForPush(port);
    await site.run("token", "create", "router", "--role", "sender");
    await using _service = await site.serve();
    const { exitCode, of } = await examined(site);
    expect(exitCode).toBe(0);
    expect(of("sent to our listener")?.message).toContain("the service of this home listens");
    expect(of("rules of the intake")?.message).toBe("2, for trial");
  });

  it("names a port that another program has, a key that is gone, and a sender that cannot be told", async () => {
    const port = await freePort();
    await using site = await siteForPush(port, [`CT1@127.0.0.1:${await freePort()}`]);
    const stranger = createServer().listen(port, "127.0.0.1");
    await once(stranger, "listening");
    await rm(join(site.folder, "project.key"));
    const { exitCode, of } = await examined(site);
    stranger.close();
    expect(exitCode).toBe(1);
    expect(of("sent to our listener")).toMatchObject({ ok: false, code: "LISTENER_PORT_IN_USE" });
    expect(of("project trial has its key")).toMatchObject({ ok: false, code: "KEY_FILE_MISSING" });
    expect(of("CT1 takes results")).toMatchObject({ ok: false, code: "CONNECTION_FAILED" });
  });
});
