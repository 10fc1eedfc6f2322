import { describe, expect, it } from "vitest";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { ctImage } from "../../../src/deid/testing/objects.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import type { Vr } from "../../../src/dicom/vr.ts";
import { explicit, explicitOfUndefinedLength, implicit, item } from "./support/bytes.ts";
import { deidentify, expectGone, expectRefused } from "./support/engine.ts";
import { fileWith, valuesIn } from "./support/objects.ts";
import { confidentialityTable } from "./support/table.ts";
import { createTokens, type Tokens } from "./support/tokens.ts";

const basic = profileWith([]);
/** Shared Functional Groups and CT Reconstruction, which stay; Referenced Study, which Table E.1-1 has; nobody's. */
const [RETAINED, CT_RECONSTRUCTION, TABLED, UNLISTED] = [0x52009229, 0x00189314, 0x00081110, 0x00189ff0];
/** Without these nothing can be told of an object: it is refused. */
const IDENTITY = new Set([0x00080016, 0x00080018, 0x0020000d, 0x0020000e]);
const SLICE_THICKNESS = 0x00180050;
const CONVOLUTION_KERNEL = 0x00181210;

/** Within UN everything is implicit VR little endian. PS3.5 6.2.2. */
const planted = (tokens: Tokens): Buffer[] => [
  implicit(0x00080080, tokens.text()),
  implicit(0x00081155, tokens.uid()),
  implicit(0x00100010, tokens.text()),
  implicit(SLICE_THICKNESS, "2.50"),
  implicit(0x00291010, tokens.text()),
];

describe("item 7: UN of undefined length that holds a standard sequence", () => {
  it.each([
    ["kept", RETAINED],
    ["in the Table", TABLED],
    ["unlisted", UNLISTED],
    ["private", 0x00291001],
  ])("%s: judged item by item or removed", async (kind, tag) => {
    const tokens = createTokens(70);
    const inner = Buffer.concat([implicit(CT_RECONSTRUCTION, item(...planted(tokens)))]);
    const unknown = explicitOfUndefinedLength(tag, "UN", item(inner, ...planted(tokens)));
    const result = await deidentify(await fileWith(ctImage(), unknown), basic);
    expectGone(result, tokens);
    const { value } = result.dataSet.get(tagOf(tag)) ?? {};
    if (kind !== "kept") return;
    const items = value?.kind === "sequence" ? value.items : [];
    expect(items.map(({ dataSet }) => valuesIn(dataSet, SLICE_THICKNESS))).toEqual([["2.50"]]);
  });

  it("refuses the object when a sequence that would stay cannot be gone through", async () => {
    const tokens = createTokens(71);
    const unknown = explicit(RETAINED, "UN", tokens.text());
    expect(expectRefused(await deidentify(await fileWith(ctImage(), unknown), basic), tokens)).toBe(
      "DEIDENTIFICATION_UNPROVEN unreadable-sequence (5200,9229)",
    );
  });
});

describe("item 7: a standard attribute written as UN", () => {
  it("is judged by the dictionary: identifiers go, numbers that are some stay, others go", async () => {
    const tokens = createTokens(72);
    const file = await fileWith(
      ctImage(),
      explicit(0x00100010, "UN", tokens.text()),
      explicit(0x00102160, "UN", tokens.text()),
      explicit(0x00104000, "UN", tokens.text()),
    );
    expectGone(await deidentify(file, basic), tokens);
    const kernel = await deidentify(await fileWith(ctImage(), explicit(CONVOLUTION_KERNEL, "UN", "B30f")), basic);
    expect(valuesIn(kernel.dataSet, CONVOLUTION_KERNEL)).toEqual(["B30f"]);
    const text = await deidentify(await fileWith(ctImage(), explicit(CONVOLUTION_KERNEL, "UN", tokens.text())), basic);
    expectGone(text, tokens);
    const thickness = await deidentify(await fileWith(ctImage(), explicit(SLICE_THICKNESS, "UN", "2.50")), basic);
    expect(valuesIn(thickness.dataSet, SLICE_THICKNESS)).toEqual(["2.50"]);
    const name = await deidentify(await fileWith(ctImage(), explicit(SLICE_THICKNESS, "UN", tokens.text())), basic);
    expectGone(name, tokens);
  });
});

describe("item 7: an explicit VR that is not the dictionary's", () => {
  const VRS: readonly Vr[] = [
    "AE",
    "LO",
    "UT",
    "OB",
    "UN",
    "PN",
    "UC",
    "LT",
    "OW",
    "US",
    "UL",
    "FD",
    "DS",
    "UI",
    "AT",
    "OL",
  ];
  /** Rows, Slice Thickness, KVP, Image Type, Window Explanation, kernel, position: kept when they are what they should be. */
  const KEPT = [
    0x00280010,
    SLICE_THICKNESS,
    0x00180060,
    0x00080008,
    0x00281055,

    CONVOLUTION_KERNEL,
    0x00200032,
  ];

  it.each(VRS)("%s: no attribute that stays passes a text", async (vr) => {
    const tokens = createTokens(7000 + VRS.indexOf(vr));
    for (const tag of KEPT) {
      const text = tokens.text().concat("    ");
      const result = await deidentify(await fileWith(ctImage(), explicit(tag, vr, text)), basic);
      if (result.outcome.kind === "rejected") expectRefused(result, tokens);
      else expectGone(result, tokens);
    }
  });

  it.each(VRS)("%s: nothing of the Table stays", async (vr) => {
    const tokens = createTokens(7100 + VRS.indexOf(vr));
    const rows = confidentialityTable().filter(({ tag }) => tag >= 0x00080000 && tag !== 0x00420011);
    const lying = rows
      // A sequence that is UN and cannot be gone through stops the object: see above.
      .filter((row) => !IDENTITY.has(row.tag) && (vr !== "UN" || row.vr !== "SQ"))
      .map(({ tag }) => explicit(tag, vr, tokens.text().concat("    ")));
    expectGone(await deidentify(await fileWith(ctImage(), ...lying), basic), tokens);
  });

  it("a sequence written as text, and text written as a sequence", async () => {
    const tokens = createTokens(72);
    const file = await fileWith(
      ctImage(),
      explicit(0x00104000, "SQ", item(explicit(0x00100010, "PN", tokens.text()))),
      explicit(CONVOLUTION_KERNEL, "SQ", item(explicit(0x00181210, "SH", tokens.text()))),
    );
    expectGone(await deidentify(file, basic), tokens);
    const sequences = [TABLED, CT_RECONSTRUCTION].map((tag) => explicit(tag, "LT", tokens.text()));
    for (const sequence of sequences) {
      const result = await deidentify(await fileWith(ctImage(), sequence), basic);
      if (result.outcome.kind === "rejected") expectRefused(result, tokens);
      else expectGone(result, tokens);
    }
  });
});
