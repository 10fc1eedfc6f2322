import { lookupElement, vrOf } from "../../dicom/dictionary/dictionary.ts";
import { tagOf } from "../../dicom/tag.ts";
import type { Vr } from "../../dicom/vr.ts";

/** The VR of a standard attribute, the first where PS3.6 leaves a choice; undefined: not in PS3.6. */
export function standardVr(tag: number): Vr | undefined {
  const entry = lookupElement(tagOf(tag));
  return entry === undefined || entry.vr === "" ? undefined : vrOf(tagOf(tag));
}

/** Whether a file may give a standard attribute this VR: PS3.6's, another reading of the same bytes, or none at all (UN). */
export function compatibleVr(vr: string, tag: number): boolean {
  const allowed = lookupElement(tagOf(tag))?.vr ?? "";
  if (vr === "UN" || allowed.split(" or ").includes(vr)) return true;
  return (vr === "US" || vr === "SS") && (allowed === "US" || allowed === "SS");
}

/** The most values PS3.6 lets a standard attribute have: of "1", "1-3"; those of "1-n" are not limited. */
export function maximumValues(tag: number): number {
  const most = /^(?:[0-9]+-)?([0-9]+)$/.exec(lookupElement(tagOf(tag))?.vm ?? "")?.[1];
  return most === undefined ? Number.POSITIVE_INFINITY : Number(most);
}
