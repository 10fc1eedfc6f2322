import { isRegisteredUid } from "../../dicom/dictionary/registered-uids.ts";
import type { Vr } from "../../dicom/vr.ts";
import { isCleanText, type Vocabulary } from "../rules/clean-text.ts";
import type { Rule, Treatment } from "../rules/rule.ts";
import { holdsShortName } from "../rules/short-names.ts";
import { compatibleVr, standardVr } from "../rules/standard-vr.ts";
import { isStructureName } from "../rules/structure-names.ts";
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
  spellsName,
  splitValues,
} from "../rules/value-forms.ts";
import { createValueMemo } from "../rules/value-memo.ts";
import { isCodeMeaning } from "../tables/code-meanings.ts";
import { CODE_FORMS } from "../tables/code-schemes.ts";
import { DUMMIES, DUMMY_CODE } from "../tables/dummies.ts";
import { isOpenForm } from "../tables/text-forms.ts";
import type { ExpectedClaim } from "./check-claim.ts";
import type { CopiedBytes } from "./check-copied.ts";
import type { ExpectedMask } from "./check-mask.ts";
import { fold, type Harvest } from "./harvest.ts";
import type { IdentifierKind } from "./identifier-kinds.ts";
import { hasSurplusValues, isLegalLength } from "./legal-length.ts";
import type { SearchedAs } from "./pieces.ts";
import { WIDE_NUMBERS } from "./plain-integer.ts";
import { pathOf, type Token } from "./tokenizer.ts";

/** What is known of the output before it is read. */
export interface Expectations {
  /** Elements of group 0002 behind the group length, with their bytes. */
  readonly meta: ReadonlyMap<number, Buffer>;
  readonly pseudonym: string;
  /** It came from the cohort, not from the key. */
  readonly pseudonymIsGiven: boolean;
  /** Keyed texts for the source's accession numbers, study ids and devices. */
  readonly identifiers: ReadonlySet<string>;
  /** New UIDs of every UID of the source. */
  readonly uids: ReadonlySet<string>;
  /** Values the engine may write into an object, by tag. */
  readonly marks: ReadonlyMap<number, readonly string[]>;
  /** Values of the coded entries that (0012,0064) may have. */
  readonly optionCodes: ReadonlySet<string>;
  /** What (0012,0064) and (0028,0303) may say. */
  readonly claim: ExpectedClaim;
  /** Kinds of identifiers that the profile's options let stay. */
  readonly retained: ReadonlySet<IdentifierKind>;
  /** Tags that must be there at the top level. */
  readonly required: readonly number[];
  /** Bytes of native pixel data without padding; undefined: there is none, or it is compressed. */
  readonly pixelBytes: number | undefined;
  /** What must be black in it. */
  readonly mask: ExpectedMask | undefined;
  /** Where native pixel data stands in the source that is to be the same, without padding. */
  readonly copiedPixels?: CopiedBytes | undefined;
  /** Elements of the top level that pixel policy wrote, with their bytes. */
  readonly written: ReadonlyMap<number, Buffer>;
}

export type ElementCheck =
  | {
      readonly ok: true;
      /** How its bytes are yet to be searched; none: they were proven to be ours or terms of a closed list. */
      readonly searched: readonly SearchedAs[];
    }
  | { readonly ok: false; readonly reason: string };

type Judgement = "masked" | "binary" | undefined;

const LONGEST_SHORT_VALUE = 0xfffe;
const METHOD_CODE_SEQUENCE = 0x00120064;
const FRAME_TYPE = 0x00089007;
const PIXEL_DATA = 0x7fe00010;
const NO_BYTES = new Uint8Array();
const BINARY_VRS = /^(?:US|SS|UL|SL|UV|SV|FL|FD|AT|OF|OD|OL|OV|OB|OW|UN)$/;
const WHOLE_DAY = /^[0-9]{8}$/;
const DATE_TIME = /^[0-9]{4}(?:[0-9]{2}){0,5}(?:\.[0-9]{1,6})?(?:[+-][0-9]{4})?$/;
const DATE_RANGE = /^(?:[0-9.]{4,21}(?:[+-][0-9]{4})?)?-(?:[0-9.]{4,21}(?:[+-][0-9]{4})?)?$/;

/**
 * Whether the profile allows an element of the output, judged from the element and the rules alone. `bytes` is undefined for long values;
 * `privateVr` is the VR of a private element that the rules know.
 */
export function checkElement(
  found: Token,
  bytes: Buffer | undefined,
  rule: Rule,
  expectations: Expectations,
  harvest: Harvest,
  privateVr?: Vr,
): ElementCheck {
  if ((found.tag >>> 16) & 1 && privateVr === undefined) return { ok: false, reason: "private-element" };
  const token = withStandardVr(found);
  if (token.kind === "fragment") return passed("compressed");
  if (privateVr === undefined ? !isLegalVr(token) : token.vr !== privateVr) return { ok: false, reason: "vr" };
  if (token.kind === "sequence") return checkSequence(token, rule);
  if (!isLegalLength(token, bytes)) return { ok: false, reason: "value-length" };
  if (privateVr === undefined && hasSurplusValues(token, bytes)) return { ok: false, reason: "value-multiplicity" };
  const judgement = judge(token, bytes, rule, expectations, harvest);
  if (judgement === undefined) return { ok: false, reason: "element-not-allowed" };
  const { treatment } = rule;
  const isYearAlone = treatment.kind === "birth-date" && treatment.mode === "year";
  const isDate = token.vr === "DA" || token.vr === "DT";
  if (isDate && !isYearAlone && treatment.kind !== "date" && isOriginalDate(token, bytes, harvest))
    return { ok: false, reason: "date-unchanged" };
  if (isDate && treatment.kind === "date" && tellsBirthDate(bytes, harvest)) return { ok: false, reason: "birth-date" };
  return { ok: true, searched: bytes?.length === 0 ? [] : searchedAs(token, bytes, rule, judgement) };
}

/** No separate values are told apart here: line ends are those of long texts. PS3.5 6.1.3. */
const CONTROL = /[^\P{Cc}\t\n\f\r\u0080-\u009f]/u;

/** PS3.6's VR; UN only where PS3.6 has it. */
function isLegalVr({ tag, vr }: Token): boolean {
  const standard = standardVr(tag);
  return standard !== undefined && compatibleVr(vr, tag) && (vr !== "UN" || standard === "UN");
}

/** A value too long for a VR with 16 bits of length is written as UN. PS3.5 6.2.2. */
function withStandardVr(token: Token): Token {
  const vr = standardVr(token.tag);
  return token.vr === "UN" && token.length > LONGEST_SHORT_VALUE && vr !== undefined ? { ...token, vr } : token;
}

function passed(...searched: SearchedAs[]): ElementCheck {
  return { ok: true, searched };
}

/** What was not judged by a closed list may still be an identifier. */
function searchedAs(
  { vr }: Token,
  bytes: Buffer | undefined,
  { treatment, reason, mayRepeat }: Rule,
  judgement: Judgement,
): readonly SearchedAs[] {
  if (mayRepeat === true) return [];
  if (judgement === "binary") return WIDE_NUMBERS.has(vr) ? ["number", "binary"] : ["binary"];
  if (treatment.kind === "number" || treatment.kind === "round") return ["number"];
  if (treatment.kind === "code") return isCodeMeaning(splitValues(bytes ?? new Uint8Array())[0] ?? "") ? [] : ["code"];
  if (treatment.kind === "as-is") return ["retained"];
  if (treatment.kind === "kept-uid") return ["uid"];
  if (treatment.kind === "clean" || (treatment.kind === "numbered" && treatment.vocabulary !== undefined))
    return ["clean"];
  if (treatment.kind !== "text") return [];
  // Short numbers and letters are technical words, and spell other things one behind the other.
  if (treatment.form.kind === "words") return ["technical"];
  return [reason === "profile" ? "text" : "form"];
}

function checkSequence(token: Token, rule: Rule): ElementCheck {
  if (token.tag === PIXEL_DATA && rule.treatment.kind === "pixels") return passed();
  const isOurs = token.tag === METHOD_CODE_SEQUENCE;
  const mayBeLeft =
    rule.treatment.kind === "walk" ||
    rule.treatment.kind === "content" ||
    allows(rule, "empty") ||
    allows(rule, "dummy");
  return isOurs || mayBeLeft ? passed() : { ok: false, reason: "element-not-allowed" };
}

function judge(
  token: Token,
  bytes: Buffer | undefined,
  rule: Rule,
  expectations: Expectations,
  harvest: Harvest,
): Judgement {
  const { treatment } = rule;
  const written = token.parentTag === 0 ? expectations.written.get(token.tag) : undefined;
  if (written !== undefined) return bytes?.equals(written) ? "masked" : undefined;
  // The frames of a masked image are as derived as the image. PS3.3 C.8.16.1.
  if (token.tag === FRAME_TYPE && expectations.mask !== undefined && splitValues(bytes ?? NO_BYTES)[0] !== "DERIVED")
    return bytes?.length === 0 ? "masked" : undefined;
  if (treatment.kind === "pixels") return isExactPixelData(token, expectations) ? "masked" : undefined;
  if (bytes === undefined) return isLongNumber(treatment, token.vr) ? "binary" : undefined;
  if (bytes.length === 0) return treatment.kind !== "none" || allows(rule, "empty") ? "masked" : undefined;
  if (treatment.kind === "code") return isCode(token, bytes, expectations) ? "masked" : undefined;
  if (treatment.kind === "mark")
    return expectations.marks.get(token.tag)?.includes(splitValues(bytes).join("\\")) === true ? "masked" : undefined;
  if (BINARY_VRS.test(token.vr)) return judgeBinary(token, bytes, rule);
  const areTreated = (): boolean =>
    splitValues(bytes).every((value) => value === "" || isTreated(value, token.vr, treatment, expectations));
  const isAllowed = FOLLOWS_FROM_OBJECT.has(treatment.kind)
    ? areTreated()
    : remembered(treatment, token.vr, bytes, areTreated);
  const values = splitValues(bytes);
  const isPatients = (text: string): boolean => harvest.patient.has(fold(text));
  if (isAllowed && !values.some((value) => namesPatient(utf8Of(value), treatment, isPatients))) return "masked";
  return allows(rule, "dummy") && values.length === 1 && isDummy(values[0] ?? "", token.vr, rule, expectations)
    ? "masked"
    : undefined;
}

/** Texts that are known by no form of theirs. */
const OPEN: ReadonlySet<Treatment["kind"]> = new Set(["as-is", "clean", "numbered"]);

/** By a text known by no form as a whole, by two words of a technical one, by a short word of any but a technical one. */
function namesPatient(text: string, treatment: Treatment, isPatients: (text: string) => boolean): boolean {
  if (treatment.kind === "text")
    return spellsName(text, isPatients) || (isOpenForm(treatment.form) && holdsShortName(text, isPatients));
  if (!OPEN.has(treatment.kind)) return false;
  return isPatients(text) || (treatment.kind !== "numbered" && holdsShortName(text, isPatients));
}

/** What is judged by more than the value and its rule. */
const FOLLOWS_FROM_OBJECT: ReadonlySet<Treatment["kind"]> = new Set(["uid", "pseudonym", "identifier"]);
const remembered = createValueMemo<boolean>();

function isTreated(value: string, vr: string, treatment: Treatment, expectations: Expectations): boolean {
  switch (treatment.kind) {
    case "uid":
      return isRegisteredUid(value) || expectations.uids.has(value);
    case "date":
    case "shift":
      return vr === "TM" ? isTime(value) : DATE_TIME.test(value) || DATE_RANGE.test(value);
    case "age":
      return generalizedAge(value) === value;
    case "pseudonym":
      return value === expectations.pseudonym;
    case "identifier":
      return expectations.identifiers.has(value);
    case "birth-date":
      return treatment.mode === "year" ? /^[0-9]{4}0101$/.test(value) : /^[0-9]{8}$/.test(value);
    case "number":
      if (!isWithin(treatment.band, value)) return false;
      return vr === "IS" ? isIntegerString(value) : decimalString(value) === value;
    case "round":
      return roundedNumber(value, treatment.step) === value;
    case "terms":
      return treatment.terms.has(value) || value === treatment.otherwise;
    case "text":
      return isTechnicalText(utf8Of(value), treatment.form);
    case "renamed":
      return value.startsWith(treatment.prefix) && /^[0-9]{1,6}$/.test(value.slice(treatment.prefix.length));
    case "as-is":
      return !CONTROL.test(value);
    case "kept-uid":
      return isRetainableUid(value);
    case "clean":
      return isCleanText(utf8Of(value), treatment.vocabulary);
    case "numbered":
      if (treatment.vocabulary !== undefined && isLabel(utf8Of(value), treatment.vocabulary)) return true;
      return value.startsWith(treatment.prefix) && /^[0-9]{1,6}$/.test(value.slice(treatment.prefix.length));
    default:
      return false;
  }
}

function isLabel(text: string, vocabulary: Vocabulary): boolean {
  return isStructureName(text) || isCleanText(text, vocabulary);
}

/** What was read as Latin-1 is UTF-8 where it is not ASCII. */
function utf8Of(latin: string): string {
  return Buffer.from(latin, "latin1").toString("utf8");
}

function judgeBinary(token: Token, bytes: Buffer, rule: Rule): Judgement {
  const { kind } = rule.treatment;
  const isNumeric =
    kind === "number" && token.vr !== "OB" && token.vr !== "OW" && (token.vr !== "AT" || arePointers(bytes));
  if (isNumeric || (kind === "words" && token.vr !== "OB")) return "binary";
  return allows(rule, "dummy") && bytes.every((byte) => byte === 0) ? "masked" : undefined;
}

function isLongNumber(treatment: Treatment, vr: string): boolean {
  return (
    (treatment.kind === "number" || treatment.kind === "words") && BINARY_VRS.test(vr) && vr !== "OB" && vr !== "AT"
  );
}

function isExactPixelData(token: Token, { pixelBytes }: Expectations): boolean {
  return pixelBytes !== undefined && token.parentTag === 0 && token.length === pixelBytes + (pixelBytes % 2);
}

function isCode(token: Token, bytes: Buffer, expectations: Expectations): boolean {
  const value = splitValues(bytes).join("\\");
  if (token.parentTag === METHOD_CODE_SEQUENCE) return value === "DCM" || expectations.optionCodes.has(value);
  if (value === DUMMY_CODE.value || value === DUMMY_CODE.scheme || value === DUMMY_CODE.meaning) return true;
  if (token.tag === 0x00080102) return CODE_FORMS.has(value);
  const hasForm = [...CODE_FORMS.values()].some((form) => form.test(value));
  if (token.tag === 0x00080100 || token.tag === 0x00080119) return hasForm;
  return token.tag === 0x00080104 && (hasForm || isCodeMeaning(value));
}

function isDummy(value: string, vr: string, rule: Rule, { uids }: Expectations): boolean {
  if (vr === "UI") return uids.has(value);
  return value === (rule.dummy ?? DUMMIES[vr]);
}

function allows(rule: Rule, fallback: "empty" | "dummy"): boolean {
  return Object.values(rule.fallback).includes(fallback);
}

const BIRTH_DATE_PATH = "00100030";
const STUDY_DATE_PATH = "00080020";

/** Where dates stay, a birthday in the place of another date; of a newborn's study it is the day itself. */
function tellsBirthDate(bytes: Buffer | undefined, { dates }: Harvest): boolean {
  const birthDate = dates.get(BIRTH_DATE_PATH)?.replaceAll(".", "") ?? "";
  if (!WHOLE_DAY.test(birthDate) || dates.get(STUDY_DATE_PATH)?.replaceAll(".", "") === birthDate) return false;
  const days = splitValues(bytes ?? NO_BYTES).flatMap((value) => value.split("-"));
  return birthDate !== DUMMIES.DA && days.some((day) => day.replaceAll(".", "").startsWith(birthDate));
}

function isOriginalDate(token: Token, bytes: Buffer | undefined, harvest: Harvest): boolean {
  const original = harvest.dates.get(pathOf(token));
  const value = splitValues(bytes ?? new Uint8Array()).join("\\");
  return value !== "" && value !== DUMMIES[token.vr] && value === original;
}
