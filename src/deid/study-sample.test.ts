import { expect, it } from "vitest";
import { tagOf } from "../dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../dicom/values.ts";
import { sampleOf } from "./study-sample.ts";
import { text } from "./testing/objects.ts";

it("shows classes and lengths of what changed, but of UIDs, and no value", () => {
  const source = dataSetOf([
    text(0x00080060, "CT"),
    text(0x00080090, "Harcourt^Philippa"),
    text(0x00081030, "Thorax"),
    text(0x00100010, "Brandybuck^Meriadoc"),
    text(0x00100020, "77"),
    text(0x00100030, "19310704"),
    text(0x0020000d, "1.2.3"),
    sequenceElement(tagOf(0x00101002), []),
    element(tagOf(0x00291010), "LO", Buffer.from("private!")),
  ]);
  const output = dataSetOf([
    text(0x00080060, "CT"),
    text(0x00080090, ""),
    text(0x00100010, "P123"),
    text(0x00100020, "P123"),
    text(0x0020000d, "2.25.99"),
  ]);
  expect(sampleOf(source, output)).toEqual([
    { tag: "(0008,0090)", vr: "PN", depth: 0, before: { class: "name", length: 17 }, after: {} },
    { tag: "(0008,1030)", vr: "LO", depth: 0, before: { class: "text", length: 6 } },
    { tag: "(0010,0010)", vr: "PN", depth: 0, before: { class: "name", length: 19 }, after: { length: 4 } },
    { tag: "(0010,0020)", vr: "LO", depth: 0, before: { class: "id" }, after: { length: 4 } },
    { tag: "(0010,0030)", vr: "DA", depth: 0, before: { class: "date", length: 8 } },
    { tag: "(0010,1002)", vr: "SQ", depth: 0, before: { class: "sequence" } },
    { tag: "(0020,000D)", vr: "UI", depth: 0, before: { class: "uid" }, after: {} },
  ]);
});
