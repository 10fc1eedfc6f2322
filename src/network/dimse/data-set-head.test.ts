import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { corpusObjects, findCorpus } from "../../../test/peers/corpus.ts";
import { sampleCt } from "../../../test/peers/sample-objects.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from "../../dicom/dictionary/transfer-syntaxes.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, sequenceElement, textElement } from "../../dicom/values.ts";
import { encodeDataSet } from "../../dicom/writer.ts";
import { type AnnouncedObject, DataSetHead } from "./data-set-head.ts";
import { outgoingFromFile } from "./outgoing-file.ts";

const { sopClassUid, sopInstanceUid, dataSet } = sampleCt(1, 1, 1);

/** What is said of a data set that comes in pieces. */
function verdictOf(announced: Partial<AnnouncedObject>, pieces: readonly Uint8Array[]): string | undefined {
  const head = new DataSetHead({
    sopClassUid,
    sopInstanceUid,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    ...announced,
  });
  for (const piece of pieces) {
    const violation = head.add(piece);
    if (violation !== undefined) return violation;
  }
  return head.end();
}

const plainSyntaxes = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN];
const syntaxes = [...plainSyntaxes, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN];

function encoded(syntax: string): Uint8Array {
  return syntax === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
    ? deflateRawSync(encodeDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN))
    : encodeDataSet(dataSet, syntax);
}

describe.each(syntaxes)("a data set in %s", (transferSyntaxUid) => {
  const bytes = encoded(transferSyntaxUid);

  it("is the object that was announced", () => {
    expect(verdictOf({ transferSyntaxUid }, [bytes])).toBeUndefined();
  });

  it.each([
    ["instance", { sopInstanceUid: `${sopInstanceUid}.1` }, "INSTANCE_UID_DIFFERS"],
    ["class", { sopClassUid: `${sopClassUid}.1` }, "SOP_CLASS_DIFFERS"],
  ])("is of another %s, however it is cut", (_, announced, violation) => {
    expect(verdictOf({ transferSyntaxUid, ...announced }, [bytes])).toBe(violation);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 20 }), (sizes) => {
        const pieces: Uint8Array[] = [];
        let offset = 0;
        for (const size of [...sizes, bytes.length]) {
          pieces.push(bytes.subarray(offset, offset + size));
          offset += size;
        }
        expect(verdictOf({ transferSyntaxUid, ...announced }, pieces)).toBe(violation);
        expect(verdictOf({ transferSyntaxUid }, pieces)).toBeUndefined();
      }),
      { numRuns: 50, seed: 1 },
    );
  });
});

it("finds the UIDs behind a sequence with UIDs of its own, of undefined length", () => {
  const other = dataSetOf([
    textElement(tags.SOPClassUID, "1.2.3", "UI"),
    textElement(tags.SOPInstanceUID, "1.2.4", "UI"),
  ]);
  const nested = dataSetOf([sequenceElement(tagOf(0x0008_0006), [other]), ...dataSet.values()]);
  for (const transferSyntaxUid of plainSyntaxes) {
    const bytes = encodeDataSet(nested, transferSyntaxUid);
    expect(verdictOf({ transferSyntaxUid }, [bytes])).toBeUndefined();
    expect(verdictOf({ transferSyntaxUid, sopInstanceUid: "1.2.4" }, [bytes])).toBe("INSTANCE_UID_DIFFERS");
  }
  // Language Code Sequence (0008,0006), SQ, undefined length; an item of undefined length; its SOP Instance UID; both delimiters.
  const undefinedLength = Buffer.concat([
    Buffer.from([0x08, 0x00, 0x06, 0x00, 0x53, 0x51, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0x08, 0x00, 0x18, 0x00, 0x55, 0x49, 0x04, 0x00, 0x31, 0x2e, 0x32, 0x00]),
    Buffer.from([0xfe, 0xff, 0x0d, 0xe0, 0x00, 0x00, 0x00, 0x00]),
    Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0x00, 0x00, 0x00, 0x00]),
    encodeDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN),
  ]);
  expect(verdictOf({}, [undefinedLength])).toBeUndefined();
  expect(verdictOf({ sopInstanceUid: "1.2" }, [undefinedLength])).toBe("INSTANCE_UID_DIFFERS");
});

describe("a data set that tells nothing", () => {
  it.each([
    ["is empty", Buffer.alloc(0)],
    ["is garbage", Buffer.alloc(1000, 0x5a)],
    ["is zeros", Buffer.alloc(1000)],
    ["has neither UID", encodeDataSet(dataSetOf([textElement(tags.PatientID, "1")]), EXPLICIT_VR_LITTLE_ENDIAN)],
  ])("differs in nothing: it %s", (_, bytes) => {
    for (const transferSyntaxUid of syntaxes) expect(verdictOf({ transferSyntaxUid }, [bytes])).toBeUndefined();
  });

  it("is given up after 64 KiB", () => {
    const head = new DataSetHead({ sopClassUid, sopInstanceUid, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN });
    // Group 0002 goes on for ever: (0002,0000) UL of 4 bytes.
    const element = Buffer.from([0x02, 0x00, 0x00, 0x00, 0x55, 0x4c, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00]);
    let pieces = 0;
    while (!head.isDecided && pieces < 100_000) {
      head.add(element);
      pieces += 1;
    }
    expect(pieces * element.length).toBeLessThan(2 * 64 * 1024 + 100);
  });

  it("is not inflated far: 4 MB of zeros in a few KB, then the UIDs", () => {
    const bomb = deflateRawSync(Buffer.alloc(16 * 1024 * 1024));
    expect(verdictOf({ transferSyntaxUid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN }, [bomb])).toBeUndefined();
  });
});

const corpus = findCorpus();

it.skipIf(corpus === undefined)("knows every real object for what it is, and for what it is not", async () => {
  const wrong: (string | undefined)[] = [];
  for (const { path } of await corpusObjects(corpus ?? "")) {
    const { open: read, ...announced } = await outgoingFromFile(path);
    const [first = new Uint8Array(0)] = await Array.fromAsync(read());
    const verdicts = [{}, { sopInstanceUid: "1.2.3.99" }, { sopClassUid: "1.2.3.99" }].map((lie) =>
      verdictOf({ ...announced, ...lie }, [first]),
    );
    if (verdicts.join() !== ",INSTANCE_UID_DIFFERS,SOP_CLASS_DIFFERS") wrong.push(`${path}: ${verdicts.join()}`);
  }
  expect(wrong).toEqual([]);
});

it("is looked at once more at its end, where nothing came that would have had it looked at before", () => {
  const bytes = encodeDataSet(
    dataSetOf([
      textElement(tags.SOPClassUID, sopClassUid, "UI"),
      textElement(tags.SOPInstanceUID, `${sopInstanceUid}.1`, "UI"),
    ]),
    EXPLICIT_VR_LITTLE_ENDIAN,
  );
  const cut = bytes.length - 2;
  expect(verdictOf({}, [bytes.subarray(0, cut), bytes.subarray(cut)])).toBe("INSTANCE_UID_DIFFERS");
});
