import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, sequenceElement } from "../../dicom/values.ts";
import { ctImage, text } from "./objects.ts";

/** A coded entry "value scheme", its meaning the sender's own. */
export function code(concept: string, meaning = "Brandybuck's"): DataSet {
  const [value = "", scheme = ""] = concept.split(" ");
  return dataSetOf([text(0x00080100, value), text(0x00080102, scheme), text(0x00080104, meaning)]);
}

/** A content item. PS3.3 C.17.3. */
export function content(
  valueType: string,
  concept: string,
  values: readonly DataElement[],
  children: readonly DataSet[] = [],
): DataSet {
  return dataSetOf([
    text(0x0040a010, "CONTAINS"),
    text(0x0040a040, valueType),
    sequenceElement(tagOf(0x0040a043), [code(concept)]),
    ...values,
    ...(children.length > 0 ? [sequenceElement(tagOf(0x0040a730), children)] : []),
  ]);
}

/** A content item that refers to an image. */
export function image(concept: string, sopInstanceUid: string): DataSet {
  const reference = dataSetOf([text(0x00081150, "1.2.840.10008.5.1.4.1.1.2"), text(0x00081155, sopInstanceUid)]);
  return content("IMAGE", concept, [sequenceElement(tagOf(0x00081199), [reference])]);
}

/** A document of one patient with a content tree, verified by somebody. PS3.3 A.35. */
export function report(sopClassUid: string, items: readonly DataSet[], changes: readonly DataElement[] = []): DataSet {
  const observer = dataSetOf([
    text(0x0040a027, "Saint Elsewhere Infirmary"),
    text(0x0040a030, "20240229101500"),
    text(0x0040a075, "Harcourt^Philippa"),
  ]);
  const document = ctImage([
    text(0x00080016, sopClassUid),
    text(0x00080060, "SR"),
    text(0x0040a040, "CONTAINER"),
    sequenceElement(tagOf(0x0040a043), [code("18748-4 LN")]),
    text(0x0040a050, "SEPARATE"),
    sequenceElement(tagOf(0x0040a073), [observer]),
    text(0x0040a491, "COMPLETE"),
    text(0x0040a493, "VERIFIED"),
    sequenceElement(tagOf(0x0040a730), items),
    ...changes,
  ]);
  return new Map([...document].filter(([tag]) => tag >>> 16 !== 0x0028 && tag !== 0x7fe00010));
}
