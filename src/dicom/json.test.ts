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
  ])("keeps what JSON numbers cannot say: %s %s", (vr, bytes, value) => {
    expect(toDicomJson(dataSetOf([hex(ANY, vr, bytes)]))).toEqual({ "00191001": { vr, Value: value } });
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
