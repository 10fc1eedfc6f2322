import { expect, it } from "vitest";
import { tags } from "../../dicom/dictionary/tags.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, itemsOf, sequenceElement, textOf, textsOf } from "../../dicom/values.ts";
import { deidentifyObject, profileWith } from "../testing/deidentify.ts";
import { ctImage, text, unsigned } from "../testing/objects.ts";
import { content, report } from "../testing/reports.ts";

const profile = profileWith(["clean-descriptors"]);

async function outputOf(...changes: Parameters<typeof ctImage>[0] & {}) {
  const { outcome, dataSet } = await deidentifyObject(ctImage(changes), profile);
  expect(outcome.kind === "rejected" ? outcome.reason : "").toBe("");
  return dataSet;
}

it("keeps of descriptions what describes the image, and claims to", async () => {
  const output = await outputOf(
    text(0x00081030, "Thorax of Mr Brandybuck, 01.02.2024"),
    text(0x00181030, "Lung 5.0 B70f"),
  );
  expect(textOf(output, tags.StudyDescription)).toBe("Thorax of");
  expect(textOf(output, tags.SeriesDescription)).toBe("AXIAL LUNG");
  expect(textOf(output, tagOf(0x00181030))).toBe("Lung 5.0 B70f");
  const codes = itemsOf(output, tags.DeidentificationMethodCodeSequence).map((item) =>
    textOf(item.dataSet, tagOf(0x00080100)),
  );
  expect(codes).toEqual(["113100", "113105"]);
});

it("does as the basic profile does where nothing is left", async () => {
  const output = await outputOf(text(0x00081030, "Brandybuck"), text(0x300a0002, "Brandybuck"));
  expect(output.has(tags.StudyDescription)).toBe(false);
  expect(textOf(output, tagOf(0x300a0002))).toBe("LABEL");
});

it("drops words of the vocabulary that are somebody's name, in every spelling of it", async () => {
  const output = await outputOf(
    text(0x00100010, "Hand^Max"),
    text(0x00081030, "Right HAND, max. flexion"),
    element(tagOf(0x0008103e), "LO", Buffer.from("H\u00c4ND lateral", "latin1")),
    text(0x00080005, "ISO_IR 100"),
  );
  expect(textOf(output, tags.StudyDescription)).toBe("Right flexion");
  expect(textOf(output, tags.SeriesDescription)).toBe("lateral");
});

it("reads the item's character set, and what surrounds it where it has none", async () => {
  // A caron in Latin-2, a stroke in Latin-1. A data set that is made of foreign texts would declare them.
  const latin2 = element(tagOf(0x00400007), "LO", Buffer.from("Tho\u00f8ax", "latin1"));
  const latin = element(tagOf(0x00400007), "LO", Buffer.from("Thor\u00e1x", "latin1"));
  const items = [new Map([[latin2.tag, latin2]]), dataSetOf([text(0x00080005, "ISO_IR 100"), latin])];
  const output = await outputOf(text(0x00080005, "ISO_IR 101"), sequenceElement(tagOf(0x00400275), items));
  const descriptions = itemsOf(output, tagOf(0x00400275)).map(({ dataSet }) => [
    textOf(dataSet, latin.tag, { inheritedCharacterSet: "ISO_IR 192" }),
    dataSet.has(tags.SpecificCharacterSet),
  ]);
  expect(descriptions).toEqual([
    ["Tho\u0159ax", false],
    ["Thor\u00e1x", false],
  ]);
  expect(textOf(output, tags.SpecificCharacterSet)).toBe("ISO_IR 192");
});

it("reads nothing behind a NUL, nor what is no text of its character set or too long for its VR", async () => {
  const cut = await outputOf(text(0x00081030, "Chest\0lung"), text(0x00080005, "ISO_IR 192"));
  expect(textOf(cut, tags.StudyDescription)).toBe("Chest");
  const latin = element(tags.StudyDescription, "LO", Buffer.from("Chest \u00e1 lung ", "latin1"));
  expect((await outputOf(latin, text(0x00080005, "ISO_IR 192"))).has(latin.tag)).toBe(false);
  const endless = text(0x00081030, "lung ".repeat(20));
  expect((await outputOf(endless)).has(endless.tag)).toBe(false);
});

it("reads content items in the character set around them", async () => {
  const words = element(tagOf(0x0040a160), "UT", Buffer.from("Brandybuck: Tho\u00f8ax", "latin1"));
  const found = new Map([...content("TEXT", "121071 DCM", []), [words.tag, words]]);
  const document = report("1.2.840.10008.5.1.4.1.1.88.11", [found], [text(0x00080005, "ISO_IR 101")]);
  const cleaned = profileWith(["clean-descriptors", "clean-structured-content"], { sr: "keep" });
  const { dataSet } = await deidentifyObject(document, cleaned);
  const [kept] = itemsOf(dataSet, tagOf(0x0040a730));
  expect(kept && textOf(kept.dataSet, words.tag, { inheritedCharacterSet: "ISO_IR 192" })).toBe("Tho\u0159ax");
});

it("keeps the accents of words, in UTF-8", async () => {
  const output = await outputOf(
    text(0x00080005, "ISO_IR 100"),
    element(tagOf(0x0008103e), "LO", Buffer.from("Ábdomen de Zoë, Thor\u00e1x", "latin1")),
    text(0x00100010, "Br\u00e4ndybuck^Zo\u00eb"),
  );
  expect(textOf(output, tags.SeriesDescription)).toBe("Ábdomen Thor\u00e1x");
  expect(textOf(output, tags.SpecificCharacterSet)).toBe("ISO_IR 192");
});

it("cleans each value, and what was written as UN", async () => {
  const output = await outputOf(
    element(tagOf(0x00081030), "UN", Buffer.from("Brandybuck chest ")),
    text(0x00102110, "iodine\\Brandybuck\\barium"),
  );
  expect(textOf(output, tags.StudyDescription)).toBe("chest");
  expect(textsOf(output, tagOf(0x00102110))).toEqual(["iodine", "", "barium"]);
});

it("keeps labels of known words and numbers the others", async () => {
  const roi = (number: string, name: string) => dataSetOf([text(0x30060022, number), text(0x30060026, name)]);
  const segment = (number: number, name: string) => dataSetOf([unsigned(0x00620004, number), text(0x00620005, name)]);
  const output = await outputOf(
    sequenceElement(tagOf(0x30060020), [roi("1", "PTV_High"), roi("2", "Lung_L"), roi("3", "PTV Brandybuck")]),
    sequenceElement(tagOf(0x00620002), [segment(1, "Liver"), segment(2, "Liver of Meriadoc")]),
  );
  const labels = (sequence: number, tag: number) =>
    itemsOf(output, tagOf(sequence)).map((item) => textOf(item.dataSet, tagOf(tag)));
  expect(labels(0x30060020, 0x30060026)).toEqual(["PTV_High", "Lung_L", "ROI_3"]);
  expect(labels(0x00620002, 0x00620005)).toEqual(["Liver", "SEGMENT_2"]);
});

it("keeps names of structures that everybody uses, unless somebody is called so", async () => {
  const roi = (name: string, index: number) => dataSetOf([text(0x30060022, String(index + 1)), text(0x30060026, name)]);
  const named = async (names: readonly string[], patient: string) => {
    const output = await outputOf(sequenceElement(tagOf(0x30060020), names.map(roi)), text(0x00100010, patient));
    return itemsOf(output, tagOf(0x30060020)).map((item) => textOf(item.dataSet, tagOf(0x30060026)));
  };
  const kept = ["A_Brachiocephls", "SpinalCord_PRV05", "Lung~_L", "PTVp1_6600", "Lung_L-GTV", "PTV_CT1MR2_High"];
  expect(await named(kept, "Brandybuck^Meriadoc")).toEqual(kept);
  expect(await named(["PTV_1957", "Eye_L^Brandybuck", "PTV_MRN4455667"], "Brandybuck^Meriadoc")).toEqual([
    "ROI_1",
    "ROI_2",
    "ROI_3",
  ]);
  expect(await named(["SpinalCord", "Lens_L"], "Lens^Max")).toEqual(["SpinalCord", "ROI_2"]);
  // A name within a word, told by its capital.
  expect(await named(["SpinalCord", "HeadLens_L"], "Lens^Max")).toEqual(["SpinalCord", "ROI_2"]);
});

it("drops a patient's name of two letters where it is a word, and none of a prefix", async () => {
  const output = await outputOf(
    text(0x00100010, "Pa^Ma^In^Md"),
    text(0x00081030, "chest PA in Ma, 120 mA md lat"),
    text(0x0008103e, "pa"),
  );
  expect(textOf(output, tags.StudyDescription)).toBe("chest 120 md lat");
  expect(output.has(tags.SeriesDescription)).toBe(false);
});

it("drops technical words that spell the patient's name, though each of them is one", async () => {
  const output = await outputOf(
    text(0x00100010, "Small^Tim"),
    text(0x00283003, "SMALL TIM LUNG"),
    text(0x00181250, "Body Tim Small"),
    text(0x00181251, "Body Tim"),
    text(0x00081090, "TIM Trio"),
  );
  expect([0x00283003, 0x00181250].map((tag) => output.has(tagOf(tag)))).toEqual([false, false]);
  expect([0x00181251, 0x00081090].map((tag) => textOf(output, tagOf(tag)))).toEqual(["Body Tim", "TIM Trio"]);
});
