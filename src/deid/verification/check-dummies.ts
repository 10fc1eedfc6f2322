import type { Rule } from "../rules/rule.ts";
import { splitValues } from "../rules/value-forms.ts";
import { DUMMIES, DUMMY_CODE, DUMMY_ITEM_TEXTS, DUMMY_ITEM_WORDS } from "../tables/dummies.ts";
import type { Token } from "./tokenizer.ts";

export interface DummyReader {
  /** Of every element of the output in turn, with the rule that holds for it: false for one that may not be where it is. */
  accepts(token: Token, bytes: Buffer | undefined, rule: Rule): boolean;
}

const CODE_TEXTS: ReadonlySet<string> = new Set(Object.values(DUMMY_CODE));

/**
 * A sequence that may not stay leaves at most one item in its place, in which nothing is the source's. `uids`: new UIDs and the dummy one.
 */
export function createDummyReader(uids: ReadonlySet<string>): DummyReader {
  /** Sequences around the one that may not stay; undefined outside of such a one. */
  let around: number | undefined;
  return {
    accepts(token, bytes, { treatment }) {
      if (around !== undefined && token.within.length > around)
        return token.kind === "sequence" || (token.kind === "value" && isDummy(token, bytes, uids));
      around = token.kind === "sequence" && treatment.kind === "none" ? token.within.length : undefined;
      return true;
    },
  };
}

function isDummy({ tag, vr }: Token, bytes: Buffer | undefined, uids: ReadonlySet<string>): boolean {
  if (bytes === undefined) return false;
  const words = DUMMY_ITEM_WORDS.get(tag);
  if (words !== undefined) return bytes.equals(Uint8Array.from(words.flatMap((word) => [word, 0])));
  if (bytes.every((byte) => byte === 0)) return true;
  const text = splitValues(bytes).join("\\");
  return text === (DUMMY_ITEM_TEXTS.get(tag) ?? DUMMIES[vr]) || CODE_TEXTS.has(text) || (vr === "UI" && uids.has(text));
}
