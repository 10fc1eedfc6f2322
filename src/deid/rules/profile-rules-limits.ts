import { SPECIAL_RULES } from "../tables/special-rules.ts";

/** UIDs by which the engine knows an object: always replaced, or kept where they name its class. */
const IDENTIFYING_UIDS: ReadonlySet<number> = new Set([0x00080016, 0x00080018, 0x0020000d, 0x0020000e]);
/** What pixel data cannot be read without. PS3.3 C.7.6.3. */
const PIXEL_DESCRIPTION: ReadonlySet<number> = new Set([
  0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102,
  0x00280103,
]);
/** Written or judged by the engine as a whole: marks, coded entries, signatures, the character set. */
const REPLACEABLE: ReadonlySet<string> = new Set(["pseudonym", "pixels", "words", "numbered"]);

/** Attributes an object cannot be without: they stay whatever is removed. */
export function isNeeded(tag: number): boolean {
  return IDENTIFYING_UIDS.has(tag) || PIXEL_DESCRIPTION.has(tag) || SPECIAL_RULES.has(tag);
}

/** Attributes that no profile has a say in. */
export function isOfEngine(tag: number): boolean {
  const special = SPECIAL_RULES.get(tag);
  if (special === undefined || special.treatment === undefined) return false;
  return !REPLACEABLE.has(special.treatment.kind);
}

export function isIdentifyingUid(tag: number): boolean {
  return IDENTIFYING_UIDS.has(tag);
}

export function isPixelDescription(tag: number): boolean {
  return PIXEL_DESCRIPTION.has(tag);
}
