import { formatTagHex, tagOf } from "./tag.ts";
import type { Vr } from "./vr.ts";

/** How the numbers of each VR of fixed width are held. PS3.5 6.2; PS3.18 table F.2.3-1. */
interface NumberFormat {
  readonly sizeBytes: number;
  readonly isReal: boolean;
  readonly write: (view: DataView, at: number, value: number) => void;
  readonly read: (view: DataView, at: number) => number;
}

export const NUMBER_FORMATS: { readonly [V in Vr]?: NumberFormat } = {
  US: {
    sizeBytes: 2,
    isReal: false,
    write: (view, at, value) => view.setUint16(at, value, true),
    read: (view, at) => view.getUint16(at, true),
  },
  SS: {
    sizeBytes: 2,
    isReal: false,
    write: (view, at, value) => view.setInt16(at, value, true),
    read: (view, at) => view.getInt16(at, true),
  },
  UL: {
    sizeBytes: 4,
    isReal: false,
    write: (view, at, value) => view.setUint32(at, value, true),
    read: (view, at) => view.getUint32(at, true),
  },
  SL: {
    sizeBytes: 4,
    isReal: false,
    write: (view, at, value) => view.setInt32(at, value, true),
    read: (view, at) => view.getInt32(at, true),
  },
  FL: {
    sizeBytes: 4,
    isReal: true,
    write: (view, at, value) => view.setFloat32(at, value, true),
    read: (view, at) => view.getFloat32(at, true),
  },
  FD: {
    sizeBytes: 8,
    isReal: true,
    write: (view, at, value) => view.setFloat64(at, value, true),
    read: (view, at) => view.getFloat64(at, true),
  },
};

/** What JSON numbers cannot say, as written by us and by others. PS3.18 F.2.3. */
const SPECIAL_NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
]);

/** JSON has no NaN and no infinity. PS3.18 F.2.3. */
export function jsonNumber(number: number): number | string {
  return Number.isFinite(number) ? number : String(number);
}

/** The bytes of numbers of a VR of `NUMBER_FORMATS`, little endian; undefined at the first that the VR cannot hold. */
export function encodeNumbers(values: readonly unknown[], format: NumberFormat): Uint8Array | undefined {
  const bytes = new Uint8Array(values.length * format.sizeBytes);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) {
    const number = typeof value === "number" ? value : format.isReal ? SPECIAL_NUMBERS.get(value) : undefined;
    if (number === undefined) return undefined;
    const at = index * format.sizeBytes;
    format.write(view, at, number);
    const held = format.read(view, at);
    // Reals are rounded to what the VR holds, but may not become infinite.
    const isHeld = format.isReal ? Number.isFinite(held) === Number.isFinite(number) : held === number;
    if (!isHeld) return undefined;
  }
  return bytes;
}

const INTEGER = /^[+-]?\d{1,20}$/;

/** SV and UV: numbers, or texts where a number would lose digits. Undefined where one is out of range. PS3.18 F.2.3. */
export function encodeBigIntegers(values: readonly unknown[], signed: boolean): Uint8Array | undefined {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) {
    const isInteger = typeof value === "string" ? INTEGER.test(value) : Number.isSafeInteger(value);
    if (!isInteger || (typeof value !== "string" && typeof value !== "number")) return undefined;
    const big = BigInt(typeof value === "string" ? value.replace(/^\+/, "") : value);
    if (big !== (signed ? BigInt.asIntN(64, big) : BigInt.asUintN(64, big))) return undefined;
    if (signed) view.setBigInt64(index * 8, big, true);
    else view.setBigUint64(index * 8, big, true);
  }
  return bytes;
}

/** Beyond 2^53 a JSON number would lose digits: given as text. PS3.18 F.2.3. */
export function bigIntegersOf(bytes: Uint8Array, signed: boolean, little: boolean): readonly (number | string)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 8) }, (_, index) => {
    const value = signed ? view.getBigInt64(index * 8, little) : view.getBigUint64(index * 8, little);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  });
}

/** Characters of a DS value. PS3.5 6.2. */
const DECIMAL_CHARACTERS = 16;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A number as DS, rounded where 16 characters cannot say it; undefined when it is not finite. PS3.5 6.2. */
function decimalString(number: number): string | undefined {
  if (!Number.isFinite(number)) return undefined;
  for (let digits = DECIMAL_CHARACTERS; digits > 0; digits -= 1) {
    const rounded = digits === DECIMAL_CHARACTERS ? number : Number(number.toPrecision(digits));
    const forms = [String(rounded), rounded.toExponential()].map((form) => form.replace("e+", "e"));
    const fitting = forms.find((form) => form.length <= DECIMAL_CHARACTERS);
    if (fitting !== undefined) return fitting;
  }
  return undefined;
}

/** DS and IS as numbers where nothing is lost by it; else the text as it is. PS3.18 F.2.3. */
export function numberOrText(text: string, vr: "DS" | "IS"): number | string | null {
  if (text === "") return null;
  const number = Number(text);
  if (vr === "IS") return INTEGER.test(text) && Number.isSafeInteger(number) ? number : text;
  const isCarried = DECIMAL.test(text) && Number(decimalString(number)) === number;
  return isCarried ? number : text;
}

/** The text of a DS or IS value of DICOM JSON; undefined when it is none. */
export function numericText(value: unknown, vr: "DS" | "IS"): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "number") return undefined;
  if (vr === "DS") return decimalString(value);
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

/** AT as hexadecimal, group first. PS3.18 table F.2.3-1. */
export function tagTextsOf(bytes: Uint8Array, little: boolean): readonly string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => {
    return formatTagHex(tagOf((view.getUint16(index * 4, little) << 16) | view.getUint16(index * 4 + 2, little)));
  });
}

const TAG = /^[0-9A-Fa-f]{8}$/;

/** Undefined when one is no tag. */
export function encodeTagTexts(values: readonly unknown[]): Uint8Array | undefined {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) {
    if (typeof value !== "string" || !TAG.test(value)) return undefined;
    const tag = Number.parseInt(value, 16);
    view.setUint16(index * 4, tag >>> 16, true);
    view.setUint16(index * 4 + 2, tag & 0xffff, true);
  }
  return bytes;
}
