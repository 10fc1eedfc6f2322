import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startCountingStore } from "../../test/support/counting-store.ts";
import { smallObject } from "../../test/support/small-object.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { parseAeTitle, parseDicomAddress } from "../dicom/ae-title.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import { encodeFileMeta } from "../dicom/writer.ts";
import { startDimseServer } from "../network/dimse/server.ts";
import { type DeidentifiedFile, declareDeidentified, parsePseudonym } from "../staging/deidentified-file.ts";
import { neverAborted } from "../units/abort.ts";
import { systemClock } from "../units/clock.ts";
import { silentLogger } from "../units/logger.ts";
import type { StudyDelivery } from "./destination.ts";
import { createDimseDestination } from "./dimse/dimse-destination.ts";
import { createFolderDestination } from "./folder/folder-destination.ts";
import { deliverStudy } from "./receipts.ts";

const STUDY = parseStudyInstanceUid("2.25.1");
const SERIES = parseSeriesInstanceUid("2.25.2");
const PSEUDONYM = parsePseudonym("P-0001");
const signal = neverAborted();

async function fileAt(folder: string, number: number): Promise<DeidentifiedFile> {
  const instance = `2.25.3.${number}`;
  const { bytes, ...facts } = smallObject({ study: STUDY, series: SERIES, instance });
  const content = Buffer.concat([encodeFileMeta(facts), bytes]);
  const path = join(folder, `${number}.dcm`);
  await writeFile(path, content);
  return declareDeidentified({
    ...facts,
    path,
    pseudonym: PSEUDONYM,
    studyInstanceUid: STUDY,
    seriesInstanceUid: SERIES,
    sopInstanceUid: parseSopInstanceUid(instance),
    sizeBytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  });
}

async function deliveryOf(folder: string, count: number): Promise<StudyDelivery> {
  const files = await Promise.all(Array.from({ length: count }, (_, index) => fileAt(folder, index + 1)));
  return { project: "trial", pseudonym: PSEUDONYM, studyInstanceUid: STUDY, files, report: { profile: "basic" } };
}

describe("a folder destination", () => {
  it("holds each file under its new UIDs, and beside them the report with the receipt", async () => {
    await using source = await temporaryFolder();
    await using target = await temporaryFolder();
    await using destination = await createFolderDestination({ name: "store", path: target.path });
    const delivery = await deliveryOf(source.path, 3);
    const receipt = await deliverStudy(destination, delivery, systemClock, signal);
    expect(receipt).toMatchObject({ destination: "store", instances: 3, proof: "sha256" });
    const study = join(target.path, "trial", PSEUDONYM, STUDY);
    expect(await readdir(study)).toEqual([SERIES, "radferry-report.json"]);
    expect(await readdir(join(study, SERIES))).toEqual(["2.25.3.1.dcm", "2.25.3.2.dcm", "2.25.3.3.dcm"]);
    expect(await readdir(join(target.path, ".radferry"))).toEqual([]);
    const report = JSON.parse(await readFile(join(study, "radferry-report.json"), "utf8"));
    expect(report).toMatchObject({ profile: "basic", receipt: { instances: 3, proof: "sha256" } });
    expect(report.files).toHaveLength(3);
  });

  it("writes nothing again that it holds, and only what is lost or damaged", async () => {
    await using source = await temporaryFolder();
    await using target = await temporaryFolder();
    await using destination = await createFolderDestination({ name: "store", path: target.path });
    const delivery = await deliveryOf(source.path, 3);
    await deliverStudy(destination, delivery, systemClock, signal);
    const series = join(target.path, "trial", PSEUDONYM, STUDY, SERIES);
    const inodes = async () =>
      Promise.all((await readdir(series)).map(async (name) => (await stat(join(series, name))).ino));
    const before = await inodes();
    await deliverStudy(destination, delivery, systemClock, signal);
    expect(await inodes()).toEqual(before);
    await rm(join(series, "2.25.3.1.dcm"));
    await writeFile(join(series, "2.25.3.2.dcm"), Buffer.alloc((await stat(join(series, "2.25.3.2.dcm"))).size));
    expect(await destination.held(delivery, signal)).toEqual(new Set(["2.25.3.3"]));
    await deliverStudy(destination, delivery, systemClock, signal);
    expect((await destination.held(delivery, signal)).size).toBe(3);
    expect((await inodes())[2]).toBe(before[2]);
  });

  it("removes at its opening what a crash left half copied", async () => {
    await using target = await temporaryFolder();
    await using _first = await createFolderDestination({ name: "store", path: target.path });
    await writeFile(join(target.path, ".radferry", "half"), "");
    await using _second = await createFolderDestination({ name: "store", path: target.path });
    expect(await readdir(join(target.path, ".radferry"))).toEqual([]);
  });

  it("says so when its path is no folder", async () => {
    await using target = await temporaryFolder();
    await writeFile(join(target.path, "file"), "");
    await expect(createFolderDestination({ name: "store", path: join(target.path, "file") })).rejects.toThrow(
      expect.objectContaining({ code: "DESTINATION_NOT_WRITABLE" }),
    );
  });
});

describe("a DICOM store as destination", () => {
  const callingAeTitle = parseAeTitle("RADFERRY");

  it("gets every instance once, however often the study is delivered", async () => {
    await using source = await temporaryFolder();
    await using store = await startCountingStore(0);
    const address = parseDicomAddress(store.address);
    await using destination = createDimseDestination({ name: "viewer", address, callingAeTitle, logger: silentLogger });
    const delivery = await deliveryOf(source.path, 3);
    const receipt = await deliverStudy(destination, delivery, systemClock, signal);
    await deliverStudy(destination, delivery, systemClock, signal);
    expect(receipt).toMatchObject({ instances: 3, proof: "uids" });
    expect([...store.timesStored.values()]).toEqual([1, 1, 1]);
  });

  it("is not believed when it answers success and lists nothing", async () => {
    await using source = await temporaryFolder();
    await using server = await startDimseServer({
      host: "127.0.0.1",
      port: 0,
      aeTitle: parseAeTitle("FORGETS"),
      handlers: {
        store: async () => ({ write() {}, close: async () => 0x0000, async abort() {} }),
        async *find() {},
      },
    });
    const address = parseDicomAddress(`FORGETS@127.0.0.1:${server.port}`);
    await using destination = createDimseDestination({ name: "viewer", address, callingAeTitle, logger: silentLogger });
    await expect(deliverStudy(destination, await deliveryOf(source.path, 2), systemClock, signal)).rejects.toThrow(
      expect.objectContaining({ code: "DELIVERY_UNCONFIRMED", class: "ambiguous" }),
    );
  });

  it.each([
    [0xa700, "DELIVERY_REFUSED_FOR_NOW"],
    [0xa900, "DELIVERY_REFUSED"],
    [0xc000, "DELIVERY_REFUSED"],
  ])("that answers %i gives %s", async (status, code) => {
    await using source = await temporaryFolder();
    await using server = await startDimseServer({
      host: "127.0.0.1",
      port: 0,
      aeTitle: parseAeTitle("REFUSES"),
      handlers: { store: async () => ({ refuse: status }), async *find() {} },
    });
    const address = parseDicomAddress(`REFUSES@127.0.0.1:${server.port}`);
    await using destination = createDimseDestination({ name: "viewer", address, callingAeTitle, logger: silentLogger });
    await expect(deliverStudy(destination, await deliveryOf(source.path, 1), systemClock, signal)).rejects.toThrow(
      expect.objectContaining({ code }),
    );
  });
});
