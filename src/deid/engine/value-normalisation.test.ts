import { describe, expect, it } from "vitest";
import type { DataElement } from "../../dicom/data-set.ts";
import { EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { tagOf } from "../../dicom/tag.ts";
import { bytesOf, element, itemsOf, textsOf } from "../../dicom/values.ts";
import { deidentifyObject, profileWith } from "../testing/deidentify.ts";
import { ctImage, text } from "../testing/objects.ts";

const profile = profileWith([]);

async function outputOf(...changes: readonly DataElement[]) {
  const { outcome, dataSet } = await deidentifyObject(ctImage(changes), profile);
  expect(outcome.kind === "rejected" ? outcome.reason : "").toBe("");
  return dataSet;
}

describe("values beyond those PS3.6 lets an attribute have go", () => {
  it.each([
    ["number strings", text(0x00180050, "1.25\\2\\3"), ["1.25"]],
    ["a list that is limited", text(0x00200032, "1\\2\\3\\4"), ["1", "2", "3"]],
    ["a list that is not", text(0x00281050, "40\\50\\60"), ["40", "50", "60"]],
    ["terms", text(0x00185100, "HFS\\HFP"), ["HFS"]],
    [
      "terms that mean something by their place",
      text(0x00089007, "ORIGINAL\\DOE\\AXIAL\\DOE"),
      ["ORIGINAL", "OTHER", "AXIAL", "OTHER"],
    ],
    [
      "a number of more than 16 characters, which is written shorter",
      text(0x00180050, "1.234567890123456"),
      ["1.23456789012346"],
    ],
  ])("%s", async (_name, changed, expected) => {
    expect(textsOf(await outputOf(changed), changed.tag)).toEqual(expected);
  });

  it("binary numbers", async () => {
    const rows = element(tagOf(0x00280106), "US", Uint8Array.of(1, 0, 66, 82));
    expect(bytesOf(await outputOf(rows), rows.tag)).toEqual(Uint8Array.of(1, 0));
  });
});

describe("a standard sequence written as UN", () => {
  // (0008,2218), an item of length 22: (0008,0100) "39607008", (0008,0102)... as implicit VR little endian.
  const item = Buffer.concat([
    Buffer.from("08000001" + "08000000", "hex"),
    Buffer.from("39607008"),
    Buffer.from("08000201" + "04000000", "hex"),
    Buffer.from("SCT "),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(item.length);
  const unknown = (bytes: Uint8Array): DataElement => element(tagOf(0x00082218), "UN", bytes);

  it("is gone through", async () => {
    const bytes = Buffer.concat([Buffer.from("feff00e0", "hex"), length, item]);
    expect(itemsOf(await outputOf(unknown(bytes)), tagOf(0x00082218))).toHaveLength(1);
  });

  it("has its numbers in little endian order, whatever the rest of the object is in", async () => {
    // (0028,0106) Smallest Image Pixel Value, 2 bytes.
    const number = Buffer.from("feff00e0" + "0a000000" + "28000601" + "02000000" + "0701", "hex");
    for (const transferSyntaxUid of [EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN]) {
      const windows = element(tagOf(0x00289132), "UN", number);
      const { dataSet } = await deidentifyObject(ctImage([windows]), profile, { transferSyntaxUid });
      const [kept] = itemsOf(dataSet, windows.tag);
      expect(bytesOf(kept?.dataSet ?? new Map(), tagOf(0x00280106))).toEqual(Uint8Array.of(7, 1));
    }
  });

  it("stops the object when it cannot be", async () => {
    const { outcome } = await deidentifyObject(ctImage([unknown(Buffer.from("Brandybuck"))]), profile, {
      transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    });
    expect(outcome).toEqual({
      kind: "rejected",
      code: "DEIDENTIFICATION_UNPROVEN",
      reason: "unreadable-sequence (0008,2218)",
    });
  });
});

describe("a number written as another VR than PS3.6's", () => {
  it("stays where that reads the same bytes", async () => {
    // Smallest Image Pixel Value, US or SS; Tag Angle Second Axis, SS; Rows of a frame, US.
    for (const [tag, vr] of [
      [0x00280106, "SS"],
      [0x00189219, "US"],
      [0x00189058, "SS"],
    ] as const) {
      const number = element(tagOf(tag), vr, Uint8Array.of(7, 1));
      const output = await outputOf(number);
      expect(bytesOf(output, number.tag), String(tag)).toEqual(Uint8Array.of(7, 1));
    }
    expect((await outputOf(element(tagOf(0x00280106), "UL", Uint8Array.of(7, 1, 0, 0)))).has(tagOf(0x00280106))).toBe(
      false,
    );
  });

  it("as UN is little endian, whatever the rest of the object is in", async () => {
    const changes = [
      element(tagOf(0x00280106), "UN", Uint8Array.of(7, 1)),
      element(tagOf(0x00280107), "US", Uint8Array.of(7, 1)),
    ];
    const { dataSet } = await deidentifyObject(ctImage(changes), profile, {
      transferSyntaxUid: EXPLICIT_VR_BIG_ENDIAN,
    });
    for (const { tag } of changes) expect(bytesOf(dataSet, tag)).toEqual(Uint8Array.of(7, 1));
  });
});

describe("numbers that are none", () => {
  it("a pointer names an attribute of PS3.6, or goes", async () => {
    const pointers = (...words: readonly number[]): DataElement =>
      element(tagOf(0x00280009), "AT", Buffer.from(Uint16Array.from(words).buffer));
    const kept = pointers(0x0018, 0x1063, 0x0054, 0x0010);
    expect(bytesOf(await outputOf(kept), kept.tag)).toEqual(Uint8Array.of(0x18, 0, 0x63, 0x10, 0x54, 0, 0x10, 0));
    const spelt = element(tagOf(0x00280009), "AT", Buffer.from("Bran"));
    expect((await outputOf(spelt)).has(spelt.tag)).toBe(false);
  });

  it("an integer is no larger than one can be: telephone numbers are", async () => {
    expect(textsOf(await outputOf(text(0x00200012, "2147483647")), tagOf(0x00200012))).toEqual(["2147483647"]);
    expect(textsOf(await outputOf(text(0x00200012, "447700900123")), tagOf(0x00200012)).join("")).toBe("");
  });
});
