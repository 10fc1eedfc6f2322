import { splitValues } from "../rules/value-forms.ts";
import { isTellableAge, personalConcept } from "../tables/personal-concepts.ts";
import type { Token } from "./tokenizer.ts";

export interface ConceptReader {
  /** Of every element of the output in turn: false for a birthday, or an age that stands out, of an item that says by its name what it tells. */
  accepts(token: Token, bytes: Buffer | undefined): boolean;
}

/** The code of the item that is being read. */
interface OpenCode {
  /** Of the data set that the coded entry belongs to. */
  readonly scope: string;
  value: string;
  scheme: string;
}

const CONCEPT_NAME = 0x0040a043;
const MEASUREMENT_UNITS = 0x004008ea;
const MEASURED_VALUE = 0x0040a300;
const CODED: ReadonlySet<number> = new Set([CONCEPT_NAME, MEASUREMENT_UNITS]);
const CODE_VALUE = 0x00080100;
const LONG_CODE_VALUE = 0x00080119;
const CODING_SCHEME = 0x00080102;
const NUMERIC_VALUE = 0x0040a30a;
/** Date Time, Date, Time, Numeric Value, Floating Point Value. PS3.3 10.2, C.18. */
const TELLING: ReadonlySet<number> = new Set([0x0040a120, 0x0040a121, 0x0040a122, NUMERIC_VALUE, 0x0040a161]);
const LAST_ITEM = /[0-9A-F]{8}\[[0-9]+\]\.$/;

/** Remembers a name and a unit for each depth: those of the items that are open are the last that were read there. */
export function createConceptReader(): ConceptReader {
  const codes = new Map<string, OpenCode>();
  const codeOf = (sequence: number, scope: string, depth: number): OpenCode | undefined => {
    const known = codes.get(`${sequence} ${depth}`);
    return known?.scope === scope ? known : undefined;
  };
  const takeCode = ({ tag, parentTag, scope, within }: Token, bytes: Buffer): void => {
    const [owner, depth] = [scope.replace(LAST_ITEM, ""), within.length - 1];
    let code = codeOf(parentTag, owner, depth);
    if (code === undefined) {
      code = { scope: owner, value: "", scheme: "" };
      codes.set(`${parentTag} ${depth}`, code);
    }
    const [text = ""] = splitValues(bytes);
    if (tag === CODE_VALUE || tag === LONG_CODE_VALUE) code.value = text;
    else if (tag === CODING_SCHEME) code.scheme = text;
  };
  return {
    accepts(token, bytes) {
      if (bytes === undefined) return true;
      if (CODED.has(token.parentTag)) takeCode(token, bytes);
      if (!TELLING.has(token.tag) || bytes.length === 0) return true;
      const isMeasured = token.parentTag === MEASURED_VALUE;
      const depth = token.within.length - (isMeasured ? 1 : 0);
      const name = codeOf(CONCEPT_NAME, isMeasured ? token.scope.replace(LAST_ITEM, "") : token.scope, depth);
      const told = name === undefined ? undefined : personalConcept(name.value, name.scheme);
      if (told !== "age" || token.tag !== NUMERIC_VALUE) return told !== "birth";
      const unit = codeOf(MEASUREMENT_UNITS, token.scope, token.within.length)?.value;
      return splitValues(bytes).every((value) => isTellableAge(value, unit));
    },
  };
}
