import type { DataElement } from "../../dicom/data-set.ts";
import { trimUid } from "../../dicom/uid.ts";
import { shiftDate, shiftDateTime, yearOnly } from "../pseudonyms/date-shift.ts";
import type { NumberBand, Rule, Treatment } from "../rules/rule.ts";
import {
  arePointers,
  decimalString,
  generalizedAge,
  isIntegerString,
  isRetainableUid,
  isTechnicalText,
  isTime,
  isWithin,
  roundedNumber,
  splitValues,
} from "../rules/value-forms.ts";
import { createValueMemo } from "../rules/value-memo.ts";
import { DUMMIES, DUMMY_BYTES } from "../tables/dummies.ts";
import { swapWords } from "./composed-source.ts";
import type { FilterContext } from "./filter-context.ts";

/** Bytes of one binary value. PS3.5 table 6.2-1; AT is two words of 2 bytes. */
export const NUMBER_BYTES: Readonly<Record<string, number>> = {
  US: 2,
  SS: 2,
  AT: 4,
  UL: 4,
  SL: 4,
  FL: 4,
  OF: 4,
  OL: 4,
  FD: 8,
  OD: 8,
  OV: 8,
  UV: 8,
  SV: 8,
};

/** A value as text, padded to even length. PS3.5 6.2: UI with NUL, others with a blank. */
export function textBytes(vr: string, text: string): Uint8Array {
  const padded = text.length % 2 === 0 ? text : text + (vr === "UI" ? "\0" : " ");
  return Buffer.from(padded, "latin1");
}

export function dummyBytes(vr: string, rule: Rule, uid: (originalUid: string) => string): Uint8Array {
  if (vr === "UI") return textBytes(vr, uid("dummy"));
  const size = DUMMY_BYTES[vr];
  if (size !== undefined) return new Uint8Array(size);
  return textBytes(vr, rule.dummy ?? DUMMIES[vr] ?? "ANONYMIZED");
}

/** Bytes in little endian order of a binary value; undefined when its length does not fit its VR. */
export function numberBytes(bytes: Uint8Array, vr: string, bigEndian: boolean): Uint8Array | undefined {
  const size = NUMBER_BYTES[vr];
  if (size === undefined || bytes.length % size !== 0) return undefined;
  return bigEndian ? swapWords(bytes, vr === "AT" ? 2 : size) : Uint8Array.from(bytes);
}

export type TreatContext = Pick<FilterContext, "uid" | "shiftDays" | "pseudonym" | "identifier" | "birthDateTellable">;

/**
 * What a text, number, date or UID becomes under a treatment; undefined: the treatment refuses it, the rule's fallback applies.
 * `vr` is the dictionary's; values beyond `maximumValues` go.
 */
export function treatBytes(
  treatment: Treatment,
  vr: string,
  bytes: Uint8Array,
  bigEndian: boolean,
  context: TreatContext,
  maximumValues = Number.POSITIVE_INFINITY,
): Uint8Array | undefined {
  if (treatment.kind === "identifier") return textBytes(vr, context.identifier(treatment.of, bytes));
  if (treatment.kind === "pseudonym") return textBytes(vr, context.pseudonym);
  if (treatment.kind === "number" && vr in NUMBER_BYTES) {
    const sizeBytes = maximumValues * (NUMBER_BYTES[vr] ?? 0);
    const numbers = numberBytes(bytes, vr, bigEndian);
    if (vr === "AT" && numbers !== undefined && !arePointers(numbers)) return undefined;
    return numbers !== undefined && numbers.length > sizeBytes ? numbers.subarray(0, sizeBytes) : numbers;
  }
  const treat = (): Treated => {
    const values = treatValues(treatment, vr, splitValues(bytes).slice(0, maximumValues), context);
    // In memory of their own: a few remembered bytes would hold all that Buffer's pool has beside them.
    return { bytes: values === undefined ? undefined : Uint8Array.from(textBytes(vr, values.join("\\"))) };
  };
  if (!FOLLOWS_FROM_VALUE.has(treatment.kind)) return treat().bytes;
  return remembered(treatment, `${vr} ${maximumValues} ${context.shiftDays}`, bytes, treat).bytes;
}

interface Treated {
  readonly bytes: Uint8Array | undefined;
}

/** What needs nothing of the object but its days. */
const FOLLOWS_FROM_VALUE: ReadonlySet<Treatment["kind"]> = new Set([
  ...(["number", "round", "date", "shift", "age", "text", "terms"] as const),
]);
const remembered = createValueMemo<Treated>();

function treatValues(
  treatment: Treatment,
  vr: string,
  values: readonly string[],
  context: TreatContext,
): readonly string[] | undefined {
  switch (treatment.kind) {
    case "number":
      return allOf(values, (value) => numberString(vr, value, treatment.band));
    case "birth-date":
      if (!context.birthDateTellable) return undefined;
      return allOf(values, (value) =>
        treatment.mode === "year" ? yearOnly(value) : shiftDate(value, context.shiftDays),
      );
    case "round":
      return allOf(values, (value) => roundedNumber(value, treatment.step));
    case "uid":
      return allOf(values, (value) => context.uid(trimUid(value)));
    case "kept-uid":
      return allOf(values, (value) => (isRetainableUid(trimUid(value)) ? trimUid(value) : undefined));
    case "date":
      return allOf(values, (value) => shiftedValue(vr, value, 0));
    case "shift":
      return allOf(values, (value) => shiftedValue(vr, value, context.shiftDays));
    case "age":
      return allOf(values, generalizedAge);
    case "text":
      return allOf(values, (value) => (isTechnicalText(value, treatment.form) ? value : undefined));
    case "terms": {
      const { terms, otherwise } = treatment;
      const kept = values.flatMap((value) => {
        if (terms.has(value)) return [value];
        if (otherwise === undefined) return [];
        return [value === "" ? "" : otherwise];
      });
      return kept.length === 0 ? undefined : kept;
    }
    default:
      return undefined;
  }
}

/** Every value or none; empty values keep their place. */
function allOf(values: readonly string[], treat: (value: string) => string | undefined): readonly string[] | undefined {
  const treated: string[] = [];
  for (const value of values) {
    const result = value === "" ? "" : treat(value);
    if (result === undefined) return undefined;
    treated.push(result);
  }
  return treated;
}

function numberString(vr: string, value: string, band: NumberBand | undefined): string | undefined {
  const text = vr === "IS" ? (isIntegerString(value) ? value : undefined) : decimalString(value);
  return text !== undefined && isWithin(band, text) ? text : undefined;
}

function shiftedValue(vr: string, value: string, days: number): string | undefined {
  if (vr === "DA") return shiftDate(value, days);
  if (vr === "DT") return shiftDateTime(value, days);
  return isTime(value) ? value : undefined;
}

/** The bytes of an element held in memory; undefined for sequences and what stayed on disk. */
export function heldBytes(element: DataElement | undefined): Uint8Array | undefined {
  return element?.value.kind === "bytes" ? element.value.bytes : undefined;
}
