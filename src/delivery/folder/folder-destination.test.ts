import { createHash } from "node:crypto";
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { deliveryOf, OTHER_ORIGINAL, PSEUDONYM, SERIES, STUDY } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { readStudyReports } from "../../staging/study-folder-report.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { localFiles } from "../files/local-files.ts";
import { deliverStudy } from "../receipts.ts";
import { destinationFolder } from "./destination-folder.ts";
import { createFolderDestination } from "./folder-destination.ts";

it("stops between two folders when it is to stop, and writes no report of what is not on disk", async () => {
  await using copies = await temporaryFolder();
  await using folder = await temporaryFolder();
  const stop = new AbortController();
  let synced = 0;
  await using destination = await createFolderDestination({
    name: "store",
    path: folder.path,
    async syncNames() {
      synced += 1;
      stop.abort();
    },
  });
  const delivery = await deliveryOf(copies.path, 2);
  await expect(deliverStudy(destination, delivery, systemClock, stop.signal)).rejects.toThrow();
  expect(synced).toBe(1);
  expect(await readdir(join(folder.path, "trial", PSEUDONYM, STUDY))).toEqual([SERIES]);
});

it("has the name of every folder of the study on disk, also of one that was left by a try before", async () => {
  await using copies = await temporaryFolder();
  await using folder = await temporaryFolder();
  const synced: string[] = [];
  const syncNames = async (path: string): Promise<void> => void synced.push(path);
  await using destination = await createFolderDestination({ name: "store", path: folder.path, syncNames });
  const made = join(copies.path, "made.txt");
  await writeFile(made, "");
  const sha256 = createHash("sha256").digest("hex");
  const attached = [{ name: "processed/abc/made.txt", path: made, sizeBytes: 0, sha256 }];
  const delivery = { ...(await deliveryOf(copies.path, 2)), attached };
  const [trial, patient] = [join(folder.path, "trial"), join(folder.path, "trial", PSEUDONYM)];
  const study = join(patient, STUDY);
  const processed = [join(study, "processed"), join(study, "processed", "abc")];
  const expected = [folder.path, trial, patient, study, join(study, SERIES), ...processed].sort();
  for (let turn = 0; turn < 2; turn += 1) {
    await deliverStudy(destination, delivery, systemClock, neverAborted());
    expect(synced.splice(0).sort()).toEqual(expected);
  }
});

it("tells of both of two studies that become one at the same moment", async () => {
  await using copies = await temporaryFolder();
  await using folder = await temporaryFolder();
  await using destination = await createFolderDestination({ name: "store", path: folder.path });
  const studies = [await deliveryOf(copies.path, 1), await deliveryOf(copies.path, 1, [], OTHER_ORIGINAL)];
  await Promise.all(studies.map((study) => deliverStudy(destination, study, systemClock, neverAborted())));
  const reports = await readStudyReports(join(folder.path, "trial", PSEUDONYM, STUDY));
  expect(reports).toHaveLength(2);
});

it("leaves files and folders that others can read, whatever the umask says", async () => {
  await using copies = await temporaryFolder();
  await using folder = await temporaryFolder();
  const delivery = await deliveryOf(copies.path, 1);
  const before = process.umask(0o077);
  try {
    await using destination = await createFolderDestination({ name: "store", path: folder.path });
    await deliverStudy(destination, delivery, systemClock, neverAborted());
    await using files = await localFiles(destinationFolder({ name: "store", path: folder.path })).open(neverAborted());
    await files.write(join(folder.path, "attached.txt"), content());
    await files.makeFolder(join(folder.path, "made", "too"));
  } finally {
    process.umask(before);
  }
  const study = join(folder.path, "trial", PSEUDONYM, STUDY);
  const [instance = ""] = await readdir(join(study, SERIES));
  const paths = [join(study, SERIES, instance), join(study, "radferry-report.json"), join(folder.path, "attached.txt")];
  const modes = await Promise.all(paths.map(async (path) => (await stat(path)).mode & 0o777));
  expect(modes).toEqual([0o644, 0o644, 0o644]);
  const folders = [join(study, SERIES), study, join(folder.path, "trial", PSEUDONYM), join(folder.path, "trial")];
  folders.push(join(folder.path, "made"), join(folder.path, "made", "too"));
  for (const path of folders) expect((await stat(path)).mode & 0o777).toBe(0o755);
});

async function* content(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("made of it");
}
