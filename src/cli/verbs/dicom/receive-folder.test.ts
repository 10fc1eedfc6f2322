import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { outgoingSample, type SampleObject, sampleCt } from "../../../../test/peers/sample-objects.ts";
import { tags } from "../../../dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../../dicom/dictionary/transfer-syntaxes.ts";
import { textElement } from "../../../dicom/values.ts";
import { encodeFileMeta } from "../../../dicom/writer.ts";
import type { IncomingInstance, InstanceSink } from "../../../network/dimse/service-types.ts";
import { statusIn } from "../../../network/dimse/status.ts";
import { neverAborted } from "../../../units/abort.ts";
import { systemClock } from "../../../units/clock.ts";
import { openReceiveFolder, type ReceiveFolder } from "./receive-folder.ts";

let path = "";
let folder: ReceiveFolder;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "radferry-receive-"));
  folder = await openReceiveFolder(path, systemClock);
});
afterEach(() => rm(path, { recursive: true }));

const CT = sampleCt(1, 1, 1, 512);

function announcement({ sopClassUid, sopInstanceUid }: SampleObject): IncomingInstance {
  return {
    sopClassUid,
    sopInstanceUid,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    callingAeTitle: "SENDER",
    calledAeTitle: "STORE",
    remoteAddress: "127.0.0.1",
  };
}

async function bytesOf(object: SampleObject): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(outgoingSample(object).open()));
}

async function begin(announced: IncomingInstance): Promise<InstanceSink> {
  const opened = await folder.store(announced, neverAborted());
  if ("refuse" in opened) throw new Error(`refused: ${opened.refuse.toString(16)}`);
  return opened;
}

/** Hands over in pieces of a size that fits no block. */
async function send(announced: IncomingInstance, bytes: Uint8Array): Promise<number> {
  const sink = await begin(announced);
  for (let at = 0; at < bytes.length; at += 16_381) await sink.write(bytes.subarray(at, at + 16_381));
  return statusIn(await sink.close());
}

it("stores the bytes as received behind file meta of its own", async () => {
  const bytes = await bytesOf(CT);
  expect(await send(announcement(CT), bytes)).toBe(0x0000);
  expect(await readdir(path)).toEqual([`${CT.sopInstanceUid}.dcm`]);
  const meta = encodeFileMeta({ ...announcement(CT), sourceAeTitle: "SENDER" });
  const stored = await readFile(join(path, `${CT.sopInstanceUid}.dcm`));
  expect(stored.equals(Buffer.concat([meta, bytes]))).toBe(true);
  expect(folder.counts()).toEqual({ stored: 1, refused: 0 });
});

it("takes a piece that is larger than a block", async () => {
  const sink = await begin(announcement(CT));
  await sink.write(await bytesOf(CT));
  expect(await sink.close()).toBe(0x0000);
});

it("shows nothing that ends in .dcm before it is acknowledged", async () => {
  const sink = await begin(announcement(CT));
  await sink.write(await bytesOf(CT));
  expect(await readdir(path)).toEqual([expect.stringMatching(/^\.incoming-.*\.part$/)]);
  await sink.abort();
  expect(await readdir(path)).toEqual([]);
});

it("leaves the first file as it was when a duplicate is cut short", async () => {
  await send(announcement(CT), await bytesOf(CT));
  const first = await readFile(join(path, `${CT.sopInstanceUid}.dcm`));
  const sink = await begin(announcement(CT));
  await sink.write((await bytesOf(CT)).subarray(0, 1_000));
  await sink.abort();
  expect(await readdir(path)).toEqual([`${CT.sopInstanceUid}.dcm`]);
  expect((await readFile(join(path, `${CT.sopInstanceUid}.dcm`))).equals(first)).toBe(true);
});

it.each(["../../etc/cron.d/x", "1.2/3", "1..2", "", "1.2.3.", `${"1.".repeat(32)}1`, "one"])(
  "refuses an announced UID that is none: %j",
  async (sopInstanceUid) => {
    const answer = await folder.store({ ...announcement(CT), sopInstanceUid }, neverAborted());
    expect(answer).toEqual({ refuse: 0x0117 });
    expect(await readdir(path)).toEqual([]);
    expect(folder.counts()).toEqual({ stored: 0, refused: 1 });
  },
);

function withUid(
  keyword: "SOPInstanceUID" | "StudyInstanceUID" | "SeriesInstanceUID" | "SOPClassUID",
  uid: string,
): SampleObject {
  const tag = tags[keyword];
  return { ...CT, dataSet: new Map([...CT.dataSet, [tag, textElement(tag, uid, "UI")]]) };
}

it.each([
  ["another instance than announced", withUid("SOPInstanceUID", "1.2.3"), 0xa900],
  ["another class than announced", withUid("SOPClassUID", "1.2.3"), 0xa900],
  ["no study UID but a path", withUid("StudyInstanceUID", "../escape"), 0xc000],
  ["a series UID with letters", withUid("SeriesInstanceUID", "1.2.x"), 0xc000],
])("does not acknowledge an object with %s", async (_, object, status) => {
  expect(await send(announcement(CT), await bytesOf(object))).toBe(status);
  expect(await readdir(path)).toEqual([]);
});

it("does not acknowledge what is no data set", async () => {
  expect(await send(announcement(CT), Buffer.from("not a data set at all, whatever was announced"))).toBe(0xa900);
  expect(await send(announcement(CT), (await bytesOf(CT)).subarray(0, 21))).toBe(0xc000);
  expect(await readdir(path)).toEqual([]);
});

it("keeps simultaneous senders of one instance apart", async () => {
  const bytes = await bytesOf(CT);
  const statuses = await Promise.all([1, 2, 3].map(() => send(announcement(CT), bytes)));
  expect(statuses).toEqual([0, 0, 0]);
  expect(await readdir(path)).toEqual([`${CT.sopInstanceUid}.dcm`]);
});

it("sweeps what a killed receiver left, and nothing that may be in use", async () => {
  const stale = join(path, ".incoming-01234567-89ab-cdef-0123-456789abcdef.part");
  const young = join(path, ".incoming-11234567-89ab-cdef-0123-456789abcdef.part");
  for (const file of [stale, young, join(path, "notes.part")]) await writeFile(file, "");
  const longAgo = new Date(Date.now() - 7_200_000);
  await utimes(stale, longAgo, longAgo);
  await openReceiveFolder(path, systemClock);
  expect((await readdir(path)).sort()).toEqual([".incoming-11234567-89ab-cdef-0123-456789abcdef.part", "notes.part"]);
});

it("says so when the folder cannot be made", async () => {
  await writeFile(join(path, "file"), "");
  await expect(openReceiveFolder(join(path, "file", "below"), systemClock)).rejects.toMatchObject({
    code: "FOLDER_NOT_WRITABLE",
  });
});

it("has on disk what an association brought when that has ended, where it is to sync with the association", async () => {
  const association = new AbortController();
  const lazy = await openReceiveFolder(path, systemClock, "association");
  const sink = await lazy.store(announcement(CT), association.signal);
  if ("refuse" in sink) throw new Error("refused");
  await sink.write(await bytesOf(CT));
  expect(await sink.close()).toBe(0x0000);
  expect(await readdir(path)).toEqual([`${CT.sopInstanceUid}.dcm`]);
  association.abort();
  await expect(lazy.settled()).resolves.toBeUndefined();
  expect(lazy.counts()).toEqual({ stored: 1, refused: 0 });
});
