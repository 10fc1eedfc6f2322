import { describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import { type Tag, tagOf } from "./tag.ts";
import {
  bytesOf,
  characterSetOf,
  dataSetOf,
  dataSetOfTexts,
  element,
  itemsOf,
  numberOf,
  numbersOf,
  sequenceElement,
  textElement,
  textOf,
  textsOf,
  uidOf,
} from "./values.ts";
import type { Vr } from "./vr.ts";

const withBytes = (tag: Tag, vr: Vr, hex: string): DataSet => dataSetOf([element(tag, vr, Buffer.from(hex, "hex"))]);

describe("texts", () => {
  it("lose their padding", () => {
    const dataSet = dataSetOf([textElement(tags.PatientID, "007 "), textElement(tags.SOPInstanceUID, "1.2.3")]);
    expect(textOf(dataSet, tags.PatientID)).toBe("007");
    expect(uidOf(dataSet, tags.SOPInstanceUID)).toBe("1.2.3");
  });

  it("are undefined when absent or empty", () => {
    expect(textOf(dataSetOf([textElement(tags.PatientID, "")]), tags.PatientID)).toBeUndefined();
    expect(textOf(new Map(), tags.PatientID)).toBeUndefined();
  });

  it("are split at backslashes, but for long texts", () => {
    const dataSet = dataSetOf([
      textElement(tags.ImageType, "DERIVED\\PRIMARY"),
      textElement(tags.PatientComments, "a\\b"),
    ]);
    expect(textsOf(dataSet, tags.ImageType)).toEqual(["DERIVED", "PRIMARY"]);
    expect(textsOf(dataSet, tags.PatientComments)).toEqual(["a\\b"]);
  });

  // Examples of PS3.5 annexes H and I: escape sequences name the character set of what follows.
  it.each([
    ["ISO_IR 100", "4275635e4ae9726f6d65", "Buc^Jérome"],
    ["ISO_IR 192", "e78e8b5ee5b08fe69db1", "王^小東"],
    ["ISO-IR 192", "c3a9", "é"],
    ["ISO_IR_100", "e9", "é"],
    ["utf8", "c3a9", "é"],
    ["", "c3a9", "é"],
    ["", "e9", "é"],
    ["GB18030", "cdf55ed0a1b6ab", "王^小东"],
    [
      "\\ISO 2022 IR 87",
      "59616d6164615e5461726f753d1b24423b3345441b28425e1b244242404f3a1b2842",
      "Yamada^Tarou=山田^太郎",
    ],
    ["\\ISO 2022 IR 149", "486f6e675e47696c646f6e673d1b242943fbf35e1b242943d1ced4d7", "Hong^Gildong=洪^吉洞"],
  ])("are decoded from %s", (characterSet, hex, name) => {
    const bytes = Buffer.from(hex, "hex");
    const dataSet = dataSetOf([
      element(tags.SpecificCharacterSet, "CS", Buffer.from(characterSet)),
      element(tags.PatientName, "PN", bytes),
    ]);
    expect(textOf(dataSet, tags.PatientName)).toBe(name);
  });

  it("split after decoding: the second byte of a GBK character may be a backslash", () => {
    const dataSet = dataSetOf([
      element(tags.SpecificCharacterSet, "CS", Buffer.from("GB18030 ")),
      element(tags.PatientID, "LO", Buffer.from("815c5c41", "hex")), // 乗 \ A
    ]);
    expect(textsOf(dataSet, tags.PatientID)).toEqual(["乗", "A"]);
  });

  it("in items follow the character set of what holds them", () => {
    const item = dataSetOf([element(tags.PatientName, "PN", Buffer.from("e9", "hex"))]);
    const outer = new Map([
      [tags.SpecificCharacterSet, textElement(tags.SpecificCharacterSet, "ISO_IR 100")],
      [tags.RequestAttributesSequence, sequenceElement(tags.RequestAttributesSequence, [new Map([...item].slice(-1))])],
    ]);
    const [inner] = itemsOf(outer, tags.RequestAttributesSequence);
    const inheritedCharacterSet = characterSetOf(outer);
    expect(textOf(inner?.dataSet ?? new Map(), tags.PatientName, { inheritedCharacterSet })).toBe("é");
  });

  it("in an unknown character set are shown as Latin-1 rather than lost", () => {
    const dataSet = dataSetOf([
      textElement(tags.SpecificCharacterSet, "KLINGON"),
      element(tags.PatientName, "PN", Buffer.from("41e9", "hex")),
    ]);
    expect(textOf(dataSet, tags.PatientName)).toBe("Aé");
  });
});

describe("numbers", () => {
  it.each<[Vr, string, readonly number[]]>([
    ["US", "01000200", [1, 2]],
    ["SS", "ffff", [-1]],
    ["UL", "01000000", [1]],
    ["SL", "feffffff", [-2]],
    ["FL", "0000c03f", [1.5]],
    ["FD", "000000000000f83f", [1.5]],
    ["DS", "312e355c2d3265312020", [1.5, -20]],
    ["IS", "34322020", [42]],
  ])("of %s", (vr, hex, numbers) => {
    expect(numbersOf(withBytes(tagOf(0x00191001), vr, hex), tagOf(0x00191001))).toEqual(numbers);
  });

  it("of a big endian data set", () => {
    const dataSet = withBytes(tags.Rows, "US", "0200");
    expect(numberOf(dataSet, tags.Rows, { littleEndian: false })).toBe(512);
  });

  it("are undefined where there is none", () => {
    expect(numberOf(withBytes(tags.SliceThickness, "DS", "6e6f"), tags.SliceThickness)).toBeUndefined();
    expect(numberOf(withBytes(tags.Rows, "US", "02"), tags.Rows)).toBeUndefined();
  });
});

describe("a data set made of elements", () => {
  it("is sorted, and names UTF-8 where a text needs it", () => {
    const dataSet = dataSetOf([textElement(tags.PatientID, "1"), textElement(tags.PatientName, "Jérôme")]);
    expect([...dataSet.keys()]).toEqual([tags.SpecificCharacterSet, tags.PatientName, tags.PatientID]);
    expect(textOf(dataSet, tags.SpecificCharacterSet)).toBe("ISO_IR 192");
    expect(textOf(dataSet, tags.PatientName)).toBe("Jérôme");
  });

  it.each<[string | undefined, string, string, string]>([
    [undefined, "Doe", "", "446f6520"],
    [undefined, "é", "ISO_IR 192", "c3a9"],
    ["ISO_IR 100", "é", "ISO_IR 100", "e920"],
    ["ISO_IR 144", "é", "ISO_IR 192", "c3a9"],
    ["KLINGON", "é", "ISO_IR 192", "c3a9"],
  ])("of texts is in the character set it names, where that can say them: %s %s", (named, name, declared, bytes) => {
    const dataSet = dataSetOfTexts([
      [tags.PatientName, name],
      ...(named === undefined ? [] : [[tags.SpecificCharacterSet, named] as const]),
    ]);
    expect(characterSetOf(dataSet) ?? "").toBe(declared);
    expect(Buffer.from(bytesOf(dataSet, tags.PatientName) ?? []).toString("hex")).toBe(bytes);
    expect(textOf(dataSet, tags.PatientName)).toBe(name);
  });

  it("has values of even length: UIDs end with NUL, texts with a blank", () => {
    const latinOf = ({ value }: DataElement): string =>
      value.kind === "bytes" ? Buffer.from(value.bytes).toString("latin1") : "";
    expect(latinOf(textElement(tags.SOPInstanceUID, "1.2"))).toBe("1.2\0");
    expect(latinOf(textElement(tags.PatientID, "123"))).toBe("123 ");
  });
});
