import { decodeText } from "../../dicom/character-sets.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { characterSetOf } from "../../dicom/values.ts";
import { fold } from "./harvest.ts";

/** Patient's Name, Patient ID, Other Patient IDs, Other Patient Names, Patient's Birth Name, Patient's Mother's Birth Name. PS3.3 C.2, C.7.1.1. */
const PATIENT_TAGS = [0x00100010, 0x00100020, 0x00101000, 0x00101001, 0x00101005, 0x00101060].map(tagOf);
/** An initial is no name. */
const SHORTEST_COMPONENT = 2;

/** What a patient is called and numbered, folded, however short: no text that stays is any of it. */
export function patientTexts(dataSet: DataSet): ReadonlySet<string> {
  const texts = new Set<string>();
  const characterSet = characterSetOf(dataSet);
  for (const tag of PATIENT_TAGS) {
    const element = dataSet.get(tag);
    if (element?.value.kind !== "bytes") continue;
    const isName = element.vr === "PN";
    for (const value of decodeText(element.value.bytes, isName ? "PN" : "LO", characterSet).split("\\")) {
      texts.add(fold(value));
      for (const component of isName ? value.split(/[=^]/) : [])
        if (fold(component).length >= SHORTEST_COMPONENT) texts.add(fold(component));
    }
  }
  texts.delete("");
  return texts;
}
