import { MEANINGS_BY_SCHEME, SNOMED_CODES } from "./code-meanings.generated.ts";
import { CODE_MEANINGS } from "./code-schemes.ts";

/** Retired names of one coding scheme. PS3.16 8.1.1. */
const RETIRED_SNOMED: ReadonlySet<string> = new Set(["SRT", "SNM3", "99SDM"]);

interface Index {
  /** By "value scheme". */
  readonly meanings: ReadonlyMap<string, string>;
  readonly texts: ReadonlySet<string>;
  /** Concepts of SCT by their code in the retired scheme. */
  readonly concepts: ReadonlyMap<string, string>;
}

let index: Index | undefined;

/** Thousands of codes, taken apart on first use: most objects have few. */
function indexed(): Index {
  if (index !== undefined) return index;
  const meanings = new Map<string, string>();
  for (const [scheme, lines] of Object.entries(MEANINGS_BY_SCHEME)) {
    for (const line of lines.split("\n")) {
      const blank = line.indexOf(" ");
      meanings.set(`${line.slice(0, blank)} ${scheme}`, line.slice(blank + 1));
    }
  }
  for (const [key, meaning] of CODE_MEANINGS) meanings.set(key, meaning);
  const concepts = new Map(
    SNOMED_CODES.split(",").map((pair) => {
      const [old = "", concept = ""] = pair.split(" ");
      return [old, concept];
    }),
  );
  index = { meanings, texts: new Set(meanings.values()), concepts };
  return index;
}

/** The code as the current edition has it: a retired SNOMED code as its concept where that is known. "value scheme". */
export function currentCode(value: string, scheme: string): string {
  const concept = RETIRED_SNOMED.has(scheme) ? indexed().concepts.get(value) : undefined;
  return concept === undefined ? `${value} ${scheme}` : `${concept} SCT`;
}

/** What a code means, in the words of PS3.16; undefined: not known here. */
export function codeMeaning(value: string, scheme: string): string | undefined {
  const { meanings } = indexed();
  return meanings.get(`${value} ${scheme}`) ?? meanings.get(currentCode(value, scheme));
}

/** Whether a text is the meaning of some code. */
export function isCodeMeaning(text: string): boolean {
  return indexed().texts.has(text);
}
