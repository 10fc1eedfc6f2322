declare const tagBrand: unique symbol;

/** Group in the upper, element in the lower 16 bits, as an unsigned number: 0x00100010. PS3.5 7.1. */
export type Tag = number & { readonly [tagBrand]: true };

export function tagOf(value: number): Tag {
  return (value >>> 0) as Tag;
}

export function groupOf(tag: Tag): number {
  return tag >>> 16;
}

export function elementOf(tag: Tag): number {
  return tag & 0xffff;
}

/** Odd groups are private. PS3.5 7.8. */
export function isPrivate(tag: Tag): boolean {
  return ((tag >>> 16) & 1) === 1;
}

/** "00100010", as in DICOM JSON (PS3.18 F.2.2). */
export function formatTagHex(tag: Tag): string {
  return tag.toString(16).toUpperCase().padStart(8, "0");
}

/** "(0010,0010)". */
export function formatTag(tag: Tag): string {
  const hex = formatTagHex(tag);
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}
