import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { elementOf, groupOf, isPrivate, type Tag, tagOf } from "../../dicom/tag.ts";
import { trimTrailing } from "../../dicom/values-trim.ts";
import type { PrivateRule, PrivateRules } from "../rules/private-rules.ts";
import { textElement } from "./coded-entry.ts";
import { heldBytes } from "./element-bytes.ts";

const FIRST_BLOCK = 0x10;

/** The private blocks of one data set or item: an item does not inherit the blocks of what is around it. PS3.5 7.8.1. */
export interface PrivateBlocks {
  /** Undefined: no creator, or not safe under its creator. */
  ruleOf(tag: Tag): PrivateRule | undefined;
  /** The element's tag in the output. Blocks are numbered from 10H on, in the order in which they are first kept. */
  place(tag: Tag): Tag;
  /** One for each block that something was placed in. */
  creators(): readonly [Tag, DataElement][];
}

export function createPrivateBlocks(dataSet: DataSet, rules: PrivateRules): PrivateBlocks {
  const creators = new Map<number, string>();
  const placed = new Map<number, number>();
  const nextBlocks = new Map<number, number>();
  const creatorOf = (creatorTag: Tag): string => {
    const known = creators.get(creatorTag);
    if (known !== undefined) return known;
    const creator = creatorText(dataSet.get(creatorTag));
    creators.set(creatorTag, creator);
    return creator;
  };

  return {
    ruleOf(tag) {
      const creatorTag = creatorTagOf(tag);
      if (creatorTag === undefined) return undefined;
      return rules.ruleOf(groupOf(tag), creatorOf(creatorTag), elementOf(tag) & 0xff);
    },
    place(tag) {
      const group = groupOf(tag);
      const creatorTag = creatorTagOf(tag) ?? tag;
      let block = placed.get(creatorTag);
      if (block === undefined) {
        block = nextBlocks.get(group) ?? FIRST_BLOCK;
        nextBlocks.set(group, block + 1);
        placed.set(creatorTag, block);
      }
      return tagOf(group * 0x10000 + block * 0x100 + (elementOf(tag) & 0xff));
    },
    creators: () =>
      [...placed].map(([creatorTag, block]) => {
        const tag = tagOf((creatorTag >>> 16) * 0x10000 + block);
        return textElement(tag, "LO", creatorOf(tagOf(creatorTag)));
      }),
  };
}

/** (gggg,00bb) of (gggg,bbee); undefined: the element is of no block. */
function creatorTagOf(tag: Tag): Tag | undefined {
  const block = elementOf(tag) >>> 8;
  return isPrivate(tag) && block >= FIRST_BLOCK ? tagOf(groupOf(tag) * 0x10000 + block) : undefined;
}

/** Compared exactly, but for the padding. Empty: none. */
function creatorText(element: DataElement | undefined): string {
  const bytes = element?.vr === "LO" ? heldBytes(element) : undefined;
  return bytes === undefined ? "" : trimTrailing(Buffer.from(bytes).toString("latin1"), " \0");
}
