import type { DataElement, ElementValue, SequenceItem } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import type { Vr } from "../../dicom/vr.ts";
import type { Rule } from "../rules/rule.ts";
import {
  CODED_IDENTITY_SEQUENCES,
  DUMMIES,
  DUMMY_CODE,
  DUMMY_ITEM_TEXTS,
  DUMMY_ITEM_WORDS,
} from "../tables/dummies.ts";
import { GRAPHIC_OBJECT_SEQUENCE } from "../tables/presentation-sequences.ts";
import { codedElements, dummyCodedItem, textElement } from "./coded-entry.ts";
import { dummyBytes } from "./element-bytes.ts";
import type { FilterContext } from "./filter-context.ts";

type DummyElements = (context: Pick<FilterContext, "uid">) => [Tag, DataElement][];

/** What the one item that stands for a removed sequence must hold. PS3.3 10.1, 10.8, C.17.2, C.17.3, C.10.10, C.10.5. */
const DUMMY_ITEMS: ReadonlyMap<number, DummyElements> = new Map<number, DummyElements>([
  [
    0x00081111, // Referenced Performed Procedure Step: nobody's
    ({ uid }) => [
      fixedText(tags.ReferencedSOPClassUID, "UI"),
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
      fixedText(0x0040a010, "CS"),
      fixedText(0x0040a040, "CS"),
      sequenceOf(0x0040a043, [new Map(codedElements(DUMMY_CODE))]),
      textElement(tagOf(0x0040a160), "UT", DUMMIES.UT ?? ""),
    ],
  ],
  [
    0x0040b020, // Waveform Annotation: of all channels of the first group
    () => [fixedWords(0x0040a0b0), textElement(tagOf(0x00700006), "ST", DUMMIES.ST ?? "")],
  ],
  [
    0x00700001, // Graphic Annotation: a point at the corner of the displayed area, in the first layer
    () => [
      fixedText(0x00700002, "CS"),
      sequenceOf(GRAPHIC_OBJECT_SEQUENCE, [
        new Map([
          fixedText(0x00700005, "CS"),
          fixedWords(0x00700020),
          fixedWords(0x00700021),
          bytesElement(0x00700022, "FL", new Uint8Array(8)),
          fixedText(0x00700023, "CS"),
        ]),
      ]),
    ],
  ],
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

function fixedText(tag: number, vr: Vr): [Tag, DataElement] {
  return textElement(tagOf(tag), vr, DUMMY_ITEM_TEXTS.get(tag) ?? "");
}

function fixedWords(tag: number): [Tag, DataElement] {
  return bytesElement(tag, "US", Uint8Array.from((DUMMY_ITEM_WORDS.get(tag) ?? []).flatMap((word) => [word, 0])));
}

function bytesElement(tag: number, vr: Vr, bytes: Uint8Array): [Tag, DataElement] {
  return [tagOf(tag), { tag: tagOf(tag), vr, value: { kind: "bytes", bytes }, undefinedLength: false }];
}

function sequenceOf(tag: number, dataSets: readonly ReadonlyMap<Tag, DataElement>[]): [Tag, DataElement] {
  const value: ElementValue = { kind: "sequence", items: dataSets.map(itemOf) };
  return [tagOf(tag), { tag: tagOf(tag), vr: "SQ", value, undefinedLength: false }];
}

function itemOf(dataSet: ReadonlyMap<Tag, DataElement>): SequenceItem {
  return { dataSet, undefinedLength: false };
}
