import { lookupElement, vrOf } from "../../dicom/dictionary/dictionary.ts";
import { tagOf } from "../../dicom/tag.ts";
import type { Vr } from "../../dicom/vr.ts";
import { remembering } from "../../units/memo.ts";

interface StandardAttribute {
  readonly vr: Vr | undefined;
  readonly allowedVrs: readonly string[];
  readonly maximumValues: number;
}

/** Asked several times for every element; PS3.6 has about as many attributes. */
const REMEMBERED_TAGS = 8_192;

const attributeOf = remembering(REMEMBERED_TAGS, (tag: number): StandardAttribute => {
  const entry = lookupElement(tagOf(tag));
  const written = entry?.vr ?? "";
  const isNumber = written === "US" || written === "SS";
  const most = /^(?:[0-9]+-)?([0-9]+)$/.exec(entry?.vm ?? "")?.[1];
  return {
    vr: written === "" ? undefined : vrOf(tagOf(tag)),
    allowedVrs: isNumber ? ["US", "SS"] : written.split(" or "),
    maximumValues: most === undefined ? Number.POSITIVE_INFINITY : Number(most),
  };
});

/** The VR of a standard attribute, the first where PS3.6 leaves a choice; undefined: not in PS3.6. */
export function standardVr(tag: number): Vr | undefined {
  return attributeOf(tag).vr;
}

/** Whether a file may give a standard attribute this VR: PS3.6's, another reading of the same bytes, or none at all (UN). */
export function compatibleVr(vr: string, tag: number): boolean {
  return vr === "UN" || attributeOf(tag).allowedVrs.includes(vr);
}

/**
 * The most values PS3.6 lets a standard attribute have: of "1", "1-3"; those of "1-n" are not limited, nor are the words of a stream, which
 * is one value whatever is in it. PS3.5 6.4.
 */
export function maximumValues(tag: number): number {
  if (standardVr(tag)?.startsWith("O") === true) return Number.POSITIVE_INFINITY;
  return attributeOf(tag).maximumValues;
}
