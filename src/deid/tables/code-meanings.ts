import { MEANINGS_BY_SCHEME, SNOMED_CODES } from "./code-meanings.generated.ts";
import { CODE_MEANINGS } from "./code-schemes.ts";
import { indexLines, type LineIndex, partOf } from "./line-index.ts";

/** Retired names of one coding scheme. PS3.16 8.1.1. */
const RETIRED_SNOMED: ReadonlySet<string> = new Set(["SRT", "SNM3", "99SDM"]);

/** Thousands of codes, indexed on first use: most objects have few. */
const indexes = new Map<string, LineIndex>();

function indexOf(name: string, create: () => LineIndex): LineIndex {
  const known = indexes.get(name) ?? create();
  indexes.set(name, known);
  return known;
}

/** What a line says of a value, by the words of its text; undefined: nothing. */
function lookUp(text: string, name: string, value: string): string | undefined {
  const start = indexOf(`values of ${name}`, () => indexLines(text, "value")).find(value);
  return start === -1 ? undefined : partOf(text, start, "meaning");
}

/** The code as the current edition has it: a retired SNOMED code as its concept where that is known. "value scheme". */
export function currentCode(value: string, scheme: string): string {
  const concept = RETIRED_SNOMED.has(scheme) ? lookUp(SNOMED_CODES, "SNOMED", value) : undefined;
  return concept === undefined ? `${value} ${scheme}` : `${concept} SCT`;
}

/** What a code means, in the words of PS3.16; undefined: not known here. */
export function codeMeaning(value: string, scheme: string): string | undefined {
  return meaningOf(`${value} ${scheme}`) ?? meaningOf(currentCode(value, scheme));
}

/** @param code "value scheme" */
function meaningOf(code: string): string | undefined {
  const common = CODE_MEANINGS.get(code);
  if (common !== undefined) return common;
  const blank = code.lastIndexOf(" ");
  const scheme = code.slice(blank + 1);
  const text = Object.hasOwn(MEANINGS_BY_SCHEME, scheme) ? MEANINGS_BY_SCHEME[scheme] : undefined;
  return text === undefined ? undefined : lookUp(text, scheme, code.slice(0, blank));
}

const COMMON_MEANINGS: ReadonlySet<string> = new Set(CODE_MEANINGS.values());

/** Whether a text is the meaning of some code: one that `codeMeaning` answers, and no other that the code once had. */
export function isCodeMeaning(text: string): boolean {
  if (COMMON_MEANINGS.has(text)) return true;
  return Object.entries(MEANINGS_BY_SCHEME).some(
    ([scheme, lines]) =>
      indexOf(`meanings of ${scheme}`, () => indexLines(lines, "meaning", isCurrent(lines, scheme))).find(text) !== -1,
  );
}

/** Of a code with several lines the last one counts, and a common meaning before all of them. */
function isCurrent(lines: string, scheme: string): (start: number) => boolean {
  return (start) => meaningOf(`${partOf(lines, start, "value")} ${scheme}`) === partOf(lines, start, "meaning");
}
