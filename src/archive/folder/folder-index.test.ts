import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { createManualClock } from "../../units/manual-clock.testing.ts";
import { createFolderIndex } from "./folder-index.ts";

/** More than one call takes as arguments. */
const VERY_MANY = 130_000;
const SLOW_MS = 60_000;

it("misses very many instances that a DICOMDIR lists", { timeout: SLOW_MS }, async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "DICOMDIR"), directoryOf(VERY_MANY));
  await using index = createFolderIndex(folder.path, systemClock);
  const { instances, skipped } = await index.look(neverAborted());
  expect([instances.length, skipped.get("MEDIA_FILE_MISSING")]).toEqual([VERY_MANY, VERY_MANY]);
});

it("asks every file again within a minute, also of a clock that was set back", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "DICOMDIR");
  await writeFile(path, directoryOf(1));
  for (const old of [path, folder.path]) await utimes(old, 0, 0);
  const [hourMs, minuteMs] = [3_600_000, 60_000];
  const before = createManualClock(10 * hourMs);
  let clock = before;
  await using index = createFolderIndex(folder.path, { ...before, nowMs: () => clock.nowMs() });
  expect((await index.look(neverAborted())).instances).toHaveLength(1);
  clock = createManualClock(9 * hourMs);
  await clock.advance(minuteMs);
  // Written to in its place: the folder says nothing of it.
  await writeFile(path, directoryOf(2));
  await utimes(folder.path, 0, 0);
  expect((await index.look(neverAborted())).instances).toHaveLength(2);
});

/** A DICOMDIR of image records alone, each of which names its study and series. PS3.10 7.1, PS3.3 annex F. */
function directoryOf(count: number): Buffer {
  const meta = [
    element(0x0002, 0x0002, "UI", "1.2.840.10008.1.3.10"),
    element(0x0002, 0x0010, "UI", "1.2.840.10008.1.2.1"),
  ];
  const metaBytes = Buffer.concat(meta);
  const before = Buffer.concat([
    Buffer.alloc(128),
    Buffer.from("DICM"),
    element(0x0002, 0x0000, "UL", metaBytes.length),
    metaBytes,
  ]);
  const sequence = Buffer.from("0400201253510000", "hex");
  const first = before.length + 12 + sequence.length + 4;
  const recordBytes = record(0, 0).length;
  const records = Array.from({ length: count }, (_, index) =>
    record(index, index + 1 === count ? 0 : first + (index + 1) * recordBytes),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(count * recordBytes);
  return Buffer.concat([before, element(0x0004, 0x1200, "UL", first), sequence, length, ...records]);
}

function record(index: number, next: number): Buffer {
  const number = String(index).padStart(6, "0");
  const elements = Buffer.concat([
    element(0x0004, 0x1400, "UL", next),
    element(0x0004, 0x1420, "UL", 0),
    element(0x0004, 0x1430, "CS", "IMAGE"),
    element(0x0004, 0x1500, "CS", `IM${number}`),
    element(0x0004, 0x1510, "UI", "1.2.840.10008.5.1.4.1.1.2"),
    element(0x0004, 0x1511, "UI", `1.2.3.1${number}`),
    element(0x0020, 0x000d, "UI", "1.2.3"),
    element(0x0020, 0x000e, "UI", "1.2.3.4"),
  ]);
  const header = Buffer.from("feff00e000000000", "hex");
  header.writeUInt32LE(elements.length, 4);
  return Buffer.concat([header, elements]);
}

function element(group: number, number: number, vr: string, value: string | number): Buffer {
  const bytes =
    typeof value === "number"
      ? Buffer.alloc(4)
      : Buffer.from(value + (value.length % 2 === 0 ? "" : vr === "UI" ? "\0" : " "));
  if (typeof value === "number") bytes.writeUInt32LE(value);
  const header = Buffer.alloc(8);
  header.writeUInt16LE(group);
  header.writeUInt16LE(number, 2);
  header.write(vr, 4, "latin1");
  header.writeUInt16LE(bytes.length, 6);
  return Buffer.concat([header, bytes]);
}
