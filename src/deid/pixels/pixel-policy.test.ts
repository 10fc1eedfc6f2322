import { describe, expect, it } from "vitest";
import type { DataElement } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../dicom/values.ts";
import { text, unsigned } from "../testing/objects.ts";
import { decidePixels, type PixelQuestion } from "./pixel-policy.ts";
import { USUAL_PIXELS } from "./pixel-settings.ts";
import { PIXEL_CLASSES } from "./sop-classes.ts";

const STORAGE = "1.2.840.10008.5.1.4.1.1.";
const EXPLICIT = "1.2.840.10008.1.2.1";
const BASE = [
  text(0x00280004, "MONOCHROME2"),
  unsigned(0x00280002, 1),
  unsigned(0x00280010, 4),
  unsigned(0x00280011, 4),
  unsigned(0x00280100, 16),
  unsigned(0x00280101, 12),
  unsigned(0x00280102, 11),
];

function decide(sopClass: string, changes: readonly DataElement[] = [], question: Partial<PixelQuestion> = {}): string {
  const decision = decidePixels({
    settings: USUAL_PIXELS,
    documents: "reject",
    sopClassUid: sopClass.startsWith("1.") && sopClass.length > 12 ? sopClass : STORAGE + sopClass,
    transferSyntaxUid: EXPLICIT,
    dataSet: dataSetOf([...BASE, ...changes]),
    bigEndian: false,
    admitsStructured: false,
    isDecodable: false,
    ...question,
  });
  if (decision.kind === "let-out") return ["passes", ...decision.treatment.notes].join(" ");
  const { outcome } = decision;
  return `${outcome.kind} ${outcome.reason}`;
}

const NO = text(0x00280301, "NO");
const YES = text(0x00280301, "YES");
const IMAGES = [...PIXEL_CLASSES].filter(([, { kind }]) => kind === "pass" || kind.startsWith("needs-"));

describe("by class", () => {
  it.each([
    ["CT", "2", "passes"],
    ["MR", "4", "passes"],
    ["PET", "128", "passes"],
    ["nuclear medicine", "20", "passes"],
    ["enhanced CT", "2.1", "passes"],
    ["enhanced MR", "4.1", "passes"],
    ["enhanced PET", "130", "passes"],
    ["segmentation", "66.4", "passes"],
    ["RT dose", "481.2", "passes"],
    ["structure set", "481.3", "passes"],
    ["CR without a flag", "1", "rejected burned-in-annotation-not-stated"],
    ["DX without a flag", "1.1", "rejected burned-in-annotation-not-stated"],
    ["MG without a flag", "1.2", "rejected burned-in-annotation-not-stated"],
    ["intra-oral without a flag", "1.3", "rejected burned-in-annotation-not-stated"],
    ["ultrasound", "6.1", "rejected sop-class"],
    ["ultrasound of several frames", "3.1", "rejected sop-class"],
    ["secondary capture", "7", "rejected sop-class"],
    ["multi-frame colour secondary capture", "7.4", "rejected sop-class"],
    ["angiography", "12.1", "rejected sop-class"],
    ["fluoroscopy", "12.2", "rejected sop-class"],
    ["endoscopy", "77.1.1", "rejected sop-class"],
    ["photograph", "77.1.4", "rejected sop-class"],
    ["ophthalmic photograph", "77.1.5.1", "rejected sop-class"],
    ["endoscopic video", "77.1.1.1", "excluded video"],
    ["whole slide", "77.1.6", "rejected sop-class"],
    ["a private class", "1.3.12.2.1107.5.9.1", "rejected sop-class"],
    ["report", "88.11", "excluded sop-class"],
    ["presentation state", "11.1", "excluded sop-class"],
    ["PDF", "104.1", "excluded document"],
    ["CDA", "104.2", "excluded document"],
    ["STL", "104.3", "excluded document"],
  ])("%s", (_name, sopClass, expected) => {
    expect(decide(sopClass)).toBe(expected);
  });

  it("a film is a video whatever its class", () => {
    const films = [
      ...["1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.100.1", "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.107"],
      ...["1.2.840.10008.1.2.4.108", "1.2.840.10008.1.2.7.1"],
    ];
    for (const transferSyntaxUid of films) expect(decide("2", [], { transferSyntaxUid })).toBe("excluded video");
  });

  it("no image passes that says text is burned in, or a face can be known", () => {
    for (const [sopClass] of IMAGES) {
      expect(decide(sopClass, [YES])).toMatch(/^rejected/);
      expect(decide(sopClass, [NO, text(0x00280302, "YES")])).toBe("rejected recognizable-visual-features");
    }
  });

  it("no image passes that says anything but that it has no burned-in text, and no face that can be known", () => {
    for (const [sopClass] of IMAGES) {
      expect(decide(sopClass, [text(0x00280301, "UNKNOWN")])).toMatch(/^rejected/);
      expect(decide(sopClass, [NO, text(0x00280302, "UNKNOWN")])).toBe("rejected recognizable-visual-features");
    }
    expect(decide("2", [text(0x00280301, "UNKNOWN")])).toBe("rejected burned-in-annotation");
  });

  it("no object without pixels by its nature has any", () => {
    const pixels = [0x7fe00008, 0x7fe00009, 0x7fe00010].map((tag) => element(tagOf(tag), "OW", Uint8Array.of(1, 0)));
    for (const each of pixels) {
      for (const sopClass of ["481.3", "481.5", "66.1", "67", "9.1.1", "4.2"])
        expect(decide(sopClass, [each])).toBe("rejected unexpected-pixel-data");
      for (const sopClass of ["88.11", "88.59", "11.1"])
        expect(decide(sopClass, [each], { admitsStructured: true })).toBe("rejected unexpected-pixel-data");
      expect(decide("104.1", [each], { documents: "replace" })).toBe("excluded document");
    }
    expect(decide("88.11", [], { admitsStructured: true })).toBe("passes");
  });

  it("no CT or MR passes that is a screen, or of a modality that carries text", () => {
    for (const modality of ["CT", "MR"])
      for (const type of ["DERIVED\\SECONDARY", "DERIVED\\PRIMARY\\SCREEN SAVE", "ORIGINAL\\PRIMARY\\DOSE_INFO"])
        expect(decide("2", [text(0x00080060, modality), text(0x00080008, type)])).toBe("rejected image-type");
    expect(decide("2", [text(0x00080060, "OT")])).toBe("rejected modality");
    expect(decide("2", [text(0x00080060, "CT\\OT")])).toBe("rejected modality");
    expect(decide("2", [text(0x00080060, "ot")])).toBe("rejected modality");
    for (const modality of ["SC", "US"]) expect(decide("2", [text(0x00080060, modality)])).toBe("rejected modality");
    // A screen of a scanner that was sent as a radiograph.
    expect(decide("1.1", [NO, text(0x00080060, "ct"), text(0x00080008, "DERIVED\\SECONDARY")])).toBe(
      "rejected image-type",
    );
    for (const sopClass of ["2", "4"])
      expect(decide(sopClass, [text(0x00080008, "DERIVED\\Secondary")])).toBe("rejected image-type");
  });

  it("no acquired image passes that is a screen by its type", () => {
    for (const [sopClass, { kind }] of IMAGES.filter(([, { kind }]) => kind === "pass")) {
      for (const type of [
        "DERIVED\\SECONDARY",
        "DERIVED\\PRIMARY\\SCREEN SAVE",
        "DERIVED\\PRIMARY\\AXIAL\\CT_SOM7 PROT",
      ])
        expect(`${kind} ${decide(sopClass, [text(0x00080008, type)])}`).toBe("pass rejected image-type");
      expect(decide(sopClass, [text(0x00080008, "ORIGINAL\\PRIMARY\\AXIAL")])).toBe("passes");
    }
    expect(decide("481.2", [text(0x00080008, "DERIVED\\PRIMARY\\DOSE")])).toBe("passes");
    expect(decide("1.1", [NO, text(0x00080008, "DERIVED\\SECONDARY")])).toBe("passes");
  });

  it("no acquired image passes that has a frame that is a screen, shared or for itself, in whichever macro", () => {
    const typed = (macro: number, type: string) => sequenceElement(tagOf(macro), [dataSetOf([text(0x00089007, type)])]);
    const groups = (tag: number, ...types: (readonly [number, string])[]) =>
      sequenceElement(
        tagOf(tag),
        types.map(([macro, type]) => dataSetOf([text(0x00209157, "1"), typed(macro, type)])),
      );
    const axial = "ORIGINAL\\PRIMARY\\AXIAL\\NONE";
    for (const [sopClass, macro] of [
      ["2.1", 0x00189329],
      ["4.1", 0x00189226],
      ["130", 0x00189751],
    ] as const) {
      for (const screen of ["DERIVED\\PRIMARY\\SCREEN SAVE\\NONE", "DERIVED\\SECONDARY\\AXIAL\\NONE"]) {
        expect(decide(sopClass, [groups(0x52009229, [macro, screen])])).toBe("rejected frame-type");
        expect(decide(sopClass, [groups(0x52009230, [macro, axial], [macro, screen])])).toBe("rejected frame-type");
      }
      expect(decide(sopClass, [groups(0x52009230, [macro, axial], [macro, axial])])).toBe("passes");
    }
    expect(decide("481.2", [groups(0x52009229, [0x00189329, "DERIVED\\PRIMARY\\DOSE"])])).toBe("passes");
  });

  it("no image passes in colours, or with how it was captured, where its class is grey", () => {
    for (const sopClass of ["2", "20", "128", "130", "66.4", "481.2"]) {
      for (const colours of ["RGB", "Ybr_Full"])
        expect(decide(sopClass, [text(0x00280004, colours)])).toBe("rejected colour");
      expect(decide(sopClass, [unsigned(0x00280002, 3)])).toBe("rejected colour");
      expect(decide(sopClass, [text(0x00280004, "PALETTE COLOR")])).toBe("passes");
    }
    expect(decide("4", [text(0x00280004, "RGB")])).toBe("passes");
    for (const sopClass of ["2", "4", "4.1", "20", "128"])
      for (const conversion of ["WSD", "wsd", "SI"])
        expect(decide(sopClass, [text(0x00080064, conversion)])).toBe("rejected conversion-type");
    // Every capture says how it was made: a profile that allows them has decided.
    const allowing = { settings: { ...USUAL_PIXELS, allow: ["SC"] } };
    expect(decide("7", [text(0x00080060, "CT"), text(0x00080064, "WSD")], allowing)).toBe("passes");
  });

  it("what is said after a first value counts as much", () => {
    for (const [sopClass] of IMAGES) {
      expect(decide(sopClass, [text(0x00280301, "NO\\YES")])).toMatch(/^rejected/);
      expect(decide(sopClass, [text(0x00280301, "\\YES")])).toMatch(/^rejected/);
      expect(decide(sopClass, [NO, text(0x00280302, "NO\\YES")])).toBe("rejected recognizable-visual-features");
    }
  });

  it("overlays kept among the pixels: cleared where they are in bits of their own", () => {
    const at = (bit: number): DataElement[] => [unsigned(0x60000100, 16), unsigned(0x60000102, bit)];
    expect(decide("2", at(12))).toBe("passes");
    for (const bit of [0, 11]) expect(decide("2", at(bit))).toBe("rejected embedded-overlay");
    const itsOwn = element(tagOf(0x60003000), "OW", Uint8Array.of(1, 0));
    expect(decide("2", [unsigned(0x60000100, 1), unsigned(0x60000102, 0), itsOwn])).toBe("passes");
    expect(decide("2", [unsigned(0x60000100, 16)])).toBe("rejected embedded-overlay");
    const empty = element(tagOf(0x60003000), "OW", new Uint8Array());
    expect(decide("2", [unsigned(0x60000100, 16), empty])).toBe("rejected embedded-overlay");
    expect(decide("2", [...at(0), empty])).toBe("rejected embedded-overlay");
    expect(decide("2", at(12), { transferSyntaxUid: "1.2.840.10008.1.2.5" })).toBe("passes");
    expect(decide("2", at(12), { transferSyntaxUid: "1.2.840.10008.1.2.4.90" })).toBe("rejected embedded-overlay");
    const never = { settings: { ...USUAL_PIXELS, clearHighBits: "never" } } as const;
    expect(decide("2", at(12), never)).toBe("rejected embedded-overlay");
  });
});

describe("by the project's decision", () => {
  const settings = (changes: Partial<PixelQuestion["settings"]>): Partial<PixelQuestion> => ({
    settings: { ...USUAL_PIXELS, ...changes },
  });

  it("radiographs without a flag pass when somebody answers for them, and the report says so", () => {
    const signed = settings({ allowAbsent: "Board, 2026-03-02" });
    for (const sopClass of ["1", "1.1", "1.2", "1.3"])
      expect(decide(sopClass, [], signed)).toBe("passes burned-in-annotation-signed-off");
    expect(decide("1.1", [NO], signed)).toBe("passes");
    expect(decide("1.1", [YES], signed)).toBe("rejected burned-in-annotation");
  });

  it("a group of classes that is allowed passes, by its class and not by what it calls itself", () => {
    expect(decide("12.1", [], settings({ allow: ["XA"] }))).toBe("passes");
    expect(decide("12.1", [YES], settings({ allow: ["XA"] }))).toBe("rejected burned-in-annotation");
    expect(decide("7", [text(0x00080060, "CT")], settings({ allow: ["CT"] }))).toBe("rejected sop-class");
    expect(decide("1.1", [], settings({ allow: ["DX"] }))).toBe("rejected burned-in-annotation-not-stated");
  });

  it("nothing but what is allowed passes where the rest is refused", () => {
    const strict = settings({ default: "reject", allow: ["MR"] });
    expect(decide("4", [], strict)).toBe("passes");
    expect(decide("2", [], strict)).toBe("rejected sop-class");
    expect(decide("1.1", [NO], strict)).toBe("rejected sop-class");
  });

  it("a PDF may be replaced, other documents not", () => {
    const replace = { documents: "replace" } as const;
    expect(decide("104.1", [], replace)).toBe("passes");
    expect(decide("104.2", [], replace)).toBe("excluded document");
    expect(decide("2", [text(0x00420011, "x")], replace)).toBe("excluded document");
  });
});
