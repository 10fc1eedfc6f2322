import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openFolderStorage, type StorageLayout } from "./folder-storage.ts";

const { instances } = syntheticStudy({ seed: 77, modality: "CT", instancesPerSeries: 2 });
const [first, second] = instances;
if (first === undefined || second === undefined) throw new Error("no instances");
const pair = [first, second];

async function stored(folder: string, layout?: StorageLayout) {
  const storage = await openFolderStorage({ folder, ...(layout === undefined ? {} : { layout }) });
  for (const { sopInstanceUid, file } of pair) {
    const path = join(storage.incoming, `${sopInstanceUid}.part`);
    await writeFile(path, file);
    await storage.adopt(path, () => true);
  }
  return storage;
}

it.each<[string, StorageLayout | undefined, string]>([
  ["by UIDs", undefined, `${first.studyInstanceUid}/${first.seriesInstanceUid}/${first.sopInstanceUid}.dcm`],
  ["flat", "flat", `${first.sopInstanceUid}.dcm`],
  [
    "by a name of the caller's",
    ({ modality, sopInstanceUid }) => `${modality}/x/${sopInstanceUid}`,
    `CT/x/${first.sopInstanceUid}`,
  ],
])("keeps instances %s, bytes as they came", async (_, layout, expected) => {
  await using folder = await temporaryFolder();
  const { written } = await stored(folder.path, layout);
  expect(written).toHaveLength(2);
  expect(await readFile(join(folder.path, expected))).toEqual(first.file);
  expect(await readdir(join(folder.path, ".incoming"))).toEqual([]);
});

it("leaves what is there already as it is", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, `${first.sopInstanceUid}.dcm`), "mine");
  await stored(folder.path, "flat");
  expect(await readFile(join(folder.path, `${first.sopInstanceUid}.dcm`), "utf8")).toBe("mine");
});

it.each(["../out.dcm", "/etc/out.dcm", "a/../../out.dcm", ".", ".incoming/x"])(
  "writes nothing to %s: it leads out of the folder",
  async (place) => {
    await using folder = await temporaryFolder();
    await expect(stored(folder.path, () => place)).rejects.toMatchObject({ code: "USAGE_INVALID" });
    expect((await readdir(folder.path)).sort()).toEqual([".incoming"]);
  },
);

it("never gives two instances one name: the second would be called written, and be gone", async () => {
  await using folder = await temporaryFolder();
  const oneForAll: StorageLayout = ({ modality }) => `${modality}.dcm`;
  await expect(stored(folder.path, oneForAll)).rejects.toMatchObject({ code: "USAGE_INVALID" });
  expect(await readFile(join(folder.path, "CT.dcm"))).toEqual(first.file);
});

it.each([
  ["an instance that an earlier run wrote", second.file],
  ["something that is no instance", Buffer.from("notes")],
])("does not take %s for the one that came: it would be called written, and be gone", async (_, there) => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "0001.dcm"), there);
  const storage = await openFolderStorage({ folder: folder.path, layout: () => "0001.dcm" });
  for (const _time of ["once", "twice"]) {
    const path = join(storage.incoming, "came.part");
    await writeFile(path, first.file);
    await expect(storage.adopt(path, () => true)).rejects.toMatchObject({ code: "USAGE_INVALID" });
  }
  expect(storage.written).toEqual([]);
  expect(await readFile(join(folder.path, "0001.dcm"))).toEqual(there);
});

it("takes an instance that an earlier run wrote under the caller's name for it as written", async () => {
  await using folder = await temporaryFolder();
  const layout: StorageLayout = ({ modality, sopInstanceUid }) => `${modality}-${sopInstanceUid}`;
  await stored(folder.path, layout);
  expect((await stored(folder.path, layout)).written).toHaveLength(2);
});

it("takes the same instance again under its name", async () => {
  await using folder = await temporaryFolder();
  const storage = await stored(folder.path, ({ sopInstanceUid }) => sopInstanceUid);
  const path = join(storage.incoming, "again.part");
  await writeFile(path, first.file);
  await storage.adopt(path, () => true);
  expect(storage.written).toHaveLength(3);
});
