import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startCountingStore } from "../../test/support/counting-store.ts";
import { deliveryOf, PSEUDONYM, SERIES, STUDY } from "../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { parseAeTitle, parseDicomAddress } from "../dicom/ae-title.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid } from "../dicom/uid.ts";
import { dataSetOf, textElement, uidOf } from "../dicom/values.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { startDimseServer } from "../network/dimse/server.ts";
import { declareDeidentified } from "../staging/deidentified-file.ts";
import { neverAborted } from "../units/abort.ts";
import { systemClock } from "../units/clock.ts";
import { silentLogger } from "../units/logger.ts";
import type { StudyDelivery } from "./destination.ts";
import { createDimseDestination } from "./dimse/dimse-destination.ts";
import { rethrowDestination } from "./folder/destination-error.ts";
import { createFolderDestination } from "./folder/folder-destination.ts";
import { createSharedReading } from "./reading/shared-reading.ts";
import { deliverStudy, takenInOrder } from "./receipts.ts";
import { checkStoreStatus } from "./store-status.ts";

const signal = neverAborted();

/** Passes bytes on, and drops the connection instead of passing on an answer once `isDue` says so. */
async function startCuttingProxy(port: number, isDue: () => boolean) {
  let mended = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const socket of [client, upstream]) sockets.add(socket.on("error", () => {}));
    client.on("data", (bytes) => upstream.write(bytes)).on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    upstream.on("data", (bytes) => (isDue() && !mended ? client.destroy() : client.write(bytes)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    mend() {
      mended = true;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
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
    expect(await readdir(join(target.path, ".radferry", "gateway"))).toEqual([]);
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

  it("gives files that are handed over another name, readable as others are", async () => {
    await using source = await temporaryFolder();
    await using target = await temporaryFolder();
    await using destination = await createFolderDestination({ name: "store", path: target.path });
    const handedOver = { ...(await deliveryOf(source.path, 2)), isHandedOver: true };
    for (const { path } of handedOver.files) await chmod(path, 0o600);
    await deliverStudy(destination, handedOver, systemClock, signal);
    const series = join(target.path, "trial", PSEUDONYM, STUDY, SERIES);
    for (const { path, sopInstanceUid } of handedOver.files) {
      const [given, delivered] = [await stat(path), await stat(join(series, `${sopInstanceUid}.dcm`))];
      expect([delivered.ino, delivered.mode & 0o777]).toEqual([given.ino, 0o644]);
      await rm(path);
    }
    const again = { ...(await deliveryOf(source.path, 2)), isHandedOver: true };
    expect((await destination.held(again, signal)).size).toBe(2);
  });

  it("copies what is handed over where something lies in its place", async () => {
    await using source = await temporaryFolder();
    await using target = await temporaryFolder();
    await using destination = await createFolderDestination({ name: "store", path: target.path });
    const handedOver = { ...(await deliveryOf(source.path, 2)), isHandedOver: true };
    await deliverStudy(destination, handedOver, systemClock, signal);
    const series = join(target.path, "trial", PSEUDONYM, STUDY, SERIES);
    const damaged = join(series, "2.25.3.1.dcm");
    await rm(damaged);
    await writeFile(damaged, "cut short");
    await deliverStudy(destination, handedOver, systemClock, signal);
    expect((await stat(damaged)).ino).not.toBe((await stat(handedOver.files[0]?.path ?? "")).ino);
    expect((await destination.held(handedOver, signal)).size).toBe(2);
  });

  it("gives each of several destinations a copy of its own", async () => {
    await using source = await temporaryFolder();
    await using target = await temporaryFolder();
    await using destination = await createFolderDestination({ name: "store", path: target.path });
    const delivery = { ...(await deliveryOf(source.path, 1)), isHandedOver: true };
    await using sharing = createSharedReading(takenInOrder(delivery), signal);
    using reading = sharing.join();
    await deliverStudy(destination, { ...delivery, reading }, systemClock, signal);
    const delivered = join(target.path, "trial", PSEUDONYM, STUDY, SERIES, "2.25.3.1.dcm");
    expect((await stat(delivered)).ino).not.toBe((await stat(delivery.files[0]?.path ?? "")).ino);
  });

  it("removes at its opening what a crash left half copied", async () => {
    await using target = await temporaryFolder();
    await using _first = await createFolderDestination({ name: "store", path: target.path });
    await writeFile(join(target.path, ".radferry", "gateway", "half"), "");
    await using _second = await createFolderDestination({ name: "store", path: target.path });
    expect(await readdir(join(target.path, ".radferry", "gateway"))).toEqual([]);
  });

  it("leaves alone what another gateway has under way in the same folder, until that is long gone", async () => {
    await using target = await temporaryFolder();
    const all = join(target.path, ".radferry");
    await using _other = await createFolderDestination({ name: "store", path: target.path, owner: "other" });
    await writeFile(join(all, "other", "half"), "");
    await using _ours = await createFolderDestination({ name: "store", path: target.path });
    expect(await readdir(join(all, "other"))).toEqual(["half"]);
    const inTwoWeeks = { ...systemClock, nowMs: () => systemClock.nowMs() + 14 * 24 * 3_600_000 };
    await using _later = await createFolderDestination({ name: "store", path: target.path, clock: inTwoWeeks });
    expect(await readdir(all)).not.toContain("other");
  });

  it("replaces what it delivered before when the study comes out differently", async () => {
    await using source = await temporaryFolder();
    await using target = await temporaryFolder();
    await using destination = await createFolderDestination({ name: "store", path: target.path });
    await deliverStudy(destination, await deliveryOf(source.path, 2), systemClock, signal);
    const changed = await deliveryOf(source.path, 2, [textElement(tags.ImageComments, "new profile")]);
    await deliverStudy(destination, changed, systemClock, signal);
    expect((await destination.held(changed, signal)).size).toBe(2);
  });

  it("tells of both of two studies that became one, each as it comes again", async () => {
    await using folder = await temporaryFolder();
    await using destination = await createFolderDestination({ name: "research", path: join(folder.path, "out") });
    const first = await deliveryOf(folder.path, 2);
    const otherSeries = parseSeriesInstanceUid("2.25.9");
    const files = first.files.map((file, index) =>
      declareDeidentified({
        ...file,
        seriesInstanceUid: otherSeries,
        sopInstanceUid: parseSopInstanceUid(`2.25.4.${index}`),
      }),
    );
    const second = { ...first, files, report: { profile: "second" } };
    const deliver = (delivery: StudyDelivery) => deliverStudy(destination, delivery, systemClock, signal);
    await Promise.all([deliver(first), deliver(second)]);
    await deliver(first);
    const text = await readFile(join(folder.path, "out/trial/P-0001/2.25.1/radferry-report.json"), "utf8");
    expect(JSON.parse(text)).toMatchObject({
      studyInstanceUid: "2.25.1",
      studies: [
        { profile: "basic", files: [{ path: "2.25.2/2.25.3.1.dcm" }, { path: "2.25.2/2.25.3.2.dcm" }] },
        { profile: "second", receipt: { instances: 2 } },
      ],
      files: { length: 4 },
    });
  });

  it("leaves alone a file that it did not deliver, and names it", async () => {
    await using source = await temporaryFolder();
    await using target = await temporaryFolder();
    await using destination = await createFolderDestination({ name: "store", path: target.path });
    const path = join("trial", PSEUDONYM, STUDY, SERIES, "2.25.3.1.dcm");
    await mkdir(join(target.path, path, ".."), { recursive: true });
    await writeFile(join(target.path, path), "somebody else's");
    await expect(deliverStudy(destination, await deliveryOf(source.path, 2), systemClock, signal)).rejects.toThrow(
      expect.objectContaining({ code: "DELIVERY_CONFLICT", details: { destination: "store", path } }),
    );
    expect(await readFile(join(target.path, path), "utf8")).toBe("somebody else's");
    expect(await readdir(join(target.path, ".radferry", "gateway"))).toEqual([]);
  });

  it.each([
    ["ENOSPC", "DESTINATION_FULL", "transient"],
    ["EDQUOT", "DESTINATION_FULL", "transient"],
    ["EROFS", "DESTINATION_NOT_WRITABLE", "permanent"],
    ["ESTALE", "DESTINATION_UNAVAILABLE", "transient"],
  ])("whose disk says %s gives %s, %s", (systemCode, code, errorClass) => {
    const said = Object.assign(new Error(systemCode), { code: systemCode, syscall: "copyfile" });
    expect(() => rethrowDestination("store")(said)).toThrow(expect.objectContaining({ code, class: errorClass }));
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

  it("gets a study of more classes than an association has contexts for", async () => {
    await using source = await temporaryFolder();
    await using store = await startCountingStore(0);
    const address = parseDicomAddress(store.address);
    await using destination = createDimseDestination({ name: "viewer", address, callingAeTitle, logger: silentLogger });
    const delivery = await deliveryOf(source.path, 1);
    const classes = Array.from({ length: 66 }, (_, number) => `1.2.840.10008.5.1.4.1.1.${number + 1}`);
    const ofClass = async (sopClassUid: string) => {
      const named = [textElement(tags.SOPClassUID, sopClassUid)];
      const { files } = await deliveryOf(source.path, 1, named, { series: SERIES, stem: sopClassUid });
      return files.map((file) => declareDeidentified({ ...file, sopClassUid }));
    };
    const files = (await Promise.all(classes.map(ofClass))).flat();
    await deliverStudy(destination, { ...delivery, files }, systemClock, signal);
    expect([...store.timesStored.values()]).toEqual(files.map(() => 1));
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

  it("that is cut off in the middle gets only what it lacks the next time", async () => {
    await using source = await temporaryFolder();
    await using store = await startCountingStore(0);
    await using proxy = await startCuttingProxy(
      parseDicomAddress(store.address).port,
      () => store.timesStored.size >= 2,
    );
    const address = parseDicomAddress(`VIEWER@127.0.0.1:${proxy.port}`);
    await using destination = createDimseDestination({ name: "viewer", address, callingAeTitle, logger: silentLogger });
    const delivery = await deliveryOf(source.path, 4);
    await expect(deliverStudy(destination, delivery, systemClock, signal)).rejects.toThrow(
      expect.objectContaining({ code: "DELIVERY_INTERRUPTED", class: "ambiguous" }),
    );
    expect(store.timesStored.size).toBe(2);
    proxy.mend();
    await deliverStudy(destination, delivery, systemClock, signal);
    expect([...store.timesStored.values()]).toEqual([1, 1, 1, 1]);
  });

  it("gets nothing of a study that it does not take whole", async () => {
    await using source = await temporaryFolder();
    await using store = await startCountingStore(0);
    const address = parseDicomAddress(store.address);
    await using destination = createDimseDestination({ name: "viewer", address, callingAeTitle, logger: silentLogger });
    const delivery = await deliveryOf(source.path, 2);
    // A query service is nothing that a store without C-MOVE accepts.
    const files = delivery.files.map((file, index) =>
      index === 0 ? file : declareDeidentified({ ...file, sopClassUid: "1.2.840.10008.5.1.4.1.2.2.2" }),
    );
    await expect(deliverStudy(destination, { ...delivery, files }, systemClock, signal)).rejects.toThrow(
      expect.objectContaining({ code: "NO_PRESENTATION_CONTEXT" }),
    );
    expect(store.timesStored.size).toBe(0);
  });

  it("that refuses series queries is asked for the whole study at once", async () => {
    await using source = await temporaryFolder();
    const delivery = await deliveryOf(source.path, 2);
    const foreign = dataSetOf([
      textElement(tags.StudyInstanceUID, "2.25.99"),
      textElement(tags.SOPInstanceUID, "2.25.3.2"),
    ]);
    await using server = await startDimseServer({
      host: "127.0.0.1",
      port: 0,
      aeTitle: parseAeTitle("NOSERIES"),
      handlers: {
        async *find(identifier) {
          if (uidOf(identifier, tags.QueryRetrieveLevel) === "SERIES") throw new GatewayError("DIMSE_FAILED");
          yield dataSetOf([textElement(tags.StudyInstanceUID, STUDY), textElement(tags.SOPInstanceUID, "2.25.3.1")]);
          yield foreign;
        },
      },
    });
    const address = parseDicomAddress(`NOSERIES@127.0.0.1:${server.port}`);
    await using destination = createDimseDestination({ name: "viewer", address, callingAeTitle, logger: silentLogger });
    expect(await destination.held(delivery, signal)).toEqual(new Set(["2.25.3.1"]));
  });

  it.each([0x0000, 0x0107, 0x0111, 0xb000, 0xb006, 0xb007])("that answers %i has stored the object", (status) => {
    expect(() => checkStoreStatus(status, "viewer")).not.toThrow();
  });

  it.each([
    [0x0213, "DELIVERY_REFUSED_FOR_NOW"],
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
