import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseStudyInstanceUid } from "../../src/dicom/uid.ts";
import { openStagingArea } from "../../src/staging/open-staging.ts";
import { systemDisk } from "../../src/units/disk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** More than the area remembers. */
const STUDIES = 300;
const UNREADABLE = 20;

// What the disk said of one study was thrown once more where nobody waited for it, and the service died of it with everything it was doing.
it("tells of a study that cannot be read to whom asked for it, and to nobody else, however many are looked into", async () => {
  await using folder = await temporaryFolder();
  const studies = join(folder.path, "studies");
  const uids = Array.from({ length: STUDIES }, (_, index) => parseStudyInstanceUid(`1.2.${index}`));
  await using staging = await openStagingArea({ path: folder.path, reserveBytes: 0, disk: systemDisk });
  for (const uid of uids.slice(0, UNREADABLE)) {
    await mkdir(join(studies, uid));
    await symlink("nowhere", join(studies, uid, "1.2.3.dcm"));
  }
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  try {
    const ends = await Promise.allSettled(uids.map((uid) => staging.list(uid)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(UNREADABLE);
    expect(unhandled).toEqual([]);
  } finally {
    process.off("unhandledRejection", note);
  }
});
