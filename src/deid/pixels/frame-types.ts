import type { DataElement, DataSet, SequenceItem } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { heldBytes } from "../engine/element-bytes.ts";
import { sequenceItems } from "../rules/sequence-items.ts";
import { splitValues } from "../rules/value-forms.ts";

const FRAME_TYPE = tagOf(0x00089007);
/** Shared and Per-frame Functional Groups. PS3.3 C.7.6.16. */
const FUNCTIONAL_GROUPS = [0x52009229, 0x52009230].map(tagOf);

/**
 * The different values of Frame Type in the functional groups, whichever macro it is in (PS3.3 C.8.13.5.1, C.8.15.3.1, C.8.22.5.1). Of
 * thousands of frames most say the same: each element is looked at once, each text is taken apart once.
 */
export function frameTypes(dataSet: DataSet): readonly string[] {
  const texts = new Set<string>();
  for (const tag of FUNCTIONAL_GROUPS) {
    for (const { dataSet: group } of itemsOf(dataSet.get(tag))) {
      for (const macro of group.values()) {
        for (const { dataSet: item } of itemsOf(macro)) {
          const bytes = heldBytes(item.get(FRAME_TYPE));
          if (bytes !== undefined) texts.add(Buffer.from(bytes).toString("latin1"));
        }
      }
    }
  }
  return [...new Set([...texts].flatMap((text) => splitValues(Buffer.from(text, "latin1"))))];
}

function itemsOf(element: DataElement | undefined): readonly SequenceItem[] {
  return (element && sequenceItems(element)) ?? [];
}
