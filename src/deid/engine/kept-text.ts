import { decodeWithProblem, isAscii } from "../../dicom/character-sets.ts";
import type { Tag } from "../../dicom/tag.ts";
import { trimPadding } from "../../dicom/values-trim.ts";
import { isSingleValued, type Vr } from "../../dicom/vr.ts";
import { foldedWords } from "../rules/clean-text.ts";
import { holdsShortName } from "../rules/short-names.ts";
import { maximumValues } from "../rules/standard-vr.ts";
import { isTechnicalText, spellsName } from "../rules/value-forms.ts";
import { isOpenForm, type TextForm } from "../tables/text-forms.ts";
import type { FilterContext } from "./filter-context.ts";

/** Characters of one value. PS3.5 table 6.2-1. */
const LENGTH_LIMITS: Readonly<Partial<Record<Vr, number>>> = { CS: 16, SH: 16, LO: 64, ST: 1024, LT: 10_240 };
const LONGEST = 2 ** 20;
const ESCAPE = 0x1b;
const CONTROL = /\p{Cc}/u;
/** Tabulator, line feed, form feed, carriage return. PS3.5 6.1.3. */
const CONTROL_IN_TEXT = /[^\P{Cc}\t\n\f\r]/u;

/**
 * A text as it is, in UTF-8: each value cut at its first NUL, without padding, blanks in a row made one, as many values as PS3.6 has.
 * Undefined: it is no text of its character set or VR, or is the patient's name or number, or holds a short one. PS3.5 6.1, 6.2.
 */
export function keptText(
  bytes: Uint8Array,
  tag: Tag,
  vr: Vr,
  characterSet: string | undefined,
  { isPatients, noteUtf8 }: Pick<FilterContext, "isPatients" | "noteUtf8">,
): Uint8Array | undefined {
  const values = readableValues(bytes, tag, vr, characterSet);
  if (values === undefined || values.some((value) => isPatients(value) || holdsShortName(value, isPatients)))
    return undefined;
  return inUtf8(values, noteUtf8);
}

/** Whether a text is other than ASCII: what it says depends on its character set. */
export function isCoded(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte >= 0x80 || byte === ESCAPE);
}

/** As `keptText`, of values that have a form each. */
export function formedText(
  bytes: Uint8Array,
  tag: Tag,
  vr: Vr,
  form: TextForm,
  characterSet: string | undefined,
  context: Pick<FilterContext, "isIdentifier" | "isPatients" | "noteUtf8">,
): Uint8Array | undefined {
  const values = readableValues(bytes, tag, vr, characterSet);
  const isRefused = (value: string): boolean =>
    value !== "" && (!isTechnicalText(value, form) || namesSomebody(value, form, context));
  return values === undefined || values.some(isRefused) ? undefined : inUtf8(values, context.noteUtf8);
}

/** Whether a text of a form spells the patient's name, holds a short one where the form is open, or names anybody where somebody wrote it. */
export function namesSomebody(
  value: string,
  form: TextForm,
  { isIdentifier, isPatients }: Pick<FilterContext, "isIdentifier" | "isPatients">,
): boolean {
  if (spellsName(value, isPatients) || (isOpenForm(form) && holdsShortName(value, isPatients))) return true;
  return form.kind === "words" && form.isWritten === true && foldedWords(value).some(isIdentifier);
}

function readableValues(
  bytes: Uint8Array,
  tag: Tag,
  vr: Vr,
  characterSet: string | undefined,
): readonly string[] | undefined {
  if (bytes.length > LONGEST) return undefined;
  const { text, problem } = decodeWithProblem(bytes, vr, characterSet);
  if (problem === "TEXT_UNDECODABLE") return undefined;
  const isText = isSingleValued(vr);
  const values = (isText ? [text] : text.split("\\").slice(0, maximumValues(tag))).map((value) => {
    const cut = trimPadding(value.split("\0", 1)[0] ?? "");
    return isText ? cut : cut.trimStart().replace(/ {2,}/g, " ");
  });
  const isUnreadable = (value: string): boolean =>
    [...value].length > (LENGTH_LIMITS[vr] ?? LONGEST) || (isText ? CONTROL_IN_TEXT : CONTROL).test(value);
  return values.some(isUnreadable) || values.every((value) => value === "") ? undefined : values;
}

function inUtf8(values: readonly string[], noteUtf8: () => void): Uint8Array {
  const joined = values.join("\\");
  if (!isAscii(joined)) noteUtf8();
  const encoded = Buffer.from(joined, "utf8");
  return encoded.length % 2 === 0 ? encoded : Buffer.concat([encoded, Buffer.of(0x20)]);
}
