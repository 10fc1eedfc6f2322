import { elementOf, formatTagHex, groupOf, tagOf } from "../../dicom/tag.ts";
import { trimPadding } from "../../dicom/values-trim.ts";
import type { PrivateRule, PrivateRules } from "../rules/private-rules.ts";
import type { Token } from "./tokenizer.ts";

const FIRST_BLOCK = 0x10;
const LAST_CREATOR = 0xff;

/** The rules of private elements as they come by in a file: each data set names its creators before their elements. PS3.5 7.8.1. */
export interface PrivateReader {
  /** Undefined: the element has no creator, or is not safe under it. `bytes` is undefined for long values. */
  ruleOf(token: Token, bytes: Buffer | undefined): PrivateRule | undefined;
}

export function createPrivateReader(rules: PrivateRules): PrivateReader {
  /** By the path of the creator's own element. */
  const creators = new Map<string, string>();
  return {
    ruleOf(token, bytes) {
      const tag = tagOf(token.tag);
      const group = groupOf(tag);
      const element = elementOf(tag);
      if (element < FIRST_BLOCK) return undefined;
      if (element <= LAST_CREATOR) {
        const creator = trimPadding((bytes ?? Buffer.alloc(0)).toString("latin1"));
        creators.set(token.scope + formatTagHex(tag), creator);
        return rules.creatorRule(group, creator);
      }
      const creatorTag = tagOf(group * 0x10000 + (element >>> 8));
      const creator = creators.get(token.scope + formatTagHex(creatorTag));
      return creator === undefined ? undefined : rules.ruleOf(group, creator, element & 0xff);
    },
  };
}
