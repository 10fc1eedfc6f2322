import { describe, expect, it } from "vitest";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { ctImage, part10Bytes, text, unsigned } from "../../../src/deid/testing/objects.ts";
import type { DataElement, DataSet } from "../../../src/dicom/data-set.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from "../../../src/dicom/dictionary/transfer-syntaxes.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../../src/dicom/values.ts";
import { seededRandom } from "../../../src/units/random.ts";
import { deidentify, expectGone } from "./support/engine.ts";
import { dataSetBytes, nested } from "./support/objects.ts";
import { confidentialityTable, soundValues } from "./support/table.ts";
import { createTokens, type Tokens } from "./support/tokens.ts";

const OTHERS = {
  deflated: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  "big endian": EXPLICIT_VR_BIG_ENDIAN,
  "implicit VR": IMPLICIT_VR_LITTLE_ENDIAN,
};
const PROFILES = {
  basic: profileWith([]),
  research: "research",
  "every option that retains": profileWith([
    "clean-descriptors",
    "clean-graphics",
    "clean-structured-content",
    "retain-longitudinal-full-dates",
    "retain-patient-characteristics",
    "retain-device-identity",
    "retain-institution-identity",
    "retain-safe-private",
  ]),
} as const;
const random = seededRandom(1100);

/** Numbers of every size, as words in the byte order of the machine: little endian. */
const numbers = (): DataElement[] => [
  element(tagOf(0x00180072), "DS", Buffer.from("1.5 ")),
  element(tagOf(0x00189087), "FD", random.bytes(8)),
  element(tagOf(0x00189306), "FD", Buffer.from(new Float64Array([0.75]).buffer)),
  element(tagOf(0x00280009), "AT", Buffer.from("1800631018006510", "hex")),
  element(tagOf(0x00209157), "UL", random.bytes(8)),
  element(tagOf(0x00720062), "FL", random.bytes(8)),
  element(tagOf(0x00186020), "SL", random.bytes(4)),
  unsigned(0x00281101, 16),
  element(tagOf(0x00281101), "US", Buffer.from("000100001000", "hex")),
  element(tagOf(0x00281201), "OW", random.bytes(32)),
  element(tagOf(0x00283002), "US", Buffer.from("080000001000", "hex")),
];
const privateNumbers = [
  element(tagOf(0x00190010), "LO", Buffer.from("SIEMENS MR HEADER ")),
  element(tagOf(0x0019100c), "IS", Buffer.from("1000")),
  element(tagOf(0x0019100e), "FD", Buffer.from(new Float64Array([0.25, 0.5, -1]).buffer)),
];
const lookUpTable = sequenceElement(tagOf(0x00283000), [
  dataSetOf([
    element(tagOf(0x00283002), "US", Buffer.from("080000001000", "hex")),
    text(0x00283004, "HU"),
    element(tagOf(0x00283006), "OW", random.bytes(16)),
  ]),
]);

/** Everything at once: identifiers, numbers, look-up tables, functional groups, private values, signed pixels of 16 bits. */
function object(tokens: Tokens): DataSet {
  const { values } = soundValues(tokens, 1101);
  const tabled = confidentialityTable().filter(
    ({ tag, vr }) => tag > 0x00080018 && tag !== 0x00420011 && tag >>> 16 < 0x5000 && tag !== 0x00091001 && vr !== "UN",
  );
  const own = new Set([0x0020000d, 0x0020000e, 0x00100010, 0x00080020]);
  const identifiers = tabled.filter(({ tag }) => !own.has(tag)).map(({ tag, vr }) => values(tag, vr));
  const below = [...identifiers, ...numbers(), ...privateNumbers, lookUpTable];
  return ctImage([...identifiers, ...numbers(), ...privateNumbers, lookUpTable, nested(below, 3)]);
}

describe.each(Object.entries(PROFILES))("item 11: transfer syntaxes, %s", (options, profile) => {
  it.each(Object.entries(OTHERS))(
    "%s: byte for byte what explicit VR little endian gives",
    async (_name, transferSyntaxUid) => {
      const tokens = createTokens(1102);
      const source = object(tokens);
      const [expected, result] = [
        await deidentify(await part10Bytes(source), profile),
        await deidentify(await part10Bytes(source, { transferSyntaxUid }), profile),
      ];
      // What devices and institutions are called is an identifier where no option retains it.
      if (options !== "every option that retains") expectGone(result, tokens);
      expect(result.transferSyntaxUid).toBe(EXPLICIT_VR_LITTLE_ENDIAN);
      expect(expected.bytes.length).toBeGreaterThan(1_500);
      expect([...result.dataSet.keys()]).toEqual([...expected.dataSet.keys()]);
      expect(dataSetBytes(result).equals(dataSetBytes(expected))).toBe(true);
      expect(result.bytes.equals(expected.bytes)).toBe(true);
    },
  );
});
