import type { DataElement, ElementValue, SequenceItem } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import type { Vr } from "../../dicom/vr.ts";
import type { Rule } from "../rules/rule.ts";
import { CODED_IDENTITY_SEQUENCES, DUMMIES, DUMMY_CODE } from "../tables/dummies.ts";
import { codedElements, dummyCodedItem, textElement } from "./coded-entry.ts";
import { dummyBytes } from "./element-bytes.ts";
import type { FilterContext } from "./filter-context.ts";

/** Modality Performed Procedure Step SOP Class. PS3.4 F.7. */
const MODALITY_PERFORMED_PROCEDURE_STEP = "1.2.840.10008.3.1.2.3.3";

type DummyElements = (context: Pick<FilterContext, "uid">) => [Tag, DataElement][];

/** What the one item that stands for a removed sequence must hold. PS3.3 10.1, 10.8, C.17.2, C.17.3, C.10.10, C.10.5. */
const DUMMY_ITEMS: ReadonlyMap<number, DummyElements> = new Map<number, DummyElements>([
  [
    0x00081111, // Referenced Performed Procedure Step: nobody's
    ({ uid }) => [
      textElement(tags.ReferencedSOPClassUID, "UI", MODALITY_PERFORMED_PROCEDURE_STEP),
      textElement(tags.ReferencedSOPInstanceUID, "UI", uid("dummy")),
    ],
  ],
  [
    0x00081072, // Operator Identification: a person, and of which institution
    () => [
      textElement(tags.InstitutionName, "LO", DUMMIES.LO ?? ""),
      sequenceOf(0x00401101, [new Map(codedElements(DUMMY_CODE))]),
    ],
  ],
  [
    0x0040a073, // Verifying Observer
    () => [
      textElement(tagOf(0x0040a027), "LO", DUMMIES.LO ?? ""),
      textElement(tagOf(0x0040a030), "DT", DUMMIES.DT ?? ""),
      textElement(tagOf(0x0040a075), "PN", DUMMIES.PN ?? ""),
      sequenceOf(0x0040a088, []),
    ],
  ],
  [
    0x0040a730, // Content
    () => [
      textElement(tagOf(0x0040a010), "CS", "CONTAINS"),
      textElement(tagOf(0x0040a040), "CS", "TEXT"),
      sequenceOf(0x0040a043, [new Map(codedElements(DUMMY_CODE))]),
      textElement(tagOf(0x0040a160), "UT", DUMMIES.UT ?? ""),
    ],
  ],
  [
    0x0040b020, // Waveform Annotation: of all channels of the first group
    () => [
      [tagOf(0x0040a0b0), numbers(0x0040a0b0, Uint8Array.of(1, 0, 0, 0))],
      textElement(tagOf(0x00700006), "ST", DUMMIES.ST ?? ""),
    ],
  ],
  [0x00700001, () => []], // Graphic Annotation
]);

/** A dummy says nothing of what it replaces. */
export function dummyValue(
  tag: number,
  vr: Vr,
  rule: Rule,
  context: Pick<FilterContext, "uid" | "types">,
): ElementValue {
  if (vr !== "SQ") return { kind: "bytes", bytes: dummyBytes(vr, rule, context.uid) };
  const elements = DUMMY_ITEMS.get(tag)?.(context);
  if (elements !== undefined) return { kind: "sequence", items: [itemOf(new Map(elements))] };
  const isCoded = CODED_IDENTITY_SEQUENCES.has(tag) || context.types(tag, 0x00080104) !== "unknown";
  return { kind: "sequence", items: isCoded ? [dummyCodedItem()] : [] };
}

function numbers(tag: number, bytes: Uint8Array): DataElement {
  return { tag: tagOf(tag), vr: "US", value: { kind: "bytes", bytes }, undefinedLength: false };
}

function sequenceOf(tag: number, dataSets: readonly ReadonlyMap<Tag, DataElement>[]): [Tag, DataElement] {
  const value: ElementValue = { kind: "sequence", items: dataSets.map(itemOf) };
  return [tagOf(tag), { tag: tagOf(tag), vr: "SQ", value, undefinedLength: false }];
}

function itemOf(dataSet: ReadonlyMap<Tag, DataElement>): SequenceItem {
  return { dataSet, undefinedLength: false };
}
