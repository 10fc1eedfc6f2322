import { describe, expect, it } from "vitest";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { ctImage, part10Bytes, text } from "../../../src/deid/testing/objects.ts";
import type { DataElement, DataSet } from "../../../src/dicom/data-set.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../../../src/dicom/dictionary/transfer-syntaxes.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../../src/dicom/values.ts";
import { isText, type Vr } from "../../../src/dicom/vr.ts";
import { FOREIGN_SETS, type Foreign, foreignName, spellingsOf } from "./support/charsets.ts";
import { deidentify, expectGone, expectRefused, type Result } from "./support/engine.ts";
import { nested, RETAINED_SEQUENCE, valuesIn } from "./support/objects.ts";
import { createTokens } from "./support/tokens.ts";

const PROFILES = {
  basic: profileWith([]),
  research: "research",
  institution: profileWith(["retain-institution-identity", "clean-descriptors"]),
} as const;
const CHARACTER_SET = 0x00080005;
const NO_TOKENS = createTokens(1000);

const bytes = (tag: number, vr: Vr, value: Uint8Array): DataElement => element(tagOf(tag), vr, value);
const characterSet = (terms: string): DataElement => element(tagOf(CHARACTER_SET), "CS", Buffer.from(terms));

/** The name in everything that holds text: names, descriptions that are cleaned, lists, comments, private and unlisted elements. */
function everywhere({ stored }: Foreign): DataElement[] {
  const described = (tag: number, vr: Vr) =>
    bytes(tag, vr, Buffer.concat([Buffer.from("CT chest "), stored, Buffer.from(" 5 mm")]));
  return [
    bytes(0x00100010, "PN", Buffer.concat([stored, Buffer.from("^"), stored])),
    bytes(0x00080090, "PN", stored),
    bytes(0x00100020, "LO", stored),
    bytes(0x00081010, "SH", stored),
    bytes(0x00104000, "LT", stored),
    bytes(0x00081090, "LO", stored),
    bytes(0x00181210, "SH", stored),
    bytes(0x00189ffe, "UC", stored),
    described(0x00081030, "LO"),
    described(0x0008103e, "LO"),
    described(0x00181030, "LO"),
    bytes(0x00290010, "LO", stored),
    bytes(0x00291001, "UT", stored),
  ];
}

/** One encoding out: UTF-8 that is declared, or ASCII alone. */
function expectOneEncoding({ dataSet }: Result): void {
  const declared = valuesIn(dataSet, CHARACTER_SET);
  expect([undefined, ["ISO_IR 192"]]).toContainEqual(declared);
  for (const value of textsWithin(dataSet)) {
    if (declared === undefined) expect(value.every((byte) => byte < 0x80 && byte !== 0x1b)).toBe(true);
    else expect(() => new TextDecoder("utf-8", { fatal: true }).decode(value)).not.toThrow();
  }
}

function textsWithin(dataSet: DataSet): Uint8Array[] {
  return [...dataSet.values()].flatMap(({ vr, value }) => {
    if (value.kind === "sequence") return value.items.flatMap((item) => textsWithin(item.dataSet));
    return value.kind === "bytes" && isText(vr) ? [value.bytes] : [];
  });
}

describe.each(Object.entries(PROFILES))("item 10: character sets, %s", (_, profile) => {
  it.each(FOREIGN_SETS)("%s: gone, and the output in UTF-8 or ASCII", async (set) => {
    const name = foreignName(set, 1010 + FOREIGN_SETS.indexOf(set));
    const inItem = sequenceElement(tagOf(RETAINED_SEQUENCE), [dataSetOf(everywhere(name))]);
    const ofItsOwn = sequenceElement(tagOf(0x52009230), [
      dataSetOf([characterSet(name.characterSet), ...everywhere(name)]),
    ]);
    for (const declared of [name.characterSet, "ISO_IR 100", "ISO_IR 999"]) {
      const source = ctImage([characterSet(declared), ...everywhere(name), inItem, ofItsOwn]);
      const result = await deidentify(await part10Bytes(source), profile);
      expectGone(result, NO_TOKENS, spellingsOf(name));
      expectOneEncoding(result);
    }
    const undeclared = ctImage([...everywhere(name), inItem, ofItsOwn]);
    const withoutSet = new Map([...undeclared].filter(([tag]) => tag !== CHARACTER_SET));
    const result = await deidentify(
      await part10Bytes(withoutSet, { transferSyntaxUid: IMPLICIT_VR_LITTLE_ENDIAN }),
      profile,
    );
    expectGone(result, NO_TOKENS, spellingsOf(name));
    expectOneEncoding(result);
  });

  it("escape sequences that hide a text in LO, CS, UI and numbers", async () => {
    for (const [index, set] of ["ISO 2022 IR 87", "ISO 2022 IR 149", "ISO 2022 IR 144"].entries()) {
      const name = foreignName(set, 1050 + index);
      const hidden: readonly (readonly [number, Vr, string])[] = [
        [0x00080070, "LO", "SIEMENS"],
        [0x00081090, "LO", "SOMATOM"],
        [0x00080008, "CS", "ORIGINAL"],
        [0x00185100, "CS", "HFS"],
        [0x00180050, "DS", "1.25"],
        [0x00200013, "IS", "17"],
        [0x00181210, "SH", "B70f"],
      ];
      const elements = hidden.map(([tag, vr, value]) =>
        bytes(tag, vr, Buffer.concat([Buffer.from(value), name.stored])),
      );
      for (const declared of [name.characterSet, "ISO_IR 6"]) {
        const source = ctImage([characterSet(declared), ...elements, nested(elements, 2)]);
        const result = await deidentify(await part10Bytes(source), profile);
        if (result.outcome.kind === "rejected") expectRefused(result, NO_TOKENS);
        else expectGone(result, NO_TOKENS, spellingsOf(name));
      }
    }
  });
});

describe("item 10: text that stays", () => {
  it.each(FOREIGN_SETS)("%s: is written in UTF-8, which is declared", async (set) => {
    const [name, place] = [foreignName(set, 1070), foreignName(set, 1071)];
    const source = ctImage([
      characterSet(name.characterSet),
      bytes(0x00100010, "PN", name.stored),
      bytes(0x00080080, "LO", place.stored),
    ]);
    const result = await deidentify(await part10Bytes(source), PROFILES.institution);
    expectGone(result, NO_TOKENS, spellingsOf(name));
    expect(valuesIn(result.dataSet, CHARACTER_SET)).toEqual(["ISO_IR 192"]);
    expect(valuesIn(result.dataSet, 0x00080080)).toEqual([place.text]);
    expectOneEncoding(result);
  });

  it("ASCII declares nothing", async () => {
    const result = await deidentify(await part10Bytes(ctImage([text(CHARACTER_SET, "ISO_IR 144")])));
    expect(valuesIn(result.dataSet, CHARACTER_SET)).toBeUndefined();
    expectOneEncoding(result);
  });
});
