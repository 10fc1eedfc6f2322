import type { FileHandle } from "node:fs/promises";

/** An element of the output as it stands in the file. */
export interface Token {
  readonly tag: number;
  readonly vr: string;
  /** "00081140[0].00081155". */
  readonly path: string;
  /** The sequence around the item; 0 at the top level. */
  readonly parentTag: number;
  readonly headerOffset: number;
  readonly valueOffset: number;
  /** Of the value; for sequences and encapsulated pixel data, 0: what is in them comes as further tokens. */
  readonly length: number;
  readonly kind: "value" | "sequence" | "item" | "fragment";
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

const WINDOW_BYTES = 2 ** 18;
const UNDEFINED_LENGTH = 0xffffffff;
const DEPTH_LIMIT = 64;
const TOKEN_LIMIT = 20_000_000;
/** PS3.5 7.1.2: VRs with a 2 byte length, and those with 2 reserved bytes and a 4 byte length. */
const SHORT_VRS = /^(?:AE|AS|AT|CS|DA|DS|DT|FL|FD|IS|LO|LT|PN|SH|SL|SS|ST|TM|UI|UL|US)$/;
const LONG_VRS = /^(?:OB|OD|OF|OL|OV|OW|SQ|SV|UC|UN|UR|UT|UV)$/;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;

/** Bytes of a file by offset, a window of it at a time. */
export interface FileWindow {
  readonly sizeBytes: number;
  at(offset: number, length: number): Promise<Buffer>;
}

export async function openWindow(file: FileHandle): Promise<FileWindow> {
  const { size } = await file.stat();
  let start = 0;
  let window = Buffer.alloc(0);
  return {
    sizeBytes: size,
    async at(offset, length) {
      if (offset + length > size) throw new TokenError("truncated");
      if (offset < start || offset + length > start + window.length) {
        const bytes = Buffer.alloc(Math.min(size - offset, Math.max(length, WINDOW_BYTES)));
        const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
        if (bytesRead < bytes.length) throw new TokenError("truncated");
        start = offset;
        window = bytes;
      }
      return window.subarray(offset - start, offset - start + length);
    },
  };
}

interface Frame {
  readonly kind: "dataset" | "sequence" | "fragments";
  readonly tag: number;
  readonly path: string;
  readonly parentTag: number;
  /** Undefined: closed by a delimiter. */
  readonly end: number | undefined;
  lastTag: number;
  items: number;
}

/**
 * Every element of explicit VR little endian bytes from `offset` to `end`, in file order, every byte accounted for.
 * @throws TokenError
 */
export async function* tokenize(window: FileWindow, offset: number, end: number): AsyncGenerator<Token> {
  const stack: Frame[] = [{ kind: "dataset", tag: 0, path: "", parentTag: 0, end, lastTag: -1, items: 0 }];
  let at = offset;
  for (let count = 0; count < TOKEN_LIMIT; count += 1) {
    while (stack.at(-1)?.end === at) {
      stack.pop();
      if (stack.length === 0) return;
    }
    const frame = stack.at(-1);
    if (frame === undefined) return;
    const head = await window.at(at, 8);
    const tag = ((head.readUInt16LE(0) << 16) | head.readUInt16LE(2)) >>> 0;
    if (tag === ITEM || tag === ITEM_END || tag === SEQUENCE_END) {
      const delimiter = readDelimiter(stack, frame, tag, head.readUInt32LE(4), at);
      if (delimiter.token !== undefined) yield delimiter.token;
      at = delimiter.next;
      continue;
    }
    if (frame.kind !== "dataset") throw new TokenError("item-expected");
    if (tag <= frame.lastTag) throw new TokenError("tag-order");
    frame.lastTag = tag;
    const token = await readElement(window, frame, tag, head, at);
    yield token.token;
    at = token.next;
    if (token.open !== undefined) {
      if (stack.length > 2 * DEPTH_LIMIT + 2) throw new TokenError("depth");
      stack.push(token.open);
    }
    const limit = boundOf(stack);
    if (at > limit) throw new TokenError("length-beyond-parent");
  }
  throw new TokenError("too-many-elements");
}

function boundOf(stack: readonly Frame[]): number {
  return stack.reduce(
    (bound, frame) => Math.min(bound, frame.end ?? Number.POSITIVE_INFINITY),
    Number.POSITIVE_INFINITY,
  );
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
  const path = `${frame.path}[${frame.items}]`;
  const token = { tag: frame.tag, vr: "", path, parentTag: frame.parentTag, headerOffset: at, valueOffset: next };
  frame.items += 1;
  if (frame.kind === "fragments") {
    if (length % 2 !== 0) throw new TokenError("odd-length");
    return { token: { ...token, length, kind: "fragment" }, next: next + length };
  }
  if (frame.kind !== "sequence") throw new TokenError("unexpected-item");
  const end = length === UNDEFINED_LENGTH ? undefined : next + length;
  stack.push({ kind: "dataset", tag: frame.tag, path: `${path}.`, parentTag: frame.tag, end, lastTag: -1, items: 0 });
  return { token: { ...token, length: 0, kind: "item" }, next };
}

async function readElement(
  window: FileWindow,
  frame: Frame,
  tag: number,
  head: Buffer,
  at: number,
): Promise<{ readonly token: Token; readonly next: number; readonly open: Frame | undefined }> {
  const vr = head.toString("latin1", 4, 6);
  const path = frame.path + tag.toString(16).toUpperCase().padStart(8, "0");
  const isLong = LONG_VRS.test(vr);
  if (!isLong && !SHORT_VRS.test(vr)) throw new TokenError("vr");
  if (isLong && head.readUInt16LE(6) !== 0) throw new TokenError("reserved-bytes");
  const length = isLong ? (await window.at(at + 8, 4)).readUInt32LE(0) : head.readUInt16LE(6);
  const valueOffset = at + (isLong ? 12 : 8);
  const common = { tag, vr, path, parentTag: frame.parentTag, headerOffset: at, valueOffset };
  if (vr === "SQ" || length === UNDEFINED_LENGTH) {
    const kind = vr === "SQ" ? "sequence" : "fragments";
    if (kind === "fragments" && (tag !== 0x7fe00010 || frame.tag !== 0)) throw new TokenError("undefined-length");
    const end = length === UNDEFINED_LENGTH ? undefined : valueOffset + length;
    const open: Frame = { kind, tag, path, parentTag: frame.parentTag, end, lastTag: -1, items: 0 };
    return { token: { ...common, length: 0, kind: "sequence" }, next: valueOffset, open };
  }
  if (length % 2 !== 0) throw new TokenError("odd-length");
  return { token: { ...common, length, kind: "value" }, next: valueOffset + length, open: undefined };
}
