import { createHash } from "node:crypto";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startDcmqrscp, startStorescp } from "../../../test/peers/dcmtk.ts";
import { startOrthanc } from "../../../test/peers/orthanc.ts";
import { runProgram } from "../../../test/peers/process.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { PSEUDONYM } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseAeTitle, parseDicomAddress } from "../../dicom/ae-title.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { type DeidentifiedFile, declareDeidentified } from "../../staging/deidentified-file.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { silentLogger } from "../../units/logger.ts";
import type { StudyDelivery, TranscodedInstance } from "../destination.ts";
import { deliverStudy } from "../receipts.ts";
import { createDimseDestination } from "./dimse-destination.ts";

const signal = neverAborted();
const RLE = "1.2.840.10008.1.2.5";
const IMAGES = syntheticStudy({ seed: 901, modality: "CT", instancesPerSeries: 2, rows: 33, columns: 47 });
const hasPeers = requirePeer("dcmdrle") && requirePeer("dcmqrscp") && requirePeer("storescp");

/** The images as they come out of de-identification, compressed by the program where there is one. */
async function deliveryOf(folder: string, encoder?: readonly [string, ...string[]]): Promise<StudyDelivery> {
  const files: DeidentifiedFile[] = [];
  for (const instance of IMAGES.instances) {
    const [plain, path] = [join(folder, `${instance.sopInstanceUid}.plain`), join(folder, instance.sopInstanceUid)];
    await writeFile(encoder === undefined ? path : plain, instance.file);
    if (encoder !== undefined) await runProgram(encoder[0], [...encoder.slice(1), plain, path], folder);
    await using file = await readPart10File(path);
    files.push(
      declareDeidentified({
        pseudonym: PSEUDONYM,
        studyInstanceUid: parseStudyInstanceUid(instance.studyInstanceUid),
        seriesInstanceUid: parseSeriesInstanceUid(instance.seriesInstanceUid),
        sopInstanceUid: parseSopInstanceUid(instance.sopInstanceUid),
        sopClassUid: instance.sopClassUid,
        transferSyntaxUid: file.transferSyntaxUid,
        path,
        sizeBytes: (await stat(path)).size,
        sha256: "",
      }),
    );
  }
  const studyInstanceUid = parseStudyInstanceUid(IMAGES.studyInstanceUid);
  return { project: "trial", pseudonym: PSEUDONYM, studyInstanceUid, files, report: {} };
}

function destinationAt(aeTitle: string, port: number) {
  return createDimseDestination({
    name: "store",
    address: parseDicomAddress(`${aeTitle}@127.0.0.1:${port}`),
    callingAeTitle: parseAeTitle("RADFERRY"),
    logger: silentLogger,
  });
}

/** Pixel data of a file, native. */
async function pixelsAt(path: string): Promise<Buffer> {
  await using file = await readPart10File(path);
  expect(file.transferSyntaxUid).toBe(EXPLICIT_VR_LITTLE_ENDIAN);
  const value = file.dataSet.get(tags.PixelData)?.value;
  if (value?.kind !== "range") throw new Error("no native pixels");
  return Buffer.from(await file.source.read(value.range.offset, value.range.length));
}

/** A folder per server and one for the delivery. */
async function foldersIn(folder: string) {
  const [held, outbox] = [join(folder, "held"), join(folder, "outbox")];
  for (const path of [held, outbox]) await mkdir(path);
  return { held, outbox };
}

describe.skipIf(!hasPeers)("a store that takes uncompressed objects alone", () => {
  it.each([
    ["RLE", ["dcmcrle"]],
    ["JPEG", ["dcmcjpeg", "+e1"]],
    ["deflated", ["dcmconv", "+td"]],
  ] as const)("gets the pixels of %s as they are, and the receipt has the sums of what it got", async (_, encoder) => {
    await using folder = await temporaryFolder();
    const { held, outbox } = await foldersIn(folder.path);
    await using server = await startStorescp({ aeTitle: "STORE", storageDir: held, args: ["+x="] });
    await using destination = destinationAt(server.aeTitle, server.port);
    const delivery = await deliveryOf(outbox, encoder);
    const noted: TranscodedInstance[] = [];
    await destination.send(delivery, delivery.files, signal, async (instances) => {
      expect(await readdir(held)).toEqual([]);
      noted.push(...instances);
    });
    const names = (await readdir(held)).sort();
    expect(names).toHaveLength(2);
    for (const [index, name] of names.entries()) {
      expect(await pixelsAt(join(held, name))).toEqual(await plainPixels(outbox, index));
      await using file = await readPart10File(join(held, name));
      const bytes = await file.file.read(file.dataSetOffset, file.file.sizeBytes - file.dataSetOffset);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      expect(noted).toContainEqual(expect.objectContaining({ sha256, sizeBytes: bytes.length }));
    }
    expect(noted.map(({ transferSyntaxUid }) => transferSyntaxUid)).toEqual([
      EXPLICIT_VR_LITTLE_ENDIAN,
      EXPLICIT_VR_LITTLE_ENDIAN,
    ]);
  });

  async function plainPixels(outbox: string, index: number): Promise<Buffer> {
    return await pixelsAt(join(outbox, `${IMAGES.instances[index]?.sopInstanceUid}.plain`));
  }

  it("is asked what it holds as ever, and gets nothing twice", async () => {
    await using folder = await temporaryFolder();
    const { held, outbox } = await foldersIn(folder.path);
    await using server = await startDcmqrscp({ aeTitle: "QR", storageDir: held });
    await using destination = destinationAt(server.aeTitle, server.port);
    const delivery = await deliveryOf(outbox, ["dcmcrle"]);
    const receipt = await deliverStudy(destination, delivery, systemClock, signal);
    expect(receipt.transcoded?.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(
      delivery.files.map(({ sopInstanceUid }) => sopInstanceUid),
    );
    const again = await deliverStudy(destination, delivery, systemClock, signal);
    expect(again).toMatchObject({ instances: 2, proof: "uids" });
    expect(again.transcoded).toBeUndefined();
  });

  it.each([
    ["with loss", ["dcmcjpeg", "+eb"], "TRANSCODING_LOSSY"],
    ["by what is not decoded here", ["dcmcjpls"], "TRANSCODING_UNSUPPORTED"],
  ] as const)("is sent nothing of a study that is compressed %s", async (_, encoder, code) => {
    await using folder = await temporaryFolder();
    const { held, outbox } = await foldersIn(folder.path);
    await using server = await startStorescp({ aeTitle: "STORE", storageDir: held, args: ["+x="] });
    await using destination = destinationAt(server.aeTitle, server.port);
    const delivery = await deliveryOf(outbox, encoder);
    const sending = destination.send(delivery, delivery.files, signal);
    await expect(sending).rejects.toMatchObject({ code, class: "permanent" });
    expect(await readdir(held)).toEqual([]);
  });

  it("is sent nothing of a study of which one instance cannot be decoded", async () => {
    await using folder = await temporaryFolder();
    const { held, outbox } = await foldersIn(folder.path);
    await using server = await startStorescp({ aeTitle: "STORE", storageDir: held, args: ["+x="] });
    await using destination = destinationAt(server.aeTitle, server.port);
    const delivery = await deliveryOf(outbox, ["dcmcrle"]);
    const path = delivery.files.at(-1)?.path ?? "";
    await using file = await readPart10File(path);
    const value = file.dataSet.get(tags.PixelData)?.value;
    const frame = value?.kind === "fragments" ? value.fragments[1] : undefined;
    const bytes = Buffer.from(await file.file.read(0, file.file.sizeBytes));
    // PS3.5 G.5: the number of segments.
    bytes.writeUInt32LE(9, frame?.offset ?? 0);
    await writeFile(path, bytes);
    const sending = destination.send(delivery, delivery.files, signal);
    await expect(sending).rejects.toMatchObject({ code: "TRANSCODING_DAMAGED" });
    expect(await readdir(held)).toEqual([]);
  });
});

describe.skipIf(!hasPeers)("a store that takes the transfer syntax", () => {
  it("gets the bytes as they are", async () => {
    await using folder = await temporaryFolder();
    const { held, outbox } = await foldersIn(folder.path);
    await using server = await startStorescp({ aeTitle: "STORE", storageDir: held });
    await using destination = destinationAt(server.aeTitle, server.port);
    const delivery = await deliveryOf(outbox, ["dcmcrle"]);
    await destination.send(delivery, delivery.files, signal, () => Promise.reject(new Error("transcoded")));
    for (const name of await readdir(held)) {
      await using file = await readPart10File(join(held, name));
      expect(file.transferSyntaxUid).toBe(RLE);
    }
    expect.assertions(2);
  });
});

describe.skipIf(!(hasPeers && requirePeer("Orthanc")))("an Orthanc that takes uncompressed objects alone", () => {
  it("holds the pixels as they are, confirmed by its list", async () => {
    await using folder = await temporaryFolder();
    const { outbox } = await foldersIn(folder.path);
    const configuration = { AcceptedTransferSyntaxes: [EXPLICIT_VR_LITTLE_ENDIAN] };
    await using orthanc = await startOrthanc({ aeTitle: "ORTHANC", configuration });
    await using destination = destinationAt("ORTHANC", orthanc.port);
    const delivery = await deliveryOf(outbox, ["dcmcjpeg", "+e1"]);
    expect((await deliverStudy(destination, delivery, systemClock, signal)).transcoded).toHaveLength(2);
    const list = await (await fetch(`http://127.0.0.1:${orthanc.httpPort}/instances`)).text();
    const ids: readonly string[] = JSON.parse(list);
    const pixels = new Set<string>();
    for (const id of ids) {
      const path = join(folder.path, "fetched");
      const answer = await fetch(`http://127.0.0.1:${orthanc.httpPort}/instances/${id}/file`);
      await writeFile(path, Buffer.from(await answer.arrayBuffer()));
      pixels.add((await pixelsAt(path)).toString("base64"));
    }
    const plain = await Promise.all(
      IMAGES.instances.map(({ sopInstanceUid }) => pixelsAt(join(outbox, `${sopInstanceUid}.plain`))),
    );
    expect(pixels).toEqual(new Set(plain.map((bytes) => bytes.toString("base64"))));
  });
});
