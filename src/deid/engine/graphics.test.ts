import { describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { bytesOf, dataSetOf, element, itemsOf, sequenceElement, textOf, uidOf } from "../../dicom/values.ts";
import { deidentifyObject, profileWith } from "../testing/deidentify.ts";
import { ctImage, text, unsigned } from "../testing/objects.ts";

const PRESENTATION_STATE = "1.2.840.10008.5.1.4.1.1.11.1";
const ECG = "1.2.840.10008.5.1.4.1.1.9.1.2";
const ANNOTATIONS = tagOf(0x00700001);
const GRAPHICS = tagOf(0x00700009);
const LAYERS = tagOf(0x00700060);
const LAYER = tagOf(0x00700002);
const WAVEFORMS = tagOf(0x54000100);
const WAVEFORM_DATA = tagOf(0x54001010);
const CHANNELS = tagOf(0x003a0200);

/** An object of the class without any image. */
function object(sopClass: string, changes: readonly DataElement[]): DataSet {
  const image = ctImage([text(0x00080016, sopClass), text(0x00080060, "PR"), ...changes]);
  return new Map([...image].filter(([tag]) => tag >>> 16 !== 0x0028 && tag !== 0x7fe00010));
}

const outline = element(tagOf(0x00700022), "FL", Buffer.alloc(16, 1));
const graphic = dataSetOf([
  text(0x00700005, "PIXEL"),
  unsigned(0x00700020, 2),
  unsigned(0x00700021, 2),
  outline,
  text(0x00700023, "POLYLINE"),
  text(0x00700024, "N"),
]);
const words = dataSetOf([text(0x00700006, "Brandybuck, Meriadoc"), text(0x00700003, "PIXEL")]);
const annotated = object(PRESENTATION_STATE, [
  text(0x00700080, "BRANDYBUCK"),
  text(0x00700084, "Harcourt^Philippa"),
  sequenceElement(ANNOTATIONS, [
    dataSetOf([text(0x00700002, "FOR DR HARCOURT"), sequenceElement(GRAPHICS, [graphic])]),
    dataSetOf([text(0x00700002, "NAMES"), sequenceElement(tagOf(0x00700008), [words])]),
    dataSetOf([
      text(0x00700002, "FOR DR HARCOURT"),
      sequenceElement(tagOf(0x00700008), [words]),
      sequenceElement(GRAPHICS, [graphic]),
    ]),
  ]),
  sequenceElement(LAYERS, [
    dataSetOf([text(0x00700002, "NAMES"), text(0x00700062, "1"), text(0x00700068, "of Brandybuck")]),
    dataSetOf([text(0x00700002, "FOR DR HARCOURT"), text(0x00700062, "2")]),
  ]),
]);

describe("a presentation state", () => {
  it("keeps lines with clean-graphics, and no text", async () => {
    const { dataSet, bytes, outcome } = await deidentifyObject(annotated, profileWith(["clean-graphics"]));
    expect(outcome.kind === "rejected" ? outcome : "").toBe("");
    const items = itemsOf(dataSet, ANNOTATIONS).map((item) => item.dataSet);
    expect(items.map((item) => [...item.keys()])).toEqual([
      [LAYER, GRAPHICS],
      [LAYER, GRAPHICS],
    ]);
    const [object] = itemsOf(items[0] ?? new Map(), GRAPHICS);
    expect(bytesOf(object?.dataSet ?? new Map(), outline.tag)).toEqual(Uint8Array.from(Buffer.alloc(16, 1)));
    expect(bytes.toString("latin1")).not.toMatch(/brandybuck|harcourt|meriadoc/i);
    expect(textOf(dataSet, tagOf(0x00700080))).toBe("LABEL");
  });

  it("keeps layers apart and annotations in theirs", async () => {
    const { dataSet } = await deidentifyObject(annotated, profileWith(["clean-graphics"]));
    const layersOf = (tag: typeof LAYERS) => itemsOf(dataSet, tag).map((item) => textOf(item.dataSet, LAYER));
    const [names, harcourt] = layersOf(LAYERS);
    expect(layersOf(ANNOTATIONS)).toEqual([harcourt, harcourt]);
    expect(names).not.toBe(harcourt);
  });

  it("has one annotation without the option: a point in the corner, in a layer that there is", async () => {
    const { dataSet } = await deidentifyObject(annotated, profileWith([]));
    const [annotation, ...others] = itemsOf(dataSet, ANNOTATIONS).map((item) => item.dataSet);
    const [point, ...points] = itemsOf(annotation ?? new Map(), GRAPHICS).map((item) => item.dataSet);
    expect([others, points]).toEqual([[], []]);
    expect([...(annotation ?? new Map()).keys()]).toEqual([LAYER, GRAPHICS]);
    expect(bytesOf(point ?? new Map(), outline.tag)).toEqual(new Uint8Array(8));
    expect(textOf(point ?? new Map(), tagOf(0x00700023))).toBe("POINT");
    const layers = itemsOf(dataSet, LAYERS).map((item) => textOf(item.dataSet, LAYER));
    expect(layers).toContain(textOf(annotation ?? new Map(), LAYER));
  });
});

describe("a waveform", () => {
  const samples = element(WAVEFORM_DATA, "OW", Buffer.from([1, 0, 2, 0, 3, 0, 4, 0]));
  const channel = dataSetOf([text(0x003a0203, "Lead II of Brandybuck"), text(0x003a0210, "1.25")]);
  const recorded = (data: DataElement): DataSet =>
    object(ECG, [
      text(0x00080060, "ECG"),
      sequenceElement(tagOf(0x0040b020), [dataSetOf([text(0x00700006, "seen by Harcourt")])]),
      sequenceElement(WAVEFORMS, [
        dataSetOf([
          text(0x003a0004, "ORIGINAL"),
          unsigned(0x003a0005, 1),
          text(0x003a001a, "500"),
          sequenceElement(CHANNELS, [channel]),
          unsigned(0x54001004, 16),
          text(0x54001006, "SS"),
          data,
        ]),
      ]),
    ]);

  it("keeps its samples and what its channels are, without what was written about them", async () => {
    const { dataSet, outcome, bytes } = await deidentifyObject(
      recorded(samples),
      profileWith(["clean-descriptors", "clean-structured-content"]),
    );
    expect(outcome.kind === "rejected" ? outcome : "").toBe("");
    const waveform = itemsOf(dataSet, WAVEFORMS)[0]?.dataSet ?? new Map();
    expect(bytesOf(waveform, WAVEFORM_DATA)).toEqual(Uint8Array.of(1, 0, 2, 0, 3, 0, 4, 0));
    expect(textOf(itemsOf(waveform, CHANNELS)[0]?.dataSet ?? new Map(), tagOf(0x003a0203))).toBe("of");
    expect(itemsOf(dataSet, tagOf(0x0040b020))).toEqual([]);
    expect(bytes.toString("latin1")).not.toMatch(/brandybuck|harcourt/i);
  });

  it("is searched for identifiers in its samples, and keeps none that are bytes of sound", async () => {
    const hidden = element(WAVEFORM_DATA, "OW", Buffer.from("Brandybuck"));
    const { outcome } = await deidentifyObject(recorded(hidden), profileWith([]));
    expect(outcome).toEqual({ kind: "rejected", code: "IDENTIFIER_FOUND", reason: expect.stringContaining("name in") });
    const sound = element(WAVEFORM_DATA, "OB", Buffer.from("Brandybuck"));
    const { dataSet } = await deidentifyObject(recorded(sound), profileWith([]));
    expect(itemsOf(dataSet, WAVEFORMS)[0]?.dataSet.has(WAVEFORM_DATA)).toBe(false);
  });
});

it("segments keep descriptions of known words, and their tracking UIDs anew", async () => {
  const segment = dataSetOf([
    unsigned(0x00620004, 1),
    text(0x00620005, "Liver"),
    text(0x00620006, "Lesion of Brandybuck"),
    text(0x00620020, "Brandybuck-1"),
    text(0x00620021, "1.2.826.0.1.3680043.9.7.9"),
  ]);
  const image = ctImage([sequenceElement(tagOf(0x00620002), [segment])]);
  const { dataSet } = await deidentifyObject(image, profileWith(["clean-descriptors"]));
  const [kept] = itemsOf(dataSet, tagOf(0x00620002)).map((item) => item.dataSet);
  expect(textOf(kept ?? new Map(), tagOf(0x00620006))).toBe("Lesion of");
  expect(textOf(kept ?? new Map(), tagOf(0x00620020))).toBeUndefined();
  expect(uidOf(kept ?? new Map(), tagOf(0x00620021))).toMatch(/^2\.25\./);
});
