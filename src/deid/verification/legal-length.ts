import { maximumValues } from "../rules/standard-vr.ts";
import type { Token } from "./tokenizer.ts";

/** Bytes of one binary value. PS3.5 table 6.2-1. */
const WIDTHS: Readonly<Record<string, number>> = {
  ...{ US: 2, SS: 2, OW: 2, AT: 4, UL: 4, SL: 4, FL: 4, OF: 4, OL: 4 },
  ...{ FD: 8, OD: 8, OV: 8, UV: 8, SV: 8 },
};
/** Characters of one value at most, where values are separated by backslashes. PS3.5 table 6.2-1; ranges of dates and times are longer. */
const LENGTHS: Readonly<Record<string, number>> = {
  ...{ AE: 16, AS: 4, CS: 16, DA: 21, DS: 16, DT: 54, IS: 12, LO: 64, PN: 194, SH: 16, TM: 28, UI: 64 },
};
/** Characters of the whole of a text. */
const TEXT_LENGTHS: Readonly<Record<string, number>> = { ST: 1024, LT: 10240 };

/** Whether the length of a value is one that its VR allows. `bytes` is undefined for long values. */
export function isLegalLength({ vr, length }: Token, bytes: Buffer | undefined): boolean {
  const width = WIDTHS[vr];
  if (width !== undefined) return length % width === 0;
  const textLength = TEXT_LENGTHS[vr];
  if (bytes === undefined) return textLength === undefined;
  if (textLength !== undefined)
    return bytes.length <= textLength || bytes.toString("utf8").trimEnd().length <= textLength;
  const valueLength = LENGTHS[vr];
  if (valueLength === undefined || bytes.length <= valueLength) return true;
  const values = bytes
    .toString("utf8")
    .replace(/[ \0]$/, "")
    .split("\\");
  return values.every((value) => value.length <= valueLength);
}

/** Whether a standard attribute has more values than PS3.6 lets it have. PS3.5 6.4. */
export function hasSurplusValues({ tag, vr, length }: Token, bytes: Buffer | undefined): boolean {
  const most = maximumValues(tag);
  if (most === Number.POSITIVE_INFINITY) return false;
  const width = WIDTHS[vr];
  if (width !== undefined) return length > most * width;
  if (bytes === undefined || SINGLE_TEXTS.has(vr)) return false;
  let count = 1;
  for (let at = bytes.indexOf(BACKSLASH); at >= 0; at = bytes.indexOf(BACKSLASH, at + 1)) count += 1;
  return count > most;
}

const BACKSLASH = 0x5c;
/** A backslash is a character of these. PS3.5 6.2. */
const SINGLE_TEXTS: ReadonlySet<string> = new Set(["LT", "ST", "UR", "UT"]);
