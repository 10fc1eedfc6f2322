import { STRUCTURE_NAMES } from "../tables/structure-names.generated.ts";

const NAMES: ReadonlySet<string> = new Set(STRUCTURE_NAMES.split(" "));
/** A part of a structure, room around it, the structure without the tumour. AAPM TG-263 7.2. */
const VARIANT = /~|_PRV(?:[0-9]{2})?$|-[GCIP]TV$/g;
/**
 * Targets: type, classifier, number, imaging and prescription. AAPM TG-263 8.2. A dose in centigray is a number of four digits, which a year
 * is too.
 */
const TARGET =
  /^(?:I?GTV|I?CTV|ITV|PTV)(?:p|n|sb|par|v|vas)?[0-9]{0,2}(?:_(?:(?:CT|MR|PT|SP)[0-9]{1,2}){1,3})?(?:_(?:Low|Mid[0-9]{2}|High|(?!19|20)[0-9]{3,4}))?(?:-[0-9]{2}|!|_[LR])?$/;

/** Whether a label of a structure is one that whole professions use. */
export function isStructureName(label: string): boolean {
  return TARGET.test(label) || NAMES.has(label) || NAMES.has(label.replaceAll(VARIANT, ""));
}
