import type { Finding } from "./data-set.ts";

/**
 * What is odd about an object that is read all the same, sorted. With `tolerant` the codes of errors stand among the findings too:
 * those name what could not be read.
 */
export const FINDINGS = {
  DELIMITER_LENGTH: "a delimiter whose length is not zero",
  DELIMITER_MISPLACED: "a delimiter where nothing of undefined length was open",
  ELEMENT_ORDER: "an element with a lower tag than the one before it",
  ELEMENT_REPEATED: "an element that was there before; the last one counts",
  FILE_META_MISSING: "no file meta information",
  ITEM_MISPLACED: "an item where an element must be",
  LENGTH_ODD: "a value or fragment of odd length",
  META_GROUP_LENGTH_WRONG: "the file meta does not begin with its length, or does not end where that says",
  META_VR_MISSING: "file meta in implicit VR",
  PREAMBLE_MISSING: "no preamble with DICM behind it",
  RESERVED_BYTES: "reserved bytes of a header that are not zero",
  TRAILING_BYTES: "bytes behind the data set that are no part of it: padding, another object, or rubbish",
  TRANSFER_SYNTAX_MISSING: "the file meta names no transfer syntax",
  TRANSFER_SYNTAX_UNKNOWN: "a transfer syntax that the standard does not know, read as explicit VR little endian",
  TRANSFER_SYNTAX_WRONG: "the data set is not in the syntax that the file meta says",
  VR_UNKNOWN: "a VR that is none",
} as const satisfies Record<string, string>;

export type FindingCode = keyof typeof FINDINGS;

export function findingAt(offset: number, code: FindingCode): Finding {
  return { code, offset, message: FINDINGS[code] };
}
