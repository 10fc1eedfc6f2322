import { join, relative } from "node:path";
import { expect, it } from "vitest";
import { localFiles } from "../../src/delivery/files/local-files.ts";
import { createZipDestination } from "../../src/delivery/files/zip-destination.ts";
import { destinationFolder } from "../../src/delivery/folder/destination-folder.ts";
import { createFolderDestination } from "../../src/delivery/folder/folder-destination.ts";
import { deliverStudy } from "../../src/delivery/receipts.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { systemClock } from "../../src/units/clock.ts";
import { deliveryOf, PSEUDONYM, SERIES, STUDY } from "../support/small-delivery.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Killed when everything has its name, and nothing of that is on disk. */
const killed = () => Promise.reject(new Error("killed"));

it("does not confirm what an earlier try left in a folder before its names are on disk", async () => {
  await using copies = await temporaryFolder();
  await using folder = await temporaryFolder();
  const delivery = await deliveryOf(copies.path, 2);
  const synced: string[] = [];
  const tryWith = async (syncNames: (path: string) => Promise<void>) => {
    await using destination = await createFolderDestination({ name: "store", path: folder.path, syncNames });
    return await deliverStudy(destination, delivery, systemClock, neverAborted());
  };
  await expect(tryWith(killed)).rejects.toThrow("killed");
  await tryWith(async (path) => void synced.push(relative(folder.path, path)));
  const study = join("trial", PSEUDONYM, STUDY);
  expect(synced.sort()).toEqual(["", "trial", join("trial", PSEUDONYM), study, join(study, SERIES)]);
});

it("does not confirm a zip that an earlier try left before its name is on disk", async () => {
  await using copies = await temporaryFolder();
  await using folder = await temporaryFolder();
  const delivery = await deliveryOf(copies.path, 2);
  const synced: string[] = [];
  const tryWith = async (syncNames: (path: string) => Promise<void>) => {
    const { path } = folder;
    const server = localFiles(destinationFolder({ name: "store", path }), syncNames);
    await using destination = await createZipDestination({
      ...{ name: "store", kind: "folder", server, path, proof: "sha256" },
      temporaryFolder: join(copies.path, "zips"),
    });
    return await deliverStudy(destination, delivery, systemClock, neverAborted());
  };
  await expect(tryWith(killed)).rejects.toThrow();
  await tryWith(async (path) => void synced.push(relative(folder.path, path)));
  expect(synced).toEqual(["trial", ""]);
});
