import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { deliveryOf } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { neverAborted } from "../../units/abort.ts";
import { zipInspector } from "../files/inspect-files.ts";
import { localFiles } from "../files/local-files.ts";
import { destinationFolder } from "./destination-folder.ts";
import { createFolderDestination } from "./folder-destination.ts";
import { folderInspector } from "./inspect-folder.ts";

vi.mock("node:fs/promises", { spy: true });

const MISSING = { code: "DESTINATION_FOLDER_MISSING", class: "transient", details: { destination: "store" } };
const signal = neverAborted();

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  vi.resetAllMocks();
  await folder[Symbol.asyncDispose]();
});

it("makes the last folder of its path, and none above it", async () => {
  const path = join(folder.path, "research");
  await using _ = await createFolderDestination({ name: "store", path });
  expect(await readdir(folder.path)).toEqual(["research"]);
  const unmounted = { name: "store", path: join(folder.path, "mount", "research") };
  await expect(createFolderDestination(unmounted)).rejects.toMatchObject(MISSING);
  expect(await readdir(folder.path)).toEqual(["research"]);
});

it("is no file", async () => {
  const path = join(folder.path, "file");
  await writeFile(path, "");
  await expect(destinationFolder({ name: "store", path }).make()).rejects.toMatchObject({
    code: "DESTINATION_NOT_WRITABLE",
  });
});

it("is taken for unmounted once it has gone: nothing is sent, and nothing is said of what it holds", async () => {
  const path = join(folder.path, "research");
  const destination = await createFolderDestination({ name: "store", path });
  const delivery = await deliveryOf(folder.path, 1);
  const { files } = delivery;
  await rm(path, { recursive: true });
  await expect(destination.held(delivery, signal)).rejects.toMatchObject(MISSING);
  await expect(destination.send(delivery, files, signal)).rejects.toMatchObject(MISSING);
  await expect(destination.removal?.remains(delivery, signal)).rejects.toMatchObject(MISSING);
  await expect(folderInspector({ name: "store", path })(delivery, signal)).rejects.toMatchObject(MISSING);
  const zips = { server: localFiles(destinationFolder({ name: "store", path })), path, readsBack: true };
  await expect(zipInspector(zips, folder.path)(delivery, signal)).rejects.toMatchObject(MISSING);
  await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
});

it("is missing where a share was mounted and the empty folder below it is left", async () => {
  const { path } = folder;
  const store = destinationFolder({ name: "store", path });
  const stats = await stat(path);
  vi.mocked(stat).mockImplementationOnce(async () => Object.assign(Object.create(stats), { dev: stats.dev + 1 }));
  await store.make();
  await expect(store.require()).rejects.toMatchObject(MISSING);
});
