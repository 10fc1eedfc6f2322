import type { Tag } from "../../dicom/tag.ts";
import { standardTag } from "./rule-target.ts";

/** Sequences around an element, the outermost first. */
export type Ancestors = readonly number[];

/** Where a rule holds. */
export interface RulePath {
  readonly sequences: readonly Tag[];
  /** The sequences may stand within others. */
  readonly anyDepth: boolean;
}

const ANY_DEPTH = "**/";

/**
 * Reads `0040A730/*\/0040A160`: sequences and their items in turn, the attribute itself at the end. An item is `*`: rules hold for every
 * item. Undefined: it is no such path, or leads elsewhere than to `tag`.
 */
export function parseRulePath(text: string, tag: Tag): RulePath | undefined {
  const anyDepth = text.startsWith(ANY_DEPTH);
  const segments = (anyDepth ? text.slice(ANY_DEPTH.length) : text).split("/");
  if (segments.length % 2 === 0 || standardTag(segments.at(-1) ?? "") !== tag) return undefined;
  const sequences: Tag[] = [];
  for (let index = 0; index + 1 < segments.length; index += 2) {
    const sequence = standardTag(segments[index] ?? "");
    if (sequence === undefined || segments[index + 1] !== "*") return undefined;
    sequences.push(sequence);
  }
  return { sequences, anyDepth };
}

/** Whether an element with these sequences around it is where the rule holds. */
export function isWithin({ sequences, anyDepth }: RulePath, ancestors: Ancestors): boolean {
  if (anyDepth ? ancestors.length < sequences.length : ancestors.length !== sequences.length) return false;
  const offset = ancestors.length - sequences.length;
  return sequences.every((tag, index) => ancestors[offset + index] === tag);
}

/** Whether a rule of the wider path holds wherever one of the narrower does; undefined: everywhere. */
export function covers(wider: RulePath | undefined, narrower: RulePath | undefined): boolean {
  if (wider === undefined) return true;
  if (narrower === undefined) return wider.anyDepth && wider.sequences.length === 0;
  if (narrower.anyDepth && !wider.anyDepth) return false;
  return isWithin(wider, narrower.sequences);
}
