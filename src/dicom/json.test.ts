import { describe, expect, it } from "vitest";
import type { ByteRange, DataElement } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "./dictionary/transfer-syntaxes.ts";
import { dumpDocument, dumpLines } from "./dump.ts";
import { toDicomJson } from "./json.ts";
import { bytesSource, readPart10 } from "./reader.ts";
import { type Tag, tagOf } from "./tag.ts";
import { dataSetOf, element, sequenceElement, textElement } from "./values.ts";
import type { Vr } from "./vr.ts";
import { encodeDataSet, encodeFileMeta } from "./writer.ts";

const hex = (tag: Tag, vr: Vr, bytes: string): DataElement => element(tag, vr, Buffer.from(bytes, "hex"));
const ANY = tagOf(0x00191001);

describe("the DICOM JSON model", () => {
  it("has names in groups, numbers as numbers, items as objects; no group lengths", () => {
    const dataSet = dataSetOf([
      hex(tagOf(0x00080000), "UL", "04000000"),
      textElement(tags.PatientName, "Yamada^Tarou=山田^太郎=やまだ^たろう"),
      textElement(tags.OtherPatientIDs, "1\\\\3"),
      textElement(tags.PixelSpacing, "0.5\\0.25"),
      hex(tags.Rows, "US", "0002"),
      textElement(tags.PatientComments, ""),
      sequenceElement(tags.RequestAttributesSequence, [dataSetOf([textElement(tags.StudyID, "7")]), new Map()]),
    ]);
    expect(toDicomJson(dataSet)).toEqual({
      "00080005": { vr: "CS", Value: ["ISO_IR 192"] },
      "00100010": {
        vr: "PN",
        Value: [{ Alphabetic: "Yamada^Tarou", Ideographic: "山田^太郎", Phonetic: "やまだ^たろう" }],
      },
      "00101000": { vr: "LO", Value: ["1", null, "3"] },
      "00104000": { vr: "LT" },
      "00280010": { vr: "US", Value: [512] },
      "00280030": { vr: "DS", Value: [0.5, 0.25] },
      "00400275": { vr: "SQ", Value: [{ "00200010": { vr: "SH", Value: ["7"] } }, {}] },
    });
  });

  it.each<[Vr, string, readonly unknown[]]>([
    ["AT", "10002000", ["00100020"]],
    ["FD", "000000000000f87f", ["NaN"]],
    ["FL", "000080ff", ["-Infinity"]],
    ["UV", "ffffffffffffffff", ["18446744073709551615"]],
    ["SV", "feffffffffffffff", [-2]],
    ["DS", "6e6f", ["no"]],
    ["DS", "30783130", ["0x10"]],
    ["DS", "496e66696e697479", ["Infinity"]],
    ["DS", "312e3530", [1.5]],
    ["DS", "302e33303030303030303030303030303034", ["0.3000000000000004"]],
    ["IS", "2b30372020", [7]],
    ["IS", "312e35", ["1.5"]],
    ["IS", "3132333435363738393031323334353637383930", ["12345678901234567890"]],
  ])("keeps what JSON numbers cannot say: %s %s", (vr, bytes, value) => {
    expect(toDicomJson(dataSetOf([hex(ANY, vr, bytes)]))).toEqual({ "00191001": { vr, Value: value } });
  });

  it.each<[Vr, string]>([
    ["LO", "20202020"],
    ["PN", "2020"],
    ["DS", "2000"],
    ["LT", "0000"],
  ])("has no value where there is only padding: %s", (vr, bytes) => {
    expect(toDicomJson(dataSetOf([hex(ANY, vr, bytes)]))).toEqual({ "00191001": { vr } });
  });

  it.each<[Vr, string]>([
    ["US", "010002"],
    ["FD", "00000000"],
    ["AT", "100020"],
    ["UV", "01"],
  ])("has bytes where there is no whole number of values, so that none is lost: %s %s", (vr, bytes) => {
    const InlineBinary = Buffer.from(bytes, "hex").toString("base64");
    expect(toDicomJson(dataSetOf([hex(ANY, vr, bytes)]))).toEqual({ "00191001": { vr, InlineBinary } });
  });

  it("has attributes in the order of tags, in whatever order the file has them", () => {
    const unsorted = [tags.PatientID, tags.Modality, tags.PatientName].map((tag) => textElement(tag, "A"));
    const json = toDicomJson(new Map(unsorted.map((one) => [one.tag, one])));
    expect(Object.keys(json)).toEqual(["00080060", "00100010", "00100020"]);
  });

  it("reads little endian inside UN, whatever the file has", () => {
    const item = dataSetOf([hex(tags.Rows, "US", "0200")]);
    const unknown: DataElement = {
      tag: ANY,
      vr: "UN",
      undefinedLength: true,
      value: { kind: "sequence", items: [{ dataSet: item, undefinedLength: true }] },
    };
    const dataSet = dataSetOf([unknown, hex(tags.Columns, "US", "0003")]);
    expect(toDicomJson(dataSet, { littleEndian: false })).toEqual({
      "00191001": { vr: "SQ", Value: [{ "00280010": { vr: "US", Value: [2] } }] },
      "00280011": { vr: "US", Value: [3] },
    });
    expect([...dumpLines(dataSet, false)].map((line) => line.split(" # ")[0])).toEqual([
      "(0019,1001) UN (1 items)",
      "  (0028,0010) US 2",
      "(0028,0011) US 3",
    ]);
  });

  it("has binary values in little endian, whatever the file has", () => {
    const dataSet = dataSetOf([hex(ANY, "OW", "00010002"), hex(tagOf(0x00191002), "OB", "0001")]);
    expect(toDicomJson(dataSet, { littleEndian: false })).toEqual({
      "00191001": { vr: "OW", InlineBinary: Buffer.from("01000200", "hex").toString("base64") },
      "00191002": { vr: "OB", InlineBinary: Buffer.from("0001", "hex").toString("base64") },
    });
  });

  it("names bulk by offset and length, fragments with their headers", () => {
    const fragments = [
      { offset: 108, length: 0 },
      { offset: 116, length: 10 },
    ];
    const pixels: DataElement = {
      tag: tags.PixelData,
      vr: "OB",
      undefinedLength: true,
      value: { kind: "fragments", fragments },
    };
    const bulkData = ({ offset, length }: ByteRange): string => `a.dcm#${offset},${length}`;
    expect(toDicomJson(dataSetOf([pixels]), { bulkData })).toEqual({
      "7FE00010": { vr: "OB", BulkDataURI: "a.dcm#100,26" },
    });
  });
});

describe("the listing of a file", () => {
  const file = Buffer.concat([
    encodeFileMeta({
      sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
      sopInstanceUid: "1.2.3",
      transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    }),
    encodeDataSet(
      dataSetOf([
        textElement(tags.PatientName, "Doe^John\u001b[2J"),
        hex(tags.Rows, "US", "0002"),
        sequenceElement(tags.RequestAttributesSequence, [
          dataSetOf([textElement(tags.StudyID, "7")]),
          dataSetOf([textElement(tags.StudyID, "8")]),
        ]),
      ]),
      EXPLICIT_VR_LITTLE_ENDIAN,
    ),
  ]);

  it("has an element a line, items indented and in order, nothing that moves the terminal's cursor", async () => {
    const { dataSet } = await readPart10(bytesSource(file));
    expect([...dumpLines(dataSet)]).toEqual([
      "(0010,0010) PN [Doe^John.[2J] # 12 PatientName",
      "(0028,0010) US 512 # 2 Rows",
      "(0040,0275) SQ (2 items) # sequence RequestAttributesSequence",
      "  (0020,0010) SH [7] # 2 StudyID",
      "  (0020,0010) SH [8] # 2 StudyID",
    ]);
  });

  it("is a document with meta, data set and findings", async () => {
    const document = dumpDocument("a.dcm", await readPart10(bytesSource(file.subarray(0, -1)), { tolerant: true }));
    expect(document).toMatchObject({
      file: "a.dcm",
      transferSyntax: EXPLICIT_VR_LITTLE_ENDIAN,
      meta: { "00020003": { vr: "UI", Value: ["1.2.3"] } },
      dataset: { "00280010": { vr: "US", Value: [512] } },
      findings: [
        { code: "DICOM_TRUNCATED" },
        { code: "TEXT_UNDECODABLE", message: expect.stringContaining("(0010,0010)") },
      ],
    });
  });
});
