import type { ByteSource, DataElement, DataSet } from "../../dicom/data-set.ts";
import { formatTag, isPrivate } from "../../dicom/tag.ts";
import type { CompiledRules } from "../rules/compiled-rules.ts";
import type { Treatment } from "../rules/rule.ts";
import { standardVr } from "../rules/standard-vr.ts";
import { NUMBER_BYTES } from "./element-bytes.ts";
import { createPrivateBlocks } from "./private-blocks.ts";
import { Rejection } from "./rejection.ts";

/** Number strings longer than this are not read into memory: the instance is rejected. */
export const TEXT_LIMIT_BYTES = 64 * 2 ** 20;

/** Of all of them together. */
const TEXTS_LIMIT_BYTES = 2 * TEXT_LIMIT_BYTES;

/** Bytes of long values by their elements. */
export type LongTexts = ReadonlyMap<DataElement, Uint8Array>;

/** Whether a long value is judged by its text; binary numbers stay where they are. */
export function isReadAsText({ kind }: Treatment, vr: string): boolean {
  return kind === "uid" || (kind === "number" && NUMBER_BYTES[vr] === undefined);
}

/**
 * Reads the long values that are to be judged, at every depth: the filter itself waits for nothing, since hardly any object has one.
 * @throws Rejection when they are too much to hold
 */
export async function readLongTexts(
  dataSet: DataSet,
  source: ByteSource,
  rules: CompiledRules,
  signal: AbortSignal,
): Promise<LongTexts> {
  const texts = new Map<DataElement, Uint8Array>();
  let sizeBytes = 0;
  const stack: { readonly dataSet: DataSet; readonly within: readonly number[] }[] = [{ dataSet, within: [] }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    for (const element of next.dataSet.values()) {
      const { value } = element;
      if (value.kind === "sequence" && isWalked(element, next.within, rules)) {
        const within = [...next.within, element.tag];
        for (const item of value.items) stack.push({ dataSet: item.dataSet, within });
      }
      if (value.kind !== "range" || value.range.length > TEXT_LIMIT_BYTES) continue;
      if (!isWanted(element, next.dataSet, next.within, rules)) continue;
      signal.throwIfAborted();
      sizeBytes += value.range.length;
      if (sizeBytes > TEXTS_LIMIT_BYTES)
        throw new Rejection("DEIDENTIFICATION_UNPROVEN", `long-value ${formatTag(element.tag)}`);
      texts.set(element, await source.read(value.range.offset, value.range.length));
    }
  }
  return texts;
}

/** Private sequences and their items are known by their creators only. */
function isWalked({ tag }: DataElement, within: readonly number[], rules: CompiledRules): boolean {
  const { kind } = rules.ruleOf(tag, within).treatment;
  return isPrivate(tag) || kind === "walk" || kind === "content";
}

function isWanted(element: DataElement, dataSet: DataSet, within: readonly number[], rules: CompiledRules): boolean {
  const { tag } = element;
  if (isPrivate(tag)) {
    const found = createPrivateBlocks(dataSet, rules.privateRules).ruleOf(tag);
    return found !== undefined && isReadAsText(found.rule.treatment, found.vr);
  }
  return isReadAsText(rules.ruleOf(tag, within).treatment, standardVr(tag) ?? "");
}
