import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import type { DataElement, DataSet, ElementValue } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import { type JsonDataSet, toDicomJson } from "./json.ts";
import { formatDicomJson } from "./json-format.ts";
import { fromDicomJson } from "./json-read.ts";
import { type Tag, tagOf } from "./tag.ts";
import { characterSetOf, dataSetOf, element, itemsOf, textElement, textOf } from "./values.ts";
import type { Vr } from "./vr.ts";

const ANY = tagOf(0x00191001);

/** What is thrown, as code and details. */
function refusal(json: unknown): unknown {
  try {
    return fromDicomJson(json);
  } catch (thrown) {
    return thrown instanceof GatewayError ? { code: thrown.code, ...thrown.details } : thrown;
  }
}

describe("a value of DICOM JSON", () => {
  it.each<[Vr, readonly unknown[], string]>([
    ["US", [1, 65_535], "0100ffff"],
    ["SS", [-1], "ffff"],
    ["UL", [4_294_967_295], "ffffffff"],
    ["SL", [-2], "feffffff"],
    ["FL", [1.5, "-Infinity"], "0000c03f000080ff"],
    ["FD", ["NaN", "inf"], "000000000000f87f000000000000f07f"],
    ["UV", ["18446744073709551615", 1], "ffffffffffffffff0100000000000000"],
    ["SV", ["-9223372036854775808"], "0000000000000080"],
    ["AT", ["00100020", "7FE00010"], "10002000e07f1000"],
    ["IS", [7, "007"], Buffer.from("7\\007 ").toString("hex")],
    ["DS", [0.5, "1.50", 1e-7, null], Buffer.from("0.5\\1.50\\1e-7\\").toString("hex")],
    ["LO", ["a", null, "b"], Buffer.from("a\\\\b").toString("hex")],
    ["LT", ["a\\b"], Buffer.from("a\\b ").toString("hex")],
    ["UI", ["1.2"], Buffer.from("1.2\0").toString("hex")],
    ["PN", [{ Alphabetic: "A^B", Phonetic: "C" }, null, "D"], Buffer.from("A^B==C\\\\D ").toString("hex")],
    ["CS", [], ""],
    ["CS", [null], ""],
    ["US", [null], ""],
  ])("is read: %s %j", (vr, value, bytes) => {
    const read = fromDicomJson({ "00191001": { vr, Value: value } });
    expect(plain(read)).toEqual([{ tag: ANY, vr, bytes }]);
  });

  it("is rounded where DS has too few characters for it", () => {
    const texts = [0.1 + 0.2, -1 / 3, 1.234567891234e-6, -1.23456789012345e-300].map((number) =>
      textOf(fromDicomJson({ "00280030": { vr: "DS", Value: [number] } }), tags.PixelSpacing),
    );
    expect(texts).toEqual(["0.3", "-0.3333333333333", "1.23456789123e-6", "-1.23456789e-300"]);
  });

  it("is binary in little endian, or bulk that somebody finds", () => {
    const ranges = new Map<string, ElementValue>([["#8,4", { kind: "range", range: { offset: 8, length: 4 } }]]);
    const json = {
      "00191001": { vr: "OW", InlineBinary: "AQID" },
      "7FE00010": { vr: "OW", BulkDataURI: "#8,4" },
    };
    const read = fromDicomJson(json, { resolveBulkData: (uri) => ranges.get(uri) });
    expect(read.get(ANY)?.value).toEqual({ kind: "bytes", bytes: Buffer.of(1, 2, 3) });
    expect(read.get(tags.PixelData)).toEqual({
      tag: tags.PixelData,
      vr: "OW",
      undefinedLength: false,
      value: { kind: "range", range: { offset: 8, length: 4 } },
    });
  });
});

describe("texts of DICOM JSON", () => {
  const withName = (characterSet: readonly string[] | undefined, name: string): unknown => ({
    ...(characterSet === undefined ? {} : { "00080005": { vr: "CS", Value: characterSet } }),
    "00100010": { vr: "PN", Value: [{ Alphabetic: name }] },
  });

  it.each<[readonly string[] | undefined, string, string | undefined, string]>([
    [undefined, "Doe", undefined, "446f6520"],
    [undefined, "é", "ISO_IR 192", "c3a9"],
    [["ISO_IR 100"], "é", "ISO_IR 100", "e920"],
    [["ISO_IR 100"], "王", "ISO_IR 192", "e78e8b20"],
    [["GB18030"], "王", "ISO_IR 192", "e78e8b20"],
    [["ISO 2022 IR 6", "ISO 2022 IR 87"], "Yamada", "ISO 2022 IR 6\\ISO 2022 IR 87", "59616d616461"],
  ])("keep the character set that can say them, or get UTF-8: %j %s", (characterSet, name, declared, bytes) => {
    const read = fromDicomJson(withName(characterSet, name));
    expect([...read.keys()]).toEqual([
      ...(declared === undefined ? [] : [tags.SpecificCharacterSet]),
      tags.PatientName,
    ]);
    expect(characterSetOf(read)).toBe(declared);
    expect(plain(read).at(-1)).toEqual({ tag: tags.PatientName, vr: "PN", bytes });
  });

  it("in items follow the set of what holds them, and may have one of their own", () => {
    const read = fromDicomJson({
      "00080005": { vr: "CS", Value: ["ISO_IR 100"] },
      "00400275": { vr: "SQ", Value: [withName(undefined, "é"), withName(undefined, "王"), {}, null] },
    });
    const items = itemsOf(read, tags.RequestAttributesSequence).map(({ dataSet }) => dataSet);
    expect(items.map((item) => textOf(item, tags.SpecificCharacterSet))).toEqual([
      undefined,
      "ISO_IR 192",
      undefined,
      undefined,
    ]);
    expect(items.slice(2)).toEqual([new Map(), new Map()]);
    expect(toDicomJson(read)["00400275"]?.Value?.slice(0, 1)).toEqual([withName(undefined, "é")]);
  });
});

describe("what is no DICOM JSON", () => {
  const attribute = (json: unknown): unknown => ({ "00191001": json });

  it.each<[unknown, string, string?]>([
    [null, ""],
    [[], ""],
    ["{}", ""],
    [{ PatientName: { vr: "PN" } }, ""],
    [{ FFFEE000: { vr: "UN" } }, "/FFFEE000"],
    [{ "0010001a": { vr: "LO" }, "0010001A": { vr: "LO" } }, "/0010001A"],
    [attribute(null), "/00191001"],
    [attribute([]), "/00191001"],
    [attribute({}), "/00191001/vr"],
    [attribute({ vr: "XX" }), "/00191001/vr"],
    [attribute({ vr: 7 }), "/00191001/vr"],
    [attribute({ vr: "LO", Value: "a" }), "/00191001/Value"],
    [attribute({ vr: "LO", Value: [{}] }), "/00191001/Value/0"],
    [attribute({ vr: "LO", Value: ["a", 1] }), "/00191001/Value/1"],
    [attribute({ vr: "LO", Value: ["a\\b"] }), "/00191001/Value/0"],
    [attribute({ vr: "LT", Value: ["a", "b"] }), "/00191001/Value"],
    [attribute({ vr: "PN", Value: [{ Alphabetic: "A=B" }] }), "/00191001/Value/0"],
    [attribute({ vr: "PN", Value: [{ Alphabetic: 1 }] }), "/00191001/Value/0"],
    [attribute({ vr: "PN", Value: [["A"]] }), "/00191001/Value/0"],
    [attribute({ vr: "CS", Value: ["王"] }), "/00191001"],
    [attribute({ vr: "LO", Value: ["\ud800"] }), "/00191001"],
    [attribute({ vr: "US", Value: [65_536] }), "/00191001/Value"],
    [attribute({ vr: "US", Value: [1.5] }), "/00191001/Value"],
    [attribute({ vr: "US", Value: ["1"] }), "/00191001/Value"],
    [attribute({ vr: "US", Value: [1, null] }), "/00191001/Value"],
    [attribute({ vr: "FL", Value: [1e300] }), "/00191001/Value"],
    [attribute({ vr: "FD", Value: ["one"] }), "/00191001/Value"],
    [attribute({ vr: "UV", Value: ["-1"] }), "/00191001/Value"],
    [attribute({ vr: "SV", Value: ["9223372036854775808"] }), "/00191001/Value"],
    [attribute({ vr: "SV", Value: [1e300] }), "/00191001/Value"],
    [attribute({ vr: "IS", Value: [1.5] }), "/00191001/Value/0"],
    [attribute({ vr: "DS", Value: [true] }), "/00191001/Value/0"],
    [attribute({ vr: "AT", Value: ["PatientID"] }), "/00191001/Value"],
    [attribute({ vr: "OB", Value: [1] }), "/00191001/Value"],
    [attribute({ vr: "OB", InlineBinary: "?" }), "/00191001/InlineBinary"],
    [attribute({ vr: "OB", InlineBinary: "AAA" }), "/00191001/InlineBinary"],
    [attribute({ vr: "SQ", InlineBinary: "AAAA" }), "/00191001/InlineBinary"],
    [attribute({ vr: "OB", InlineBinary: "AAAA", BulkDataURI: "#1,2" }), "/00191001"],
    [attribute({ vr: "OB", BulkDataURI: 7 }), "/00191001/BulkDataURI"],
    [attribute({ vr: "SQ", Value: [7] }), "/00191001/Value/0"],
    [attribute({ vr: "SQ", Value: [{}, { "00100010": { vr: "??" } }] }), "/00191001/Value/1/00100010/vr"],
  ])("is refused where it is wrong: %j", (json, path) => {
    expect(refusal(json)).toMatchObject({ code: "DICOM_JSON_INVALID", path });
  });

  it("is refused without the values that it held", () => {
    expect(JSON.stringify(refusal({ "Doe^John": {} }))).not.toContain("Doe");
    expect(JSON.stringify(refusal(attribute({ vr: "US", Value: ["Doe^John"] })))).not.toContain("Doe");
  });

  it("is bulk data that nobody finds", () => {
    const json = attribute({ vr: "OB", BulkDataURI: "http://host/Doe" });
    expect(refusal(json)).toEqual({ code: "DICOM_JSON_BULK_DATA", path: "/00191001/BulkDataURI" });
    expect(() => fromDicomJson(json, { resolveBulkData: () => undefined })).toThrow(GatewayError);
  });

  it("is what goes beyond the limits", () => {
    const nested = attribute({ vr: "SQ", Value: [attribute({ vr: "SQ", Value: [{}, {}] })] });
    const limits: readonly [Record<string, number>, string][] = [
      [{ depth: 1 }, "depth"],
      [{ elements: 4 }, "elements"],
    ];
    expect(fromDicomJson(nested, { limits: { depth: 2, elements: 5 } }).size).toBe(1);
    for (const [limit, what] of limits)
      expect(() => fromDicomJson(nested, { limits: limit })).toThrow(
        expect.objectContaining({ code: "DICOM_LIMIT_EXCEEDED", details: expect.objectContaining({ what }) }),
      );
    expect(() => fromDicomJson(attribute({ vr: "OB", InlineBinary: "AAAA" }), { limits: { heldBytes: 2 } })).toThrow(
      expect.objectContaining({ code: "DICOM_LIMIT_EXCEEDED" }),
    );
  });

  it("is never a crash, whatever it is", () => {
    const attributes = fc.record(
      {
        vr: fc.oneof(fc.constantFrom("PN", "DS", "US", "SQ", "OB", "UV", "AT", "LT"), fc.anything()),
        Value: fc.oneof(fc.array(fc.anything()), fc.anything()),
        InlineBinary: fc.anything(),
        BulkDataURI: fc.anything(),
      },
      { requiredKeys: ["vr"] },
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("00100010", "00080005", "name"), attributes), (json) => {
        const outcome = refusal(json);
        if (!(outcome instanceof Map)) expect(outcome).toMatchObject({ code: expect.stringMatching(/^DICOM_JSON_/) });
      }),
    );
  });

  it("may be group lengths and members of other models: they are passed over", () => {
    const json = { "00080000": { vr: "UL", Value: [4] }, "00100020": { vr: "LO", Value: ["1"], keyword: "PatientID" } };
    expect([...fromDicomJson(json).keys()]).toEqual([tags.PatientID]);
  });
});

/** Values that JSON can carry: what is rounded, trimmed or of two spellings is in the tests above. */
const NUMBER_BYTES: readonly (readonly [Vr, number])[] = [
  ["US", 2],
  ["SS", 2],
  ["UL", 4],
  ["SL", 4],
  ["SV", 8],
  ["UV", 8],
  ["AT", 4],
  ["OB", 1],
  ["OW", 2],
  ["OF", 4],
  ["OD", 8],
  ["OL", 4],
  ["OV", 8],
  ["UN", 1],
];

const evenBytes = (wordBytes: number): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.uint8Array({ minLength: wordBytes, maxLength: wordBytes }), { maxLength: 4 })
    .map((words) => Uint8Array.from(words.flatMap((word) => [...word])));

const reals = (vr: "FL" | "FD"): fc.Arbitrary<Uint8Array> =>
  fc.array(vr === "FL" ? fc.float() : fc.double(), { maxLength: 4 }).map((numbers) => {
    // JSON has no negative zero.
    const values = numbers.map((number) => number + 0);
    return new Uint8Array((vr === "FL" ? Float32Array : Float64Array).from(values).buffer);
  });

const word = fc.string({ unit: fc.constantFrom("A", "b", "0", "é", "山", "^", "-"), minLength: 1, maxLength: 8 });
const plainWord = fc.string({ unit: fc.constantFrom("A", "B", "0", "_"), minLength: 1, maxLength: 8 });
const joined = (values: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(values, { maxLength: 3 }).map((texts) => texts.join("\\"));

const TEXTS: readonly (readonly [Vr, fc.Arbitrary<string>])[] = [
  ["AE", joined(plainWord)],
  ["AS", joined(fc.constantFrom("018M", "099Y"))],
  ["CS", joined(plainWord)],
  ["DA", joined(fc.constantFrom("20240229", "19991231"))],
  ["DS", joined(fc.oneof(fc.constantFrom("1.5", "-20", "abc"), fc.integer().map(String)))],
  ["DT", joined(fc.constantFrom("20240229120000.5+0100"))],
  ["IS", joined(fc.oneof(fc.constantFrom("0", "-7", "x"), fc.integer().map(String)))],
  ["LO", joined(word)],
  ["LT", word],
  ["PN", joined(fc.array(word, { minLength: 1, maxLength: 3 }).map((groups) => groups.join("=")))],
  ["SH", joined(word)],
  ["ST", word],
  ["TM", joined(fc.constantFrom("120000", "235959.123456"))],
  ["UC", joined(word)],
  ["UI", joined(fc.constantFrom("1.2.3", "2.25.1"))],
  ["UR", plainWord],
  ["UT", word],
];

const anyLeaf: fc.Arbitrary<DataElement> = fc
  .oneof(
    ...NUMBER_BYTES.map(([vr, sizeBytes]) => evenBytes(sizeBytes).map((bytes) => ({ vr, bytes }))),
    ...(["FL", "FD"] as const).map((vr) => reals(vr).map((bytes) => ({ vr, bytes }))),
    ...TEXTS.map(([vr, texts]) => texts.map((text) => ({ vr, text }))),
  )
  .chain((value) =>
    fc.integer({ min: 0x1001, max: 0x10ff }).map((low) => {
      const tag = tagOf(0x00190000 | low);
      return "bytes" in value ? element(tag, value.vr, value.bytes) : textElement(tag, value.text, value.vr);
    }),
  );

const { dataSet: anyDataSet } = fc.letrec<{ dataSet: DataSet; sequence: DataElement }>((tie) => ({
  dataSet: fc
    .array(fc.oneof({ depthSize: "small", withCrossShrink: true }, anyLeaf, tie("sequence")), { maxLength: 6 })
    .map((elements) => {
      const utf8 = textElement(tags.SpecificCharacterSet, "ISO_IR 192");
      return dataSetOf([utf8, ...new Map(elements.map((one) => [one.tag, one])).values()]);
    }),
  sequence: fc
    .array(tie("dataSet"), { maxLength: 3 })
    .chain((items) =>
      fc.integer({ min: 0x2001, max: 0x20ff }).map((low) => sequenceOf(tagOf(0x00190000 | low), items)),
    ),
}));

function sequenceOf(tag: Tag, items: readonly DataSet[]): DataElement {
  const value = { kind: "sequence" as const, items: items.map((dataSet) => ({ dataSet, undefinedLength: false })) };
  return { tag, vr: "SQ", undefinedLength: false, value };
}

/** As a program at the other end would have it. */
const sent = (json: JsonDataSet): JsonDataSet => JSON.parse(formatDicomJson(json));

describe("there and back", () => {
  it("a data set is what it was, in every VR", () => {
    fc.assert(
      fc.property(anyDataSet, (dataSet) => {
        expect(plain(fromDicomJson(sent(toDicomJson(dataSet))))).toEqual(plain(dataSet));
      }),
    );
  });

  it("a document is what it was", () => {
    fc.assert(
      fc.property(anyDataSet, (dataSet) => {
        const json = sent(toDicomJson(dataSet));
        expect(sent(toDicomJson(fromDicomJson(json)))).toEqual(json);
      }),
    );
  });

  it("nesting costs no call stack", () => {
    const depth = 20_000;
    let dataSet: DataSet = new Map();
    for (let level = 0; level < depth; level += 1) dataSet = new Map([[ANY, sequenceOf(ANY, [dataSet])]]);
    const json = toDicomJson(dataSet);
    expect(formatDicomJson(json)).toHaveLength(depth * '{"00191001":{"vr":"SQ","Value":[]}}'.length + 2);
    let read = fromDicomJson(json, { limits: { depth } });
    let levels = 0;
    for (let item = itemsOf(read, ANY)[0]; item !== undefined; item = itemsOf(read, ANY)[0]) {
      read = item.dataSet;
      levels += 1;
    }
    expect(levels).toBe(depth);
  });
});

/** Buffers and their views compare by content. */
function plain(dataSet: DataSet): readonly unknown[] {
  return [...dataSet.values()].map(({ tag, vr, value }) => {
    if (value.kind === "sequence") return { tag, vr, items: value.items.map((item) => plain(item.dataSet)) };
    return value.kind === "bytes" ? { tag, vr, bytes: Buffer.from(value.bytes).toString("hex") } : { tag, vr };
  });
}

describe("the text of a document", () => {
  it("has its attributes in the order of tags, also where JavaScript would have another", () => {
    const json = toDicomJson(
      new Map(
        [0x7fe00010, 0x60000010, 0x00100020, 0x00080005].map((number) => {
          const tag = tagOf(number);
          return [tag, element(tag, "US", Buffer.of(1, 0))];
        }),
      ),
    );
    expect([...formatDicomJson(json).matchAll(/"(.{8})":/g)].map(([, tag]) => tag)).toEqual([
      "00080005",
      "00100020",
      "60000010",
      "7FE00010",
    ]);
  });
});
