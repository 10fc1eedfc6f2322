import { cp, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runProgram } from "../../../test/peers/process.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { neverAborted } from "../../units/abort.ts";
import { ARCHIVE_CONTRACT } from "../archive-contract.testing.ts";
import { type Layout, MEDIA_FILES, openFolderScene, STUDIES, writeMedia } from "./folder-scene.testing.ts";

const signal = neverAborted();
const [MR] = STUDIES;
const study = parseStudyInstanceUid(MR.studyInstanceUid);
const SLOW_MS = 20_000;

async function run(program: string, args: readonly string[], folder: string): Promise<void> {
  const { exitCode, output } = await runProgram(program, args, folder);
  if (exitCode !== 0) throw new Error(`${program}: ${output}`);
}

/** General purpose media. PS3.11 annex D. */
async function byDcmtk(folder: string): Promise<undefined> {
  await writeMedia(folder);
  await run("dcmmkdir", ["+r", "+id", folder, "+D", join(folder, "DICOMDIR"), "-Pgp", "DICOM"], folder);
  return undefined;
}

const made = new AsyncDisposableStack();
afterAll(() => made.disposeAsync());

/** Written once by the program, and copied for each test. */
function copied(lay: Layout): Layout {
  let first: Promise<{ readonly folder: string; readonly archive: string | undefined }> | undefined;
  const write = async () => {
    const folder = made.use(await temporaryFolder()).path;
    return { folder, archive: await lay(folder) };
  };
  return async (folder) => {
    first ??= write();
    const { folder: from, archive } = await first;
    await cp(from, folder, { recursive: true });
    return archive && join(folder, relative(from, archive));
  };
}

async function byGdcm(folder: string): Promise<undefined> {
  await writeMedia(folder);
  await run("gdcmgendir", ["-r", "-i", folder, "-o", join(folder, "DICOMDIR"), "--descriptor", "MEDIUM"], folder);
  return undefined;
}

/** As a drive reads it that knows no extension of ISO 9660: in small letters, each with its version. */
async function asOnDisc(folder: string): Promise<undefined> {
  await byDcmtk(folder);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    await rename(join(entry.parentPath, entry.name), join(entry.parentPath, `${entry.name.toLowerCase()};1`));
  }
  await rename(join(folder, "DICOM"), join(folder, "dicom"));
  return undefined;
}

/** A medium as one file, as hospitals send it. */
async function mediumInZip(folder: string): Promise<string> {
  await byDcmtk(folder);
  await run("zip", ["-qr", "medium.zip", "DICOMDIR", "DICOM"], folder);
  return join(folder, "medium.zip");
}

const hasDcmtk = requirePeer("dcmmkdir");
const [medium, disc] = [copied(byDcmtk), copied(asOnDisc)];
const FORMS = [
  ["dcmtk's DICOMDIR", medium, hasDcmtk],
  ["gdcm's DICOMDIR", copied(byGdcm), requirePeer("gdcmgendir")],
  ["a DICOMDIR of a disc", disc, hasDcmtk],
  ["a zip of a medium", copied(mediumInZip), hasDcmtk && requirePeer("zip")],
] as const;

describe.each(FORMS)("%s as archive", (_, lay, hasPeers) => {
  it.skipIf(!hasPeers)("keeps to what every archive keeps to", { timeout: SLOW_MS }, async () => {
    for (const runCase of Object.values(ARCHIVE_CONTRACT)) {
      await using site = await openFolderScene(lay);
      await runCase(site);
    }
  });

  it.skipIf(!hasPeers)("lacks nothing that it lists", async () => {
    await using site = await openFolderScene(lay);
    expect(await site.archive.checks[0]?.examine(signal)).toMatch(/^8 instances of 2 studies/);
  });
});

describe.skipIf(!hasDcmtk)("what a DICOMDIR lists and nobody holds", () => {
  const uids = MR.instances.map(({ sopInstanceUid }) => sopInstanceUid);

  it.each([
    ["is not there", "MEDIA_FILE_MISSING", (path: string) => rm(path)],
    ["is cut off within its header", "MEDIA_FILE_DAMAGED", (path: string) => truncate(path, 200)],
    ["is no DICOM", "MEDIA_FILE_DAMAGED", (path: string) => writeFile(path, "bad sector")],
    ["is another one", "MEDIA_FILE_DAMAGED", async (path: string) => writeFile(path, MEDIA_FILES.at(-1)?.file ?? "")],
  ] as const)("counts as missing where the file %s", async (_, code, harm) => {
    await using site = await openFolderScene(disc);
    await harm(join(site.path, "dicom", "ST0", "im2;1"));
    const listing = await site.archive.listStudy(study, signal);
    expect(
      listing.kind === "instances" && listing.instances.map(({ sopInstanceUid }) => sopInstanceUid).sort(),
    ).toEqual(uids);
    expect(await site.archive.retrieve({ studyInstanceUid: study }, signal)).toMatchObject({ completed: 5, failed: 1 });
    const staged = (await site.staging.list(study)).map(({ sopInstanceUid }) => sopInstanceUid);
    expect(uids.filter((uid) => !staged.some((one) => one === uid))).toEqual([uids[2]]);
    const told = site.archive.checks[0]?.examine(signal);
    await expect(told).rejects.toMatchObject({ details: { passedOver: expect.stringContaining(code) } });
  });

  it("is not known where the DICOMDIR itself is damaged, and what is there is taken all the same", async () => {
    await using site = await openFolderScene(medium);
    const path = join(site.path, "DICOMDIR");
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.length - 300));
    await expect(site.archive.checks[0]?.examine(signal)).rejects.toMatchObject({
      code: "MEDIA_DIRECTORY_UNREADABLE",
    });
    expect(await site.archive.retrieve({ studyInstanceUid: study }, signal)).toMatchObject({ completed: 6 });
  });

  it("ends where its records point at each other in a ring", async () => {
    await using site = await openFolderScene(medium);
    const path = join(site.path, "DICOMDIR");
    const bytes = await readFile(path);
    // (0004,1200) UL, 4 bytes: offset of the first record. (0004,1400): of the next one; where it is zero, a list of records ends.
    const first = bytes.readUInt32LE(bytes.indexOf(Buffer.from("04000012554c0400", "hex")) + 8);
    const next = Buffer.from("04000014554c0400", "hex");
    for (let at = bytes.indexOf(next); at >= 0; at = bytes.indexOf(next, at + 1)) {
      if (bytes.readUInt32LE(at + 8) === 0) bytes.writeUInt32LE(first, at + 8);
    }
    await writeFile(path, bytes);
    expect(await site.archive.checks[0]?.examine(signal)).toMatch(/^8 instances/);
  });
});
