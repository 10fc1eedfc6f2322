import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { deliveryOf, PSEUDONYM, STUDY } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { STUDY_REPORT } from "../../staging/study-folder-report.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { destinationFolder } from "../folder/destination-folder.ts";
import { createFolderDestination } from "../folder/folder-destination.ts";
import { deliverStudy } from "../receipts.ts";
import { localFiles } from "./local-files.ts";
import { reportedIn } from "./tree-destination.ts";

it("knows what was delivered by the report that was set aside when the connection broke", async () => {
  const signal = neverAborted();
  await using place = await temporaryFolder();
  await using source = await temporaryFolder();
  await using destination = await createFolderDestination({ name: "store", path: place.path });
  await deliverStudy(destination, await deliveryOf(source.path, 2), systemClock, signal);
  const study = join(place.path, "trial", PSEUDONYM, STUDY);
  await using session = await localFiles(destinationFolder({ name: "store", path: place.path })).open(signal);
  const delivered = await reportedIn(session, study);
  expect(delivered.size).toBe(2);
  await rename(join(study, STUDY_REPORT), join(study, ".report.old"));
  expect(await reportedIn(session, study)).toEqual(delivered);
});

it("puts nothing of what a hook made in the place of somebody else's file, and the very same where it lies already", async () => {
  const signal = neverAborted();
  await using place = await temporaryFolder();
  await using source = await temporaryFolder();
  await using destination = await createFolderDestination({ name: "store", path: place.path });
  const path = join(source.path, "made.txt");
  await writeFile(path, "made");
  const sha256 = createHash("sha256").update("made").digest("hex");
  const attached = [{ name: "processed/abc/made.txt", path, sizeBytes: 4, sha256 }];
  const delivery = { ...(await deliveryOf(source.path, 1)), attached };
  const there = join(place.path, "trial", PSEUDONYM, STUDY, "processed", "abc", "made.txt");
  await mkdir(dirname(there), { recursive: true });
  await writeFile(there, "somebody's");
  const delivering = () => deliverStudy(destination, delivery, systemClock, signal);
  await expect(delivering()).rejects.toMatchObject({ code: "DELIVERY_CONFLICT" });
  expect(await readFile(there, "utf8")).toBe("somebody's");
  await writeFile(there, "made");
  expect(await delivering()).toMatchObject({ attached: 1 });
});
