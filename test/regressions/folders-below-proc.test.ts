import { expect, it } from "vitest";
import { openDataLake } from "../../src/acquisition/lake/data-lake.ts";
import { openReceiveFolder } from "../../src/cli/verbs/dicom/receive-folder.ts";
import { createFolderDestination } from "../../src/delivery/folder/folder-destination.ts";
import { systemClock } from "../../src/units/clock.ts";
import { systemDisk } from "../../src/units/disk.ts";

/** Where `mkdir` with `recursive` asks for ever, each time in a thread of its own. */
const NOWHERE = "/proc/radferry/out";

it.skipIf(process.platform !== "linux").each([
  ["dicom receive", () => openReceiveFolder(NOWHERE, systemClock)],
  ["the lake of scanners", () => openDataLake({ path: NOWHERE, disk: systemDisk })],
  ["a folder destination", () => createFolderDestination({ name: "store", path: NOWHERE })],
])("%s fails at once where no folder can be made", async (_, open) => {
  await expect(open()).rejects.toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) });
});
