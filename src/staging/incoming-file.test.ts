import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { smallObject } from "../../test/support/small-object.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { element } from "../dicom/values.ts";
import { systemDisk } from "../units/disk.ts";
import type { CreateFile } from "./incoming-file.ts";
import { openStagingArea } from "./open-staging.ts";
import type { TakeElsewhere } from "./staging-area.ts";

const STUDY = parseStudyInstanceUid("1.2.3");
/** More than is kept in memory. */
const { bytes, ...facts } = smallObject({ study: STUDY, series: "1.2.3.1", instance: "1.2.3.1.1" }, [
  element(tags.EncapsulatedDocument, "OB", Buffer.alloc(2_000_000)),
]);
const announced = { ...facts, sourceAeTitle: "PACS" };

async function site(createFile?: CreateFile) {
  const folder = await temporaryFolder();
  const options = { path: folder.path, reserveBytes: 0, disk: systemDisk };
  const staging = await openStagingArea(createFile === undefined ? options : { ...options, createFile });
  return {
    staging,
    incoming: () => readdir(join(folder.path, "incoming")),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

it("leaves no file of a large instance that is refused, cut short or not taken elsewhere either", async () => {
  await using at = await site();
  const full: TakeElsewhere = () => Promise.reject(new Error("no room elsewhere"));
  const ends = [
    { of: announced, cutTo: bytes.length, admitted: false },
    { of: announced, cutTo: 1_500_000, admitted: true },
    { of: { ...announced, sopClassUid: "1.2.840.10008.5.1.4.1.1.4" }, cutTo: bytes.length, admitted: true },
    { of: announced, cutTo: bytes.length, admitted: false, otherwise: full },
  ];
  for (const { of, cutTo, admitted, otherwise } of ends) {
    const file = await at.staging.begin(of);
    await file.write(bytes.subarray(0, cutTo));
    expect(await at.incoming()).toHaveLength(1);
    await expect(file.commit(() => admitted, otherwise)).rejects.toThrow();
    expect(await at.incoming()).toEqual([]);
  }
  expect(await at.staging.list(STUDY)).toEqual([]);
});

it("is full where the disk takes less than it is given and says nothing", async () => {
  await using at = await site(async (path) => {
    const file = await open(path, "wx");
    const writev: typeof file.writev = async (buffers) => {
      const taken = buffers.map((buffer) => Buffer.from(buffer.buffer, buffer.byteOffset, 100));
      return { ...(await file.writev(taken)), buffers };
    };
    return { writev, close: () => file.close() };
  });
  const file = await at.staging.begin(announced);
  await file.write(bytes);
  await expect(file.commit(() => true)).rejects.toThrow(expect.objectContaining({ code: "STAGING_FULL" }));
  expect(await at.incoming()).toEqual([]);
});

it("leaves nothing of an instance that is broken off while its file is being made", async () => {
  const asked = Promise.withResolvers<void>();
  await using at = await site(async (path) => {
    await asked.promise;
    return await open(path, "wx");
  });
  const file = await at.staging.begin(announced);
  file.write(bytes);
  const aborted = file.abort();
  asked.resolve();
  await aborted;
  await expect.poll(at.incoming).toEqual([]);
});

it("moves in no file that nobody asked for, and leaves it where it is", async () => {
  await using at = await site();
  const file = await at.staging.begin(announced);
  await file.write(bytes);
  const { path } = await file.commit(() => true);
  const unsolicited = expect.objectContaining({ code: "INSTANCE_UNSOLICITED" });
  await using again = await site();
  await expect(again.staging.adopt(path, () => false)).rejects.toThrow(unsolicited);
  expect(await again.staging.list(STUDY)).toEqual([]);
  expect(await at.staging.list(STUDY)).toHaveLength(1);
});
