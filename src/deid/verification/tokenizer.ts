import { remembering } from "../../units/memo.ts";
import type { FileWindow } from "./file-window.ts";

/** An element of the output as it stands in the file. */
export interface Token {
  readonly tag: number;
  readonly vr: string;
  /** Names the data set it is in: "", or "00081140[0]." within an item. */
  readonly scope: string;
  /** Tags of the sequences around it, outermost first. */
  readonly within: readonly number[];
  /** The sequence around the item; 0 at the top level. */
  readonly parentTag: number;
  readonly headerOffset: number;
  readonly valueOffset: number;
  /** Of the value; for sequences and encapsulated pixel data, 0: what is in them comes as further tokens. */
  readonly length: number;
  readonly kind: "value" | "sequence" | "item" | "fragment";
}

/** Bytes that must be loaded before reading goes on. */
export interface Need {
  readonly kind: "need";
  readonly offset: number;
  readonly length: number;
}

/** The output breaks a rule of the encoding; `reason` is a word for the report. */
export class TokenError extends Error {
  override readonly name = "TokenError";
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

const UNDEFINED_LENGTH = 0xffffffff;
const DEPTH_LIMIT = 64;
const TOKEN_LIMIT = 20_000_000;
/** PS3.5 7.1.2: VRs with a 2 byte length. */
const SHORT_VRS = "AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split(" ");
/** PS3.5 7.1.2: VRs with 2 reserved bytes and a 4 byte length. */
const LONG_VRS = "OB OD OF OL OV OW SQ SV UC UN UR UT UV".split(" ");
/** By their two letters, the first in the upper byte. */
const VRS: ReadonlyMap<number, { readonly vr: string; readonly isLong: boolean }> = new Map(
  [...SHORT_VRS, ...LONG_VRS].map((vr, index) => [
    vr.charCodeAt(0) * 256 + vr.charCodeAt(1),
    { vr, isLong: index >= SHORT_VRS.length },
  ]),
);
const PIXEL_DATA = 0x7fe00010;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;

interface Frame {
  readonly kind: "dataset" | "sequence" | "fragments";
  readonly tag: number;
  readonly scope: string;
  readonly within: readonly number[];
  readonly parentTag: number;
  /** Undefined: closed by a delimiter. */
  readonly end: number | undefined;
  /** Nothing within goes beyond this. */
  readonly bound: number;
  lastTag: number;
  items: number;
}

/** "00081140[0].00081155". */
export function pathOf({ scope, tag }: Token): string {
  return scope + hexOf(tag);
}

/** "(0008,1140)/(0008,1155)": without the numbers of items, which are of no use to an operator. */
export function placeOf({ within, tag, kind }: Token): string {
  const tags = kind === "fragment" || kind === "item" ? within : [...within, tag];
  return tags.map((each) => `(${hexOf(each).slice(0, 4)},${hexOf(each).slice(4)})`).join("/");
}

/** About as many as PS3.6 has. */
const REMEMBERED_TAGS = 8_192;

const hexOf = remembering(REMEMBERED_TAGS, (tag: number) => tag.toString(16).toUpperCase().padStart(8, "0"));

/**
 * Every element of explicit VR little endian bytes from `offset` to `end`, in file order, every byte accounted for. Asks for bytes that
 * the window does not hold; whoever iterates loads them.
 * @throws TokenError
 */
export function* tokenize(window: FileWindow, offset: number, end: number): Generator<Token | Need> {
  const top = { kind: "dataset", tag: 0, scope: "", within: [], parentTag: 0 } as const;
  const stack: Frame[] = [{ ...top, end, bound: end, lastTag: -1, items: 0 }];
  let at = offset;
  for (let count = 0; count < TOKEN_LIMIT; count += 1) {
    while (stack[stack.length - 1]?.end === at) {
      stack.pop();
      if (stack.length === 0) return;
    }
    const frame = stack[stack.length - 1];
    if (frame === undefined) return;
    if (at + 8 > frame.bound) throw new TokenError("length-beyond-parent");
    const length = Math.min(12, window.sizeBytes - at);
    let index = window.indexOf(at, length);
    while (index < 0) {
      yield { kind: "need", offset: at, length };
      index = window.indexOf(at, length);
    }
    const { bytes } = window;
    const tag = word16(bytes, index) * 0x10000 + word16(bytes, index + 2);
    if (tag === ITEM || tag === ITEM_END || tag === SEQUENCE_END) {
      const delimiter = readDelimiter(stack, frame, tag, word32(bytes, index + 4), at);
      if (delimiter.next > frame.bound) throw new TokenError("length-beyond-parent");
      if (delimiter.token !== undefined) yield delimiter.token;
      at = delimiter.next;
      continue;
    }
    if (frame.kind !== "dataset") throw new TokenError("item-expected");
    if (tag <= frame.lastTag) throw new TokenError("tag-order");
    frame.lastTag = tag;
    const token = readElement(frame, tag, bytes, index, length, at);
    const open = token.kind === "value" ? undefined : openedBy(frame, token, word32(bytes, index + 8));
    const next = token.valueOffset + token.length;
    if (next > frame.bound || (open?.end ?? 0) > frame.bound) throw new TokenError("length-beyond-parent");
    yield token;
    at = next;
    if (open === undefined) continue;
    if (stack.length > 2 * DEPTH_LIMIT + 2) throw new TokenError("depth");
    stack.push(open);
  }
  throw new TokenError("too-many-elements");
}

function readDelimiter(
  stack: Frame[],
  frame: Frame,
  tag: number,
  length: number,
  at: number,
): { readonly token: Token | undefined; readonly next: number } {
  const next = at + 8;
  if (tag !== ITEM) {
    const closes = tag === ITEM_END ? frame.kind === "dataset" && stack.length > 1 : frame.kind !== "dataset";
    if (!closes || frame.end !== undefined || length !== 0) throw new TokenError("delimiter");
    stack.pop();
    return { token: undefined, next };
  }
  const { within, parentTag } = frame;
  const scope = `${frame.scope}[${frame.items}].`;
  const token = { tag: frame.tag, vr: "", scope, within, parentTag, headerOffset: at, valueOffset: next };
  frame.items += 1;
  if (frame.kind === "fragments") {
    if (length % 2 !== 0) throw new TokenError("odd-length");
    return { token: { ...token, length, kind: "fragment" }, next: next + length };
  }
  if (frame.kind !== "sequence") throw new TokenError("unexpected-item");
  const end = length === UNDEFINED_LENGTH ? undefined : next + length;
  const bound = Math.min(frame.bound, end ?? frame.bound);
  if (end !== undefined && end > frame.bound) throw new TokenError("length-beyond-parent");
  stack.push({
    kind: "dataset",
    tag: frame.tag,
    scope,
    within,
    parentTag: frame.tag,
    end,
    bound,
    lastTag: -1,
    items: 0,
  });
  return { token: { ...token, length: 0, kind: "item" }, next };
}

function readElement(
  { scope, within, parentTag, tag: frameTag }: Frame,
  tag: number,
  bytes: Buffer,
  index: number,
  headBytes: number,
  at: number,
): Token {
  const form = VRS.get((bytes[index + 4] ?? 0) * 256 + (bytes[index + 5] ?? 0));
  if (form === undefined) throw new TokenError("vr");
  const { vr, isLong } = form;
  if (isLong && word16(bytes, index + 6) !== 0) throw new TokenError("reserved-bytes");
  if (isLong && headBytes < 12) throw new TokenError("truncated");
  const length = isLong ? word32(bytes, index + 8) : word16(bytes, index + 6);
  const valueOffset = at + (isLong ? 12 : 8);
  const isSequence = vr === "SQ" || length === UNDEFINED_LENGTH;
  if (isSequence && vr !== "SQ" && (tag !== PIXEL_DATA || frameTag !== 0)) throw new TokenError("undefined-length");
  if (!isSequence && length % 2 !== 0) throw new TokenError("odd-length");
  const [valueLength, kind] = isSequence ? ([0, "sequence"] as const) : ([length, "value"] as const);
  return { tag, vr, scope, within, parentTag, headerOffset: at, valueOffset, length: valueLength, kind };
}

/** Both are of the long form. PS3.5 7.1.2. */
function openedBy({ bound, parentTag }: Frame, { tag, vr, scope, within, valueOffset }: Token, length: number): Frame {
  const end = length === UNDEFINED_LENGTH ? undefined : valueOffset + length;
  return {
    ...{ kind: vr === "SQ" ? "sequence" : "fragments", tag, scope: scope + hexOf(tag), within: [...within, tag] },
    ...{ parentTag, end, bound: Math.min(bound, end ?? bound), lastTag: -1, items: 0 },
  };
}

function word16(bytes: Buffer, index: number): number {
  return (bytes[index] ?? 0) + (bytes[index + 1] ?? 0) * 0x100;
}

function word32(bytes: Buffer, index: number): number {
  return word16(bytes, index) + word16(bytes, index + 2) * 0x10000;
}
