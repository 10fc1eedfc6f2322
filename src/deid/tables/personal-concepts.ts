import { currentCode } from "./code-meanings.ts";

/** Subject Age, and the ages at which something began, ended or happened. PS3.16 D; SNOMED CT, LOINC, NCI Thesaurus. */
const AGES: ReadonlySet<string> = new Set([
  ...["121033 DCM", "111524 DCM", "111525 DCM", "111538 DCM"],
  ...["424144002 SCT", "397669002 SCT", "445518008 SCT", "C25150 NCIt"],
  ...["30525-0 LN", "21611-9 LN", "21612-7 LN", "29553-5 LN", "63900-5 LN"],
]);
/** Subject Birth Date, the date of birth, the year of birth. PS3.16 D; LOINC, SNOMED CT, NCI Thesaurus. */
const BIRTHS: ReadonlySet<string> = new Set([
  ...["121031 DCM", "21112-8 LN", "80904-6 LN", "184099003 SCT", "C68615 NCIt"],
]);
/** Units of UCUM that ages are told in; one that is not known counts as years. */
const PER_YEAR: ReadonlyMap<string, number> = new Map([
  ["mo", 12],
  ["wk", 52.18],
  ["d", 365.25],
  ["h", 8766],
  ["min", 525_960],
]);
const HIGHEST_AGE_YEARS = 90;

/** What a concept tells of a person that no option keeps as it is; undefined: none of it. */
export function personalConcept(value: string, scheme: string): "age" | "birth" | undefined {
  const code = currentCode(value, scheme);
  if (BIRTHS.has(code)) return "birth";
  return AGES.has(code) ? "age" : undefined;
}

/** Ages of 90 years and more stand out. PS3.15 E.3.7 and 45 CFR 164.514. */
export function isTellableAge(value: string, unit: string | undefined): boolean {
  const years = Number(value) / (PER_YEAR.get(unit ?? "") ?? 1);
  return value !== "" && Number.isFinite(years) && years < HIGHEST_AGE_YEARS;
}
