import { describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { formatTagHex, isPrivate, tagOf } from "../../dicom/tag.ts";
import { bytesOf, dataSetOf, element, itemsOf, sequenceElement, textOf } from "../../dicom/values.ts";
import type { Vr } from "../../dicom/vr.ts";
import { deidentifyObject, profileWith } from "../testing/deidentify.ts";
import { ctImage, text } from "../testing/objects.ts";

const profile = profileWith(["retain-safe-private"]);
const SIEMENS = "SIEMENS MR HEADER";
const PHILIPS = "Philips Imaging DD 001";

function data(tag: number, vr: Vr, value: string | Uint8Array): DataElement {
  return element(tagOf(tag), vr, typeof value === "string" ? Buffer.from(value) : value);
}

function double(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function privateTags(dataSet: DataSet): string[] {
  return [...dataSet.keys()].filter(isPrivate).map(formatTagHex);
}

async function outputOf(elements: readonly DataElement[], syntax?: string): Promise<DataSet> {
  const options = syntax === undefined ? {} : { transferSyntaxUid: syntax };
  const { outcome, dataSet } = await deidentifyObject(ctImage(elements), profile, options);
  expect(outcome.kind === "rejected" ? outcome.reason : "").toBe("");
  return dataSet;
}

describe("private elements that PS3.15 table E.3.10-1 lists", () => {
  it("stay under their creator, whatever block they are in, numbered anew", async () => {
    const output = await outputOf([
      data(0x00190010, "LO", "ACME HIDDEN NAME"),
      data(0x00190042, "LO", `${SIEMENS} \0`),
      data(0x00191001, "LO", "Brandybuck"),
      data(0x0019420c, "IS", "1000"),
      data(0x0019420e, "FD", Buffer.concat([double(0.5), double(0), double(-0.5)])),
    ]);
    expect(privateTags(output)).toEqual(["00190010", "0019100C", "0019100E"]);
    expect(textOf(output, tagOf(0x00190010))).toBe(SIEMENS);
    expect(textOf(output, tagOf(0x0019100c))).toBe("1000");
    expect(bytesOf(output, tagOf(0x0019100e))).toHaveLength(24);
  });

  it("go with the basic profile alone", async () => {
    const elements = [data(0x00190010, "LO", SIEMENS), data(0x0019100c, "IS", "1000")];
    const { dataSet } = await deidentifyObject(ctImage(elements), profileWith([]));
    expect(privateTags(dataSet)).toEqual([]);
  });

  it("are judged by their own block where two blocks have one creator", async () => {
    const output = await outputOf([
      data(0x00190010, "LO", SIEMENS),
      data(0x00190011, "LO", SIEMENS),
      data(0x0019100c, "IS", "0"),
      data(0x0019110c, "IS", "1000"),
    ]);
    expect(privateTags(output)).toEqual(["00190010", "00190011", "0019100C", "0019110C"]);
  });

  it("are the same under implicit VR", async () => {
    const elements = [
      data(0x00190010, "LO", SIEMENS),
      data(0x0019100c, "IS", "1000"),
      data(0x0019100e, "FD", double(0.5)),
      data(0x20010010, "LO", PHILIPS),
      sequenceElement(tagOf(0x2001105f), [
        dataSetOf([data(0x20010010, "LO", PHILIPS), data(0x2001102d, "SS", Uint8Array.of(7, 0))]),
      ]),
    ];
    const explicit = await deidentifyObject(ctImage(elements), profile);
    const implicit = await deidentifyObject(ctImage(elements), profile, {
      transferSyntaxUid: IMPLICIT_VR_LITTLE_ENDIAN,
    });
    expect(privateTags(explicit.dataSet)).toHaveLength(5);
    expect(implicit.bytes.equals(explicit.bytes)).toBe(true);
  });

  it("are gone through where a sequence was written as UN", async () => {
    // Implicit VR little endian, PS3.5 6.2.2: an item with a Patient's Name, a Slice Thickness and a private number of its own creator.
    const encoded = (tag: string, value: Buffer): Buffer => {
      const header = Buffer.from(`${tag}00000000`, "hex");
      header.writeUInt32LE(value.length, 4);
      return Buffer.concat([header, value]);
    };
    const inner = [
      encoded("10001000", Buffer.from("Brandybuck")),
      encoded("18005000", Buffer.from("1.25")),
      encoded("01201000", Buffer.from(PHILIPS)),
      encoded("01202d10", Buffer.of(7, 0)),
    ];
    const written = data(0x2001105f, "UN", encoded("feff00e0", Buffer.concat(inner)));
    const output = await outputOf([data(0x20010010, "LO", PHILIPS), written]);
    const [item] = itemsOf(output, written.tag).map(({ dataSet }) => dataSet);
    expect(textOf(item ?? new Map(), tagOf(0x00180050))).toBe("1.25");
    expect(textOf(item ?? new Map(), tagOf(0x00100010))).not.toBe("Brandybuck");
    expect(privateTags(item ?? new Map())).toEqual(["20010010", "2001102D"]);
  });

  it("keep to the creators of their own item, and standard elements beside them to the table", async () => {
    const inner = dataSetOf([
      data(0x20010010, "LO", PHILIPS),
      data(0x2001102d, "SS", Uint8Array.of(7, 0)),
      text(0x00100010, "Brandybuck^Meriadoc"),
      text(0x00080018, "1.2.826.0.1.3680043.9.7.3.1"),
    ]);
    const orphan = dataSetOf([data(0x2001102d, "SS", Uint8Array.of(8, 0))]);
    const output = await outputOf([
      data(0x20010010, "LO", PHILIPS),
      sequenceElement(tagOf(0x2001105f), [inner, orphan]),
    ]);
    const items = itemsOf(output, tagOf(0x2001105f)).map((item) => item.dataSet);
    expect(items.map(privateTags)).toEqual([["20010010", "2001102D"], []]);
    expect(items.flatMap((item) => textOf(item, tagOf(0x00100010)) ?? [])).not.toContain("Brandybuck^Meriadoc");
  });
});

describe("private elements that go", () => {
  it.each<[string, DataElement[]]>([
    ["of an unknown creator", [data(0x00190010, "LO", "SIEMENS"), data(0x0019100c, "IS", "1000")]],
    ["of a creator in another spelling", [data(0x00190010, "LO", "Siemens MR Header"), data(0x0019100c, "IS", "1")]],
    ["of a creator in another group", [data(0x00210010, "LO", SIEMENS), data(0x0021100c, "IS", "1000")]],
    ["of a creator that is no LO", [data(0x00190010, "SH", SIEMENS), data(0x0019100c, "IS", "1000")]],
    ["without a creator", [data(0x0019100c, "IS", "1000")]],
    ["below the blocks", [data(0x00190010, "LO", SIEMENS), data(0x0019000c, "IS", "1000")]],
    ["of another VR", [data(0x00190010, "LO", SIEMENS), data(0x0019100c, "LO", "1000")]],
    ["of no VR", [data(0x00190010, "LO", SIEMENS), data(0x0019100c, "UN", "1000")]],
    ["with text for a number", [data(0x00190010, "LO", SIEMENS), data(0x0019100c, "IS", "Brandy")]],
    ["of a size that is not its VR's", [data(0x00190010, "LO", SIEMENS), data(0x0019100e, "FD", "Brandybuck")]],
    ["of a term of no list", [data(0x00190010, "LO", SIEMENS), data(0x0019100d, "CS", "NONE")]],
    ["of a text, although listed", [data(0x00190010, "LO", "GEMS_ACQU_01"), data(0x0019109e, "LO", "efgre3d ")]],
    ["of bulk, although listed", [data(0x7fd10010, "LO", "Philips ST80i"), data(0x00251001, "OW", "Brandybuck")]],
  ])("%s", async (_name, elements) => {
    expect(privateTags(await outputOf(elements))).toEqual([]);
  });
});

it("an identifier among safe numbers stops the object", async () => {
  const changes = [text(0x00100020, "44556677"), data(0x00190010, "LO", SIEMENS), data(0x0019100c, "IS", "44556677")];
  const { outcome } = await deidentifyObject(ctImage(changes), profile);
  expect(outcome).toEqual({ kind: "rejected", code: "IDENTIFIER_FOUND", reason: "id in (0019,100C)" });
});
