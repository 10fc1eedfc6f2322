import { at, type Cursor, has } from "./cursor.ts";
import { tags } from "./dictionary/tags.ts";
import { findingAt } from "./findings.ts";
import type { ElementsFrame, Parser } from "./parser-state.ts";
import { groupOf, isPrivate, type Tag } from "./tag.ts";

/** Where "DICM" stands in a file with a preamble, and how many bytes show it. PS3.10 7.1. */
const MAGIC_OFFSET = 128;
const MAGIC_END = MAGIC_OFFSET + 4;
const PIXEL_DATA_GROUP = 0x7fe0;
const FILE_META_GROUP = 0x0002;
/** Digital signatures and data set trailing padding: all that the standard has behind pixel data. PS3.6 table 6-1. */
const GROUPS_BEHIND_PIXEL_DATA: ReadonlySet<number> = new Set([PIXEL_DATA_GROUP, 0xfffa, 0xfffc]);

/** An element follows. */
export const NOT_TRAILING = 0;
/** The data set has ended before its source. */
export const TRAILING = -1;

/**
 * Looks whether something else than an element follows at the top level: zeros, a second object, or rubbish behind pixel data.
 * Asked only where something is odd: pixel data was read, the tag is not higher than the one before, or has no VR where it should.
 * Answers NOT_TRAILING, TRAILING, or how many bytes the window must hold to tell.
 */
export function lookForTrailing(parser: Parser, frame: ElementsFrame, tag: Tag): number {
  if (frame.lastTag < 0) return NOT_TRAILING;
  if (tag === 0) return end(parser);
  const { cursor, hasPixelData } = parser;
  if (frame.bound - cursor.position >= MAGIC_END) {
    if (!has(cursor, MAGIC_END)) return MAGIC_END;
    if (isMagicAt(cursor, MAGIC_OFFSET)) return end(parser);
  }
  if (!hasPixelData) return NOT_TRAILING;
  if (frame.explicitVr && !hasLetters(cursor)) return end(parser);
  const beginsAnew = groupOf(tag) === FILE_META_GROUP || (tag < tags.PixelData && frame.elements.has(tag));
  return beginsAnew ? end(parser) : NOT_TRAILING;
}

/** Under implicit VR rubbish looks like an element until its length is seen: whether it is one that may follow pixel data at all. */
export function isRubbishBehindPixelData(parser: Parser, frame: ElementsFrame, tag: Tag): boolean {
  if (frame !== parser.root || frame.explicitVr || !parser.hasPixelData) return false;
  if (GROUPS_BEHIND_PIXEL_DATA.has(groupOf(tag)) || isPrivate(tag)) return false;
  end(parser);
  return true;
}

/** Fewer bytes than an element's header has, all of them in the window: zeros, or anything behind pixel data. */
export function isPadding(parser: Parser, rest: number): boolean {
  const start = at(parser.cursor);
  const areZeros = !parser.cursor.bytes.subarray(start, start + rest).some((byte) => byte !== 0);
  if (!areZeros && !parser.hasPixelData) return false;
  end(parser);
  return true;
}

/** Said however much was found before. */
function end(parser: Parser): typeof TRAILING {
  parser.ending = "trailing";
  parser.findings.push(findingAt(parser.cursor.position, "TRAILING_BYTES"));
  return TRAILING;
}

function isMagicAt({ view, position, windowStart }: Cursor, offset: number): boolean {
  // "DICM"
  return view.getUint32(position - windowStart + offset) === 0x4449434d;
}

/** Whether two capitals stand where explicit VR has its VR. */
export function hasLetters({ view, position, windowStart }: Cursor): boolean {
  const first = view.getUint8(position - windowStart + 4);
  const second = view.getUint8(position - windowStart + 5);
  return first >= 0x41 && first <= 0x5a && second >= 0x41 && second <= 0x5a;
}
