import type { DataElement, ElementValue } from "../../dicom/data-set.ts";
import { optionSet } from "../profiles/options.ts";
import type { Rule } from "../rules/rule.ts";
import type { Tally } from "./tally.ts";

/** Applied to every content item that is judged. PS3.15 E.3.4. */
export const CONTENT_CLEANED = optionSet("clean-structured-content");

/** Options that judge what they find, whatever is left of it; the others are applied where they retain something. */
const JUDGING = optionSet("clean-graphics", "clean-structured-content", "clean-descriptors", "retain-safe-private");

/** An option is claimed where it decided of an element that had a value. PS3.15 E.1.1. */
export function noteApplied(
  element: DataElement,
  { options = 0 }: Rule,
  value: ElementValue | undefined,
  tally: Pick<Tally, "apply">,
): void {
  if (options === 0 || isEmpty(element.value)) return;
  if (value === undefined) tally.apply(options & JUDGING);
  else if (value.kind !== "bytes" || value.bytes.length > 0) tally.apply(options);
}

function isEmpty(value: ElementValue): boolean {
  if (value.kind === "bytes") return value.bytes.length === 0;
  return value.kind === "sequence" && value.items.length === 0;
}
