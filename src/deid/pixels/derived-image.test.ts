import { describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, itemsOf, sequenceElement, textOf, textsOf, uidOf } from "../../dicom/values.ts";
import { deidentifyObject, profileWith } from "../testing/deidentify.ts";
import { COLUMNS, ctImage, ROWS, text } from "../testing/objects.ts";
import { USUAL_PIXELS } from "./pixel-settings.ts";

const STORAGE = "1.2.840.10008.5.1.4.1.1.";
const IMAGE_TYPE = tagOf(0x00080008);
const SOURCE_IMAGES = tagOf(0x00082112);
const SHARED_GROUPS = tagOf(0x52009229);
const PER_FRAME_GROUPS = tagOf(0x52009230);
const FRAME_TYPE = tagOf(0x00089007);

/** The object behind a mask over its first row. */
async function masked(sopClass: string, elements: readonly DataElement[]): Promise<DataSet> {
  const image = ctImage([text(0x00080016, STORAGE + sopClass), ...elements]);
  const area = { kind: "rectangles", rectangles: [{ x: 0, y: 0, width: COLUMNS, height: 1 }] } as const;
  const masks = [{ name: "first-row", when: { rows: ROWS, columns: COLUMNS }, area }];
  const result = await deidentifyObject(image, profileWith([], { pixels: { ...USUAL_PIXELS, masks } }));
  expect(result.outcome.kind === "rejected" ? result.outcome : "").toBe("");
  return result.dataSet;
}

const groupsOf = (sequence: number, ...elements: readonly DataElement[]): DataSet =>
  dataSetOf([sequenceElement(tagOf(sequence), [dataSetOf(elements)])]);
const groupIn = (dataSet: DataSet, groups: typeof SHARED_GROUPS, sequence: number): DataSet | undefined =>
  itemsOf(itemsOf(dataSet, groups)[0]?.dataSet ?? new Map(), tagOf(sequence))[0]?.dataSet;

describe("an image that a mask made a derived one", () => {
  it("has frames as derived as itself, whatever they were, shared or each for itself", async () => {
    const dataSet = await masked("2.1", [
      text(IMAGE_TYPE, "MIXED\\PRIMARY\\VOLUME\\NONE"),
      sequenceElement(SHARED_GROUPS, [groupsOf(0x00189329, text(FRAME_TYPE, "ORIGINAL\\PRIMARY\\VOLUME\\NONE"))]),
      sequenceElement(PER_FRAME_GROUPS, [groupsOf(0x00189329, text(FRAME_TYPE, "DERIVED\\PRIMARY\\VOLUME\\MEAN"))]),
    ]);
    expect(textsOf(dataSet, IMAGE_TYPE)).toEqual(["DERIVED", "PRIMARY", "VOLUME", "NONE"]);
    const types = [SHARED_GROUPS, PER_FRAME_GROUPS].map((groups) =>
      textsOf(groupIn(dataSet, groups, 0x00189329) ?? new Map(), FRAME_TYPE),
    );
    expect(types).toEqual([
      ["DERIVED", "PRIMARY", "VOLUME", "NONE"],
      ["DERIVED", "PRIMARY", "VOLUME", "MEAN"],
    ]);
  });

  it("does not say of enhanced MR how an original was acquired, but all else of its physics", async () => {
    const dataSet = await masked("4.1", [
      text(0x00080060, "MR"),
      text(IMAGE_TYPE, "ORIGINAL\\PRIMARY\\DIFFUSION\\NONE"),
      text(0x00180023, "3D"),
      text(0x00189005, "SE"),
      text(0x00189008, "SPIN"),
      text(0x00189014, "NO"),
      text(0x00189172, "NONE"),
      text(0x00181083, "4"),
    ]);
    const present = [0x00180023, 0x00189005, 0x00189008, 0x00189014, 0x00189172, 0x00181083].filter((tag) =>
      dataSet.has(tagOf(tag)),
    );
    expect(present).toEqual([0x00189008, 0x00189014]);
  });

  it("says it of MR of one frame, where it belongs to the image", async () => {
    const dataSet = await masked("4", [
      text(0x00080060, "MR"),
      text(IMAGE_TYPE, "ORIGINAL\\PRIMARY\\M"),
      text(0x00180023, "3D"),
      text(0x00181083, "4"),
    ]);
    expect([textOf(dataSet, tagOf(0x00180023)), textOf(dataSet, tagOf(0x00181083))]).toEqual(["3D", "4"]);
  });

  it("keeps everything where it was derived before", async () => {
    const dataSet = await masked("4.1", [
      text(0x00080060, "MR"),
      text(IMAGE_TYPE, "DERIVED\\PRIMARY\\DIFFUSION\\ADC"),
      text(0x00180023, "3D"),
    ]);
    expect(textOf(dataSet, tagOf(0x00180023))).toBe("3D");
  });

  it("calibrates no table of an original's", async () => {
    const calibration = groupsOf(0x00189401, text(0x00181130, "158"), text(0x00189449, "10"), text(0x00180050, "2"));
    const dataSet = await masked("12.1.1", [
      text(0x00080060, "XA"),
      text(IMAGE_TYPE, "ORIGINAL\\PRIMARY\\SINGLE PLANE"),
      sequenceElement(SHARED_GROUPS, [calibration]),
    ]);
    const left = groupIn(dataSet, SHARED_GROUPS, 0x00189401);
    expect([...(left?.keys() ?? [])].map((tag) => tag.toString(16))).toEqual(["180050"]);
  });

  it.each([
    ["an ophthalmic photograph", "77.1.5.1", "OP", ["DERIVED", "PRIMARY", "OTHER"]],
    ["an enhanced ultrasound volume", "6.2", "US", ["DERIVED", "PRIMARY"]],
  ])("names nobody's image as the source of %s, which must name one", async (_name, sopClass, modality, imageType) => {
    const dataSet = await masked(sopClass, [text(0x00080060, modality), text(IMAGE_TYPE, "ORIGINAL\\PRIMARY")]);
    expect(textsOf(dataSet, IMAGE_TYPE)).toEqual(imageType);
    const [source, ...others] = itemsOf(dataSet, SOURCE_IMAGES).map((item) => item.dataSet);
    expect(others).toEqual([]);
    expect(uidOf(source ?? new Map(), tagOf(0x00081150))).toBe(STORAGE + sopClass);
    expect(uidOf(source ?? new Map(), tagOf(0x00081155))).toMatch(/^2\.25\./);
    expect(uidOf(source ?? new Map(), tagOf(0x00081155))).not.toBe(uidOf(dataSet, tagOf(0x00080018)));
  });
});
