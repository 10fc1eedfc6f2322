import { describe, expect, it } from "vitest";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { ctImage, part10Bytes, text } from "../../../src/deid/testing/objects.ts";
import type { DataElement, DataSet } from "../../../src/dicom/data-set.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../../../src/dicom/dictionary/transfer-syntaxes.ts";
import { isPrivate, tagOf } from "../../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../../src/dicom/values.ts";
import type { Vr } from "../../../src/dicom/vr.ts";
import { implicit, item } from "./support/bytes.ts";
import { deidentify, expectGone, expectRefused } from "./support/engine.ts";
import { itemAt, nested, valuesIn } from "./support/objects.ts";
import { createTokens, type Tokens } from "./support/tokens.ts";

const safePrivate = profileWith(["retain-safe-private"]);
/** PS3.15 table E.3.10-1: (0019,xx0C) is a b value (IS), (0019,xx0E) a direction (FD, three of them), (0019,xx0D) a term. */
const SIEMENS = "SIEMENS MR HEADER";
const B_VALUE = Buffer.from("1000");
const DIRECTION = Buffer.from(new Float64Array([0.25, 0.5, -1]).buffer);

const privateText = (tag: number, vr: Vr, value: string | Uint8Array): DataElement =>
  element(tagOf(tag), vr, Buffer.from(value));

const LISTED_SEQUENCE = "a listed sequence with the patient in it";
/** What a block may hold although nobody vouches for it. */
const cases: Readonly<Record<string, (tokens: Tokens) => DataElement[]>> = {
  "an unknown creator": (tokens) => [
    privateText(0x00290010, "LO", "ACME 1.0"),
    ...(["LO", "PN", "OB", "UN", "UT", "DA", "IS", "CS"] as const).map((vr, index) =>
      privateText(0x00291000 + index, vr, tokens.text()),
    ),
  ],
  "text in a creator": (tokens) => [
    privateText(0x00290010, "LO", tokens.text()),
    privateText(0x00190010, "LO", `${SIEMENS} ${tokens.text()}`),
    privateText(0x0019100c, "IS", B_VALUE),
    privateText(0x00310011, "LO", tokens.text()),
  ],
  "a creator with text behind a NUL": (tokens) => [
    privateText(0x00190010, "LO", `${SIEMENS}\0${tokens.text()}`),
    privateText(0x0019100c, "IS", B_VALUE),
  ],
  "a creator of several values": (tokens) => [
    privateText(0x00190010, "LO", `${SIEMENS}\\${tokens.text()}`),
    privateText(0x0019100c, "IS", B_VALUE),
  ],
  "a creator that is no LO": (tokens) => [
    privateText(0x00190010, "UT", SIEMENS),
    privateText(0x0019100c, "LO", tokens.text()),
  ],
  "a creator in several blocks": (tokens) => [
    privateText(0x00190010, "LO", SIEMENS),
    privateText(0x00190011, "LO", SIEMENS),
    privateText(0x00191008, "CS", tokens.text()),
    privateText(0x00191108, "CS", tokens.text()),
    privateText(0x001911fe, "LO", tokens.text()),
  ],
  "a block without a creator": (tokens) => [
    privateText(0x00191008, "LO", tokens.text()),
    privateText(0x0019aa0c, "LO", tokens.text()),
    privateText(0x00190001, "LO", tokens.text()),
    privateText(0x0019000f, "LO", tokens.text()),
  ],
  "a creator around the item, but not in it": (tokens) => [
    privateText(0x00190010, "LO", SIEMENS),
    nested([privateText(0x0019100c, "LO", tokens.text()), privateText(0x00191008, "CS", tokens.text())], 1),
  ],
  "listed elements with another VR": (tokens) => [
    privateText(0x00190010, "LO", SIEMENS),
    privateText(0x0019100c, "LO", tokens.text()),
    // Of the size that numbers of the listed VR would have.
    privateText(0x0019100e, "UN", `${tokens.text()}    `),
    privateText(0x00191027, "UT", `${tokens.text()}    `),
  ],
  "listed elements with text in a VR of numbers": (tokens) => [
    privateText(0x00190010, "LO", SIEMENS),
    privateText(0x0019100c, "IS", tokens.text()),
    privateText(0x0019100d, "CS", tokens.text()),
    privateText(0x0019100e, "FD", `${tokens.text()}   `.slice(0, 15)),
  ],
  UN: (tokens) => [
    privateText(0x00290010, "LO", "ACME 1.0"),
    privateText(0x00291001, "UN", tokens.text()),
    privateText(0x00291002, "UN", item(implicit(0x00100010, tokens.text()))),
  ],
  "a private sequence with the patient in it": (tokens) => [
    privateText(0x00290010, "LO", "ACME 1.0"),
    sequenceElement(tagOf(0x00291001), [dataSetOf([text(0x00100010, tokens.text()), text(0x00100020, tokens.text())])]),
  ],
  [LISTED_SEQUENCE]: (tokens) => [
    privateText(0x20010010, "LO", "Philips Imaging DD 001"),
    sequenceElement(tagOf(0x2001105f), [
      dataSetOf([
        text(0x00100010, tokens.text()),
        text(0x00081155, tokens.uid()),
        privateText(0x20010010, "LO", tokens.text()),
        privateText(0x20011001, "LO", tokens.text()),
      ]),
    ]),
  ],
};

function privateTags(dataSet: DataSet | undefined): number[] {
  return [...(dataSet?.keys() ?? [])].filter((tag) => isPrivate(tag));
}

describe.each([
  ["without options", profileWith([])],
  ["with retain-safe-private", safePrivate],
] as const)("item 6: private elements %s", (_, profile) => {
  it.each(Object.entries(cases))("%s: gone", async (name, make) => {
    const seed = 600 + Object.keys(cases).indexOf(name);
    for (const depth of [0, 2]) {
      const tokens = createTokens(seed + 50 * depth);
      const elements = make(tokens);
      const source = await part10Bytes(ctImage(depth === 0 ? elements : [nested(elements, depth)]));
      const result = await deidentify(source, profile);
      expectGone(result, tokens);
      if (name !== LISTED_SEQUENCE) expect(privateTags(itemAt(result.dataSet, depth))).toEqual([]);
    }
  });

  it("gone where the VR is implicit, or the object is refused", async () => {
    const tokens = createTokens(650);
    const elements = Object.values(cases).flatMap((make) => make(tokens));
    const source = await part10Bytes(ctImage(elements), { transferSyntaxUid: IMPLICIT_VR_LITTLE_ENDIAN });
    const result = await deidentify(source, profile);
    // Nothing says that what is listed as numbers is text: verification finds that it is.
    if (result.outcome.kind === "rejected") expect(expectRefused(result, tokens)).toMatch(/^IDENTIFIER_FOUND private /);
    else expectGone(result, tokens);
  });
});

describe("item 6: listed safe numeric values", () => {
  const block = (blockNumber: number): DataElement[] => [
    privateText(0x00190000 + blockNumber, "LO", SIEMENS),
    privateText(0x00190000 + blockNumber * 0x100 + 0x0c, "IS", B_VALUE),
    privateText(0x00190000 + blockNumber * 0x100 + 0x0e, "FD", DIRECTION),
  ];
  const source = part10Bytes(ctImage([...block(0x10), ...block(0x42), nested(block(0x15), 3)]));

  it("stay with retain-safe-private, each block with its creator, at every depth", async () => {
    const { dataSet } = await deidentify(await source, safePrivate);
    expect(privateTags(dataSet)).toEqual([0x00190010, 0x00190011, 0x0019100c, 0x0019100e, 0x0019110c, 0x0019110e]);
    for (const [creator, bValue] of [
      [0x00190010, 0x0019100c],
      [0x00190011, 0x0019110c],
    ] as const) {
      expect(valuesIn(dataSet, creator)).toEqual([SIEMENS]);
      expect(valuesIn(dataSet, bValue)).toEqual(["1000"]);
    }
    expect(dataSet.get(tagOf(0x0019100e))?.value).toEqual({ kind: "bytes", bytes: Uint8Array.from(DIRECTION) });
    expect(valuesIn(itemAt(dataSet, 3), 0x0019100c)).toEqual(["1000"]);
  });

  it("go without it", async () => {
    const { dataSet } = await deidentify(await source, profileWith([]));
    expect(privateTags(dataSet)).toEqual([]);
    expect(privateTags(itemAt(dataSet, 3))).toEqual([]);
  });
});
