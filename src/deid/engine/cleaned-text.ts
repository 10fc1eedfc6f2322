import { decodeWithProblem, isAscii } from "../../dicom/character-sets.ts";
import type { ElementValue } from "../../dicom/data-set.ts";
import { trimPadding } from "../../dicom/values-trim.ts";
import { isSingleValued, type Vr } from "../../dicom/vr.ts";
import { cleanText, foldedWords, type Vocabulary } from "../rules/clean-text.ts";
import { isStructureName, partsOfStructureName } from "../rules/structure-names.ts";
import { textBytes } from "./element-bytes.ts";
import type { FilterContext } from "./filter-context.ts";

type CleanContext = Pick<FilterContext, "isIdentifier" | "isPatients" | "noteUtf8">;

/** PS3.5 table 6.2-1. */
const LENGTH_LIMITS: Readonly<Partial<Record<Vr, number>>> = { LO: 64, SH: 16, ST: 1024, LT: 10_240 };
/** A longer description is not looked at. */
const CLEANED_BYTES = 2 ** 20;

/** What a whole value may keep of a free text; undefined: nothing of it. */
export function cleanedValue(
  bytes: Uint8Array,
  vr: Vr,
  vocabulary: Vocabulary,
  characterSet: string | undefined,
  { isIdentifier, isPatients, noteUtf8 }: CleanContext,
): ElementValue | undefined {
  const texts = valuesOf(bytes, vr, characterSet)?.map((text) => cleanText(text, vocabulary, isIdentifier));
  const limit = LENGTH_LIMITS[vr] ?? CLEANED_BYTES;
  if (texts === undefined || texts.every((text) => text === "")) return undefined;
  if (texts.some((text) => text.length > limit || isPatients(text))) return undefined;
  const joined = texts.join("\\");
  if (isAscii(joined)) return { kind: "bytes", bytes: textBytes(vr, joined) };
  noteUtf8();
  const encoded = Buffer.from(joined, "utf8");
  return { kind: "bytes", bytes: encoded.length % 2 === 0 ? encoded : Buffer.concat([encoded, Buffer.of(0x20)]) };
}

/** A label as it is, when all its words may stay or it is a structure's that everybody calls so; undefined otherwise. */
export function unchangedLabel(
  bytes: Uint8Array,
  vr: Vr,
  vocabulary: Vocabulary,
  characterSet: string | undefined,
  context: CleanContext,
): ElementValue | undefined {
  const [text, ...others] = valuesOf(bytes, vr, characterSet) ?? [];
  if (text === undefined || text === "" || others.length > 0) return undefined;
  if (isStructureName(text)) {
    const words = [...foldedWords(text), ...partsOfStructureName(text)];
    const isNamed = context.isPatients(text) || [foldedWords(text).join(""), ...words].some(context.isIdentifier);
    return isNamed ? undefined : { kind: "bytes", bytes: textBytes(vr, text) };
  }
  if (cleanText(text, vocabulary, context.isIdentifier) !== text) return undefined;
  return cleanedValue(bytes, vr, vocabulary, characterSet, context);
}

/** Cut at the first NUL, padding taken off; undefined where the bytes are no text of the character set. PS3.5 6.1, 6.2. */
function valuesOf(bytes: Uint8Array, vr: Vr, characterSet: string | undefined): string[] | undefined {
  if (bytes.length > CLEANED_BYTES) return undefined;
  const { text, problem } = decodeWithProblem(bytes, vr, characterSet);
  if (problem === "TEXT_UNDECODABLE") return undefined;
  const values = isSingleValued(vr) ? [text] : text.split("\\");
  return values.map((value) => trimPadding(value.split("\0", 1)[0] ?? "").trimStart());
}
