import type { DataElement, DataSet, SequenceItem } from "../../dicom/data-set.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import type { Vr } from "../../dicom/vr.ts";
import { splitValues } from "../rules/value-forms.ts";
import { codeMeaning } from "../tables/code-meanings.ts";
import { CODE_FORMS } from "../tables/code-schemes.ts";
import { DUMMY_CODE } from "../tables/dummies.ts";
import { heldBytes, textBytes } from "./element-bytes.ts";

const CODE_VALUE = tagOf(0x00080100);
const CODING_SCHEME_DESIGNATOR = tagOf(0x00080102);
const CODE_MEANING = tagOf(0x00080104);
const LONG_CODE_VALUE = tagOf(0x00080119);
const URN_CODE_VALUE = tagOf(0x00080120);

/** Characters of VR SH: longer ones have an attribute of their own. PS3.3 8.8. */
const LONGEST_CODE_VALUE = 16;

/** A coded entry as it may leave: value, scheme and a meaning that is not the sender's. */
export interface CodedEntry {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}

/** Whether an item is a coded entry. PS3.3 8.8. */
export function isCodedEntry(item: DataSet): boolean {
  return item.has(CODE_VALUE) || item.has(LONG_CODE_VALUE) || item.has(URN_CODE_VALUE);
}

/** The entry when its scheme is public and its value has the scheme's form; undefined: it goes. */
export function publicEntry(item: DataSet): CodedEntry | undefined {
  const value = firstValue(item.get(CODE_VALUE)) || firstValue(item.get(LONG_CODE_VALUE));
  const scheme = firstValue(item.get(CODING_SCHEME_DESIGNATOR));
  const form = CODE_FORMS.get(scheme);
  if (form === undefined || !form.test(value)) return undefined;
  return { value, scheme, meaning: codeMeaning(value, scheme) ?? value };
}

export function codedElements({ value, scheme, meaning }: CodedEntry): [Tag, DataElement][] {
  const isLong = value.length > LONGEST_CODE_VALUE;
  return [
    ...(isLong ? [] : [textElement(CODE_VALUE, "SH", value)]),
    textElement(CODING_SCHEME_DESIGNATOR, "SH", scheme),
    textElement(CODE_MEANING, "LO", meaning),
    ...(isLong ? [textElement(LONG_CODE_VALUE, "UC", value)] : []),
  ];
}

export function dummyCodedItem(): SequenceItem {
  return { dataSet: new Map(codedElements(DUMMY_CODE)), undefinedLength: false };
}

export function textElement(tag: Tag, vr: Vr, text: string): [Tag, DataElement] {
  return [tag, { tag, vr, value: { kind: "bytes", bytes: textBytes(vr, text) }, undefinedLength: false }];
}

function firstValue(element: DataElement | undefined): string {
  return splitValues(heldBytes(element) ?? new Uint8Array())[0] ?? "";
}
