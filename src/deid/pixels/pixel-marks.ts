import type { DataElement } from "../../dicom/data-set.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import { textElement } from "../engine/coded-entry.ts";
import { heldBytes } from "../engine/element-bytes.ts";
import { splitValues } from "../rules/value-forms.ts";

const IMAGE_TYPE = tagOf(0x00080008);
const BURNED_IN_ANNOTATION = tagOf(0x00280301);
/** Smallest and Largest Image Pixel Value, and of the series: no longer true once pixels were changed. PS3.3 C.7.6.3. */
const PIXEL_VALUE_RANGE = [0x00280106, 0x00280107, 0x00280108, 0x00280109].map(tagOf);

/** What a masked object says of itself: derived, and without burned-in text. Answers with what was written. PS3.3 C.7.6.1.1.2, C.7.6.1. */
export function markMasked(kept: Map<Tag, DataElement>): readonly DataElement[] {
  for (const tag of PIXEL_VALUE_RANGE) kept.delete(tag);
  const written = [textElement(BURNED_IN_ANNOTATION, "CS", "NO")];
  const [first, ...others] = splitValues(heldBytes(kept.get(IMAGE_TYPE)) ?? new Uint8Array());
  if (first !== undefined && first !== "")
    written.push(textElement(IMAGE_TYPE, "CS", ["DERIVED", ...others].join("\\")));
  for (const [tag, element] of written) kept.set(tag, element);
  return written.map(([, element]) => element);
}
