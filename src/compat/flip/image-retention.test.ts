import { mkdir, readdir, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { createManualClock } from "../../units/manual-clock.testing.ts";
import { startImageRetention, sweepImages } from "./image-retention.ts";

const DAY_MS = 86_400_000;
const NOW_MS = 100 * DAY_MS;

/** Downloads of one project, each marked as complete so many days ago. */
async function downloads(folder: string, ages: Readonly<Record<string, number>>): Promise<string> {
  const project = join(folder, "net", "project");
  for (const [session, days] of Object.entries(ages)) {
    await mkdir(join(project, session), { recursive: true });
    const mark = join(project, session, ".flip_complete-DICOM");
    await writeFile(mark, "");
    await utimes(mark, NOW_MS / 1_000, (NOW_MS - days * DAY_MS) / 1_000);
  }
  return project;
}

it("removes what is older than it is to be kept", async () => {
  await using folder = await temporaryFolder();
  const project = await downloads(folder.path, { old: 4, fresh: 1 });
  expect(await sweepImages(folder.path, 3 * DAY_MS, NOW_MS)).toBe(1);
  expect(await readdir(project)).toEqual(["fresh"]);
});

it("removes what has no mark any more, and what a crash left of a download, when nobody can be at it", async () => {
  await using folder = await temporaryFolder();
  const project = await downloads(folder.path, { kept: 1 });
  const leave = async (name: string, days: number): Promise<void> => {
    const path = join(project, name);
    if (name.includes(".")) await writeFile(path, "images");
    else await mkdir(join(path, "scans"), { recursive: true });
    await utimes(path, NOW_MS / 1_000, (NOW_MS - days * DAY_MS) / 1_000);
  };
  // An upload took its marks away; a download was killed; one of each is under way.
  await leave("unmarked", 4);
  await leave("arriving", 0.5);
  await leave("A1-scans-DICOM.zip", 4);
  await leave("A2-scans-DICOM.zip", 0.5);
  await leave("notes.txt", 400);
  expect(await sweepImages(folder.path, 3 * DAY_MS, NOW_MS)).toBe(2);
  expect((await readdir(project)).sort()).toEqual(["A2-scans-DICOM.zip", "arriving", "kept", "notes.txt"]);
  // However short they are kept, one that is under way is left alone.
  expect(await sweepImages(folder.path, 0, NOW_MS)).toBe(1);
  expect((await readdir(project)).sort()).toEqual(["A2-scans-DICOM.zip", "arriving", "notes.txt"]);
});

it("removes what a download was broken off in that began a day ago, and nothing that one may still write to", async () => {
  await using folder = await temporaryFolder();
  const project = await downloads(folder.path, { broken: 4, filling: 4 });
  for (const [session, days] of Object.entries({ broken: 2, filling: 0.5 })) {
    const mark = join(project, session, ".flip_fetching-NIFTI");
    await writeFile(mark, "");
    await utimes(mark, NOW_MS / 1_000, (NOW_MS - days * DAY_MS) / 1_000);
  }
  expect(await sweepImages(folder.path, 3 * DAY_MS, NOW_MS)).toBe(1);
  expect(await readdir(project)).toEqual(["filling"]);
});

it("removes the others when one cannot be looked at, and says why that is", async () => {
  await using folder = await temporaryFolder();
  const project = await downloads(folder.path, { "a-first": 4, broken: 4, "z-last": 4 });
  await symlink("nowhere", join(project, "broken", ".flip_complete-SEG"));
  const lines: unknown[] = [];
  const note = (message: string, fields?: unknown): void => void lines.push([message, fields]);
  const clock = createManualClock(NOW_MS);
  await using retention = startImageRetention({
    folder: folder.path,
    keepMs: 3 * DAY_MS,
    everyMs: DAY_MS,
    clock,
    logger: { debug: note, info: note, warn: note, error: note },
  });
  await expect.poll(() => retention.state).toBe("failing");
  expect(await readdir(project)).toEqual(["broken"]);
  expect(lines).toEqual([["downloaded images could not be swept", { reason: "ENOENT" }]]);
});
