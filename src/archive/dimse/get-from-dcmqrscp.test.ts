import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDcmqrscp } from "../../../test/peers/dcmtk.ts";
import { memoryStore } from "../../../test/peers/memory-archive.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { sampleCt } from "../../../test/peers/sample-objects.ts";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import { storageSopClasses } from "../../dicom/dictionary/sop-classes.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { textElement } from "../../dicom/values.ts";
import { encodeDataSet } from "../../dicom/writer.ts";
import { openAssociation } from "../../network/dimse/association.ts";
import { storageContextGroups } from "../../network/dimse/get-contexts.ts";
import type { OutgoingInstance, ProposedContext } from "../../network/dimse/service-types.ts";
import { storageContextsFor } from "../../network/dimse/storage-contexts.ts";
import { systemClock } from "../../units/clock.ts";
import { silentLogger } from "../../units/logger.ts";
import { createExpectations } from "../expectations.ts";
import { createDimseArchive } from "./dimse-archive.ts";

/** What the study is said to hold: two contexts for each, and no more than a few others fit one association. */
const sopClassUids = Object.values(storageSopClasses).slice(0, 60);
const JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70";
const callingAeTitle = parseAeTitle("RADFERRY");
const archiveTitle = parseAeTitle("ARCHIVE");
const signal = new AbortController().signal;

/** Pixel Data (7FE0,0010) OB of undefined length: an empty offset table, one fragment, the delimiter. PS3.5 A.4. */
const ENCAPSULATED_PIXELS = Buffer.concat([
  Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff]),
  Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0x00, 0x00, 0x00, 0x00]),
  Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0x04, 0x00, 0x00, 0x00, 0xff, 0xd8, 0xff, 0xd9]),
  Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0x00, 0x00, 0x00, 0x00]),
]);

interface Held extends OutgoingInstance {
  readonly bytes: Uint8Array;
}

/** A plain object of the first class; compressed ones of the last image class, whose context is in the second association. */
function heldObjects(): readonly Held[] {
  const plain = sampleCt(1, 1, 1);
  const bytes = encodeDataSet(plain.dataSet, EXPLICIT_VR_LITTLE_ENDIAN);
  return [
    outgoing(plain.sopInstanceUid, plain.sopClassUid, EXPLICIT_VR_LITTLE_ENDIAN, bytes),
    ...[2, 3].map((number) => {
      const sopClassUid = storageSopClasses.NuclearMedicineImageStorage;
      const { dataSet, sopInstanceUid } = sampleCt(1, 2, number);
      const elements = [...dataSet].filter(([tag]) => tag !== tags.PixelData);
      const header = new Map([...elements, [tags.SOPClassUID, textElement(tags.SOPClassUID, sopClassUid, "UI")]]);
      const compressed = Buffer.concat([encodeDataSet(header, EXPLICIT_VR_LITTLE_ENDIAN), ENCAPSULATED_PIXELS]);
      return outgoing(sopInstanceUid, sopClassUid, JPEG_LOSSLESS, compressed);
    }),
  ];
}

function outgoing(sopInstanceUid: string, sopClassUid: string, transferSyntaxUid: string, bytes: Uint8Array): Held {
  return {
    sopInstanceUid,
    sopClassUid,
    transferSyntaxUid,
    bytes,
    async *open() {
      yield bytes;
    },
  };
}

const running = new AsyncDisposableStack();
let port = 0;
const objects = heldObjects();

describe.skipIf(!requirePeer("dcmqrscp"))(
  "a study that needs more than 128 contexts, at dcmqrscp, which does not decompress",
  () => {
    beforeAll(async () => {
      const storageDir = await mkdtemp(join(tmpdir(), "radferry-get-"));
      running.defer(() => rm(storageDir, { recursive: true, force: true }));
      const peer = running.use(await startDcmqrscp({ aeTitle: archiveTitle, storageDir, storageContexts: objects }));
      port = peer.port;
      const [contexts = []] = storageContextsFor(objects);
      const address = { aeTitle: archiveTitle, host: "127.0.0.1", port };
      await using association = await openAssociation({ address, callingAeTitle, contexts });
      for (const object of objects) expect(await association.store(object)).toEqual({ status: 0x0000 });
    });
    afterAll(() => running.disposeAsync());

    it.each([
      ["as a whole", {}],
      [
        "instance by instance",
        {
          instances: objects.map(({ sopInstanceUid, sopClassUid }) => ({
            seriesInstanceUid: parseSeriesInstanceUid(sopInstanceUid.replace(/\.\d+$/, "")),
            sopInstanceUid: parseSopInstanceUid(sopInstanceUid),
            sopClassUid,
          })),
        },
      ],
    ])("comes whole over several associations, %s, byte by byte", async (_, request) => {
      const [first = [], ...others] = storageContextGroups(sopClassUids);
      const isCompressed = ({ abstractSyntaxUid, transferSyntaxUids }: ProposedContext): boolean =>
        abstractSyntaxUid === storageSopClasses.NuclearMedicineImageStorage &&
        transferSyntaxUids.includes(JPEG_LOSSLESS);
      expect([first.some(isCompressed), others.flat().some(isCompressed)]).toEqual([false, true]);

      const { received, handler } = memoryStore();
      const archive = createDimseArchive({
        name: "dcmqrscp",
        address: { aeTitle: archiveTitle, host: "127.0.0.1", port },
        retrieve: "get",
        associations: 1,
        callingAeTitle,
        expectations: createExpectations(systemClock),
        store: handler,
        quietMs: 100,
        silenceMs: 60_000,
        clock: systemClock,
        logger: silentLogger,
      });
      const studyInstanceUid = parseStudyInstanceUid(sampleCt(1, 1, 1).studyInstanceUid);
      const outcome = await archive.retrieve({ studyInstanceUid, sopClassUids, ...request }, signal);
      expect(outcome).toEqual({ status: 0x0000, completed: 3, failed: 0 });
      for (const { sopInstanceUid, bytes } of objects) {
        expect(received.get(sopInstanceUid)?.equals(Buffer.from(bytes))).toBe(true);
      }
    });
  },
);
