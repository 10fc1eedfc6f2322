import { STRUCTURE_WORDS } from "../tables/structure-words.generated.ts";
import { ENGLISH_WORDS } from "../tables/vocabulary.generated.ts";

const WORDS: ReadonlySet<string> = new Set([...STRUCTURE_WORDS.split(" "), ...ENGLISH_WORDS.split(" ")]);
/** Groups of letters and digits, joined. AAPM TG-263 6. */
const NAME = /^[A-Za-z][A-Za-z0-9]*(?:[_+-][A-Za-z0-9]+)*$/;
const LONGEST_NAME = 32;
/** Between the words of a group, each of which begins with a capital; and between letters and digits. */
const BOUNDARY = /[_+-]|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])/;
/** More single letters, or longer numbers, could spell anything. */
const MOST_LETTERS = 3;
const NUMBER = /^[0-9]{1,2}$/;
const MOST_NUMBERS = 2;
/** A part of a structure, room around it, the structure without the tumour. AAPM TG-263 7.2. */
const VARIANT = /~|_PRV(?:[0-9]{2})?$|-[GCIP]TV$/g;
/**
 * Targets: type, classifier, number, imaging and prescription. AAPM TG-263 8.2. A dose in centigray is a number of four digits, which a year
 * is too.
 */
const TARGET =
  /^(?:I?GTV|I?CTV|ITV|PTV)(?:p|n|sb|par|v|vas)?[0-9]{0,2}(?:_(?:(?:CT|MR|PT|SP)[0-9]{1,2}){1,3})?(?:_(?:Low|Mid[0-9]{2}|High|(?!19|20)[0-9]{3,4}))?(?:-[0-9]{2}|!|_[LR])?$/;

/** Whether a label of a structure is one as whole professions make them, of words that name parts of a body or of a plan. */
export function isStructureName(label: string): boolean {
  if (TARGET.test(label)) return true;
  const name = label.replaceAll(VARIANT, "");
  if (name.length > LONGEST_NAME || !NAME.test(name)) return false;
  const parts = partsOfStructureName(name);
  if (parts.filter((part) => part.length === 1 && !NUMBER.test(part)).length > MOST_LETTERS) return false;
  if (parts.filter((part) => NUMBER.test(part)).length > MOST_NUMBERS) return false;
  return parts.every((part) => WORDS.has(part) || NUMBER.test(part));
}

/** Its words, folded. */
export function partsOfStructureName(name: string): readonly string[] {
  return name.split(BOUNDARY).map((part) => part.toLowerCase());
}
