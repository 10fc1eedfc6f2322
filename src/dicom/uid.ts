declare const uidBrand: unique symbol;

/** A DICOM unique identifier: 1 to 64 characters, numeric components without leading zeros. PS3.5 9.1. */
export type Uid = string & { readonly [uidBrand]: "Uid" | string };
export type StudyInstanceUid = Uid & { readonly [uidBrand]: "StudyInstanceUid" };
export type SeriesInstanceUid = Uid & { readonly [uidBrand]: "SeriesInstanceUid" };
export type SopInstanceUid = Uid & { readonly [uidBrand]: "SopInstanceUid" };

const UID = /^(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+$/;

/** Archives do hold UIDs with leading zeros in a component: legal enough to be asked for, and safe as a file name. */
const FIELD_UID = /^[0-9]+(?:\.[0-9]+)*$/;

export function isUid(text: string): text is Uid {
  return text.length <= 64 && UID.test(text);
}

/** Digits and dots only, at most 64 characters: what the field uses as UIDs, strict or not. */
export function isFieldUid(text: string): text is Uid {
  return text.length > 0 && text.length <= 64 && FIELD_UID.test(text);
}

/** Value padding (PS3.5 9.1: one trailing NUL; the field pads with blanks too) taken off. */
export function trimUid(text: string): string {
  // Not by a regular expression: one that ends in `$` takes quadratic time over blanks in the middle.
  let end = text.length;
  while (end > 0 && PADDING.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end).trimStart();
}

const PADDING = /[\0\s]/;

/** @throws RangeError when the text is not a UID; its message does not repeat the text. */
export function parseUid(text: string): Uid {
  const trimmed = trimUid(text);
  if (!isFieldUid(trimmed)) throw new RangeError("not a UID of 1 to 64 digits and dots");
  return trimmed;
}

/** @throws RangeError */
export function parseStudyInstanceUid(text: string): StudyInstanceUid {
  return parseUid(text) as StudyInstanceUid;
}

/** @throws RangeError */
export function parseSeriesInstanceUid(text: string): SeriesInstanceUid {
  return parseUid(text) as SeriesInstanceUid;
}

/** @throws RangeError */
export function parseSopInstanceUid(text: string): SopInstanceUid {
  return parseUid(text) as SopInstanceUid;
}
