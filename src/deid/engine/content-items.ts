import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import type { OptionSet } from "../profiles/options.ts";
import type { ContentDecision, ContentMode, ContentRules } from "../rules/content-rules.ts";
import { sequenceItems } from "../rules/sequence-items.ts";
import { splitValues } from "../rules/value-forms.ts";
import { DUMMIES } from "../tables/dummies.ts";
import { isTellableAge, personalConcept } from "../tables/personal-concepts.ts";
import { publicEntry, textElement } from "./coded-entry.ts";
import { heldBytes } from "./element-bytes.ts";

const VALUE_TYPE = tagOf(0x0040a040);
const CONCEPT_NAME = tagOf(0x0040a043);
const CONCEPT_CODE = tagOf(0x0040a168);
const TEXT_VALUE = tagOf(0x0040a160);
const DATE_TIME = tagOf(0x0040a120);
const DATE = tagOf(0x0040a121);
const TIME = tagOf(0x0040a122);
const PERSON_NAME = tagOf(0x0040a123);
const MEASURED_VALUE = tagOf(0x0040a300);
const NUMERIC_VALUE = tagOf(0x0040a30a);
const REFERENCED_SOP = tagOf(0x00081199);
const MEASUREMENT_UNITS = tagOf(0x004008ea);
/** What an item of each value type is nothing without. PS3.3 C.17.3. */
const NEEDED: Readonly<Record<string, Tag>> = {
  CODE: CONCEPT_CODE,
  IMAGE: REFERENCED_SOP,
  COMPOSITE: REFERENCED_SOP,
  WAVEFORM: REFERENCED_SOP,
};
/** Where the value of an item of each value type is. */
const DUMMY_ELEMENTS: Readonly<Record<string, readonly [Tag, "UT" | "PN" | "DA" | "TM" | "DT"]>> = {
  TEXT: [TEXT_VALUE, "UT"],
  PNAME: [PERSON_NAME, "PN"],
  DATE: [DATE, "DA"],
  TIME: [TIME, "TM"],
  DATETIME: [DATE_TIME, "DT"],
};
const REFERENCE_TYPES = new Set(["CONTAINER", "IMAGE", "COMPOSITE", "WAVEFORM", "CODE"]);

/** What becomes of a content item, and the options that keep it. */
interface JudgedItem {
  readonly decision: ContentDecision;
  readonly options: OptionSet;
}

const REMOVED: JudgedItem = { decision: "remove", options: 0 };

/** Whether a content item stays, from what the source says it is. PS3.15 E.3.4. */
export function decideContentItem(item: DataSet, rules: ContentRules, mode: ContentMode): JudgedItem {
  const valueType = splitValues(heldBytes(item.get(VALUE_TYPE)) ?? new Uint8Array())[0] ?? "";
  if (mode === "none" || (mode === "references" && !REFERENCE_TYPES.has(valueType))) return REMOVED;
  const conceptItem = itemsOf(item, CONCEPT_NAME)[0];
  const entry = conceptItem === undefined ? undefined : publicEntry(conceptItem);
  // A name of its own making may name anything.
  if (conceptItem !== undefined && entry === undefined) return REMOVED;
  const concept = entry === undefined ? undefined : `${entry.value} ${entry.scheme}`;
  if (!isTellable(item)) return REMOVED;
  const decision = rules.decide(concept, valueType);
  return decision === "remove" ? REMOVED : { decision, options: rules.optionsOf(concept, valueType) };
}

/** The item as it leaves; undefined: what it was for is gone. */
export function settleContentItem(
  kept: ReadonlyMap<Tag, DataElement>,
  decision: ContentDecision,
): ReadonlyMap<Tag, DataElement> | undefined {
  const valueType = splitValues(heldBytes(kept.get(VALUE_TYPE)) ?? new Uint8Array())[0] ?? "";
  const needed = NEEDED[valueType];
  if (needed !== undefined && itemsOf(kept, needed).length === 0) return undefined;
  const [tag, vr] = DUMMY_ELEMENTS[valueType] ?? [];
  if (tag === undefined || vr === undefined) return kept;
  const isEmpty = (heldBytes(kept.get(tag)) ?? new Uint8Array()).length === 0;
  if (isEmpty && decision === "clean") return undefined;
  if (!isEmpty && decision !== "dummy") return kept;
  const dummy = textElement(tag, vr, DUMMIES[vr] ?? "");
  return new Map([...kept, dummy].sort(([a], [b]) => a - b));
}

/** Whether what has a name and a value tells no birthday and no age that stands out: a content item, or any other. PS3.3 10.2. */
export function isTellable(item: DataSet): boolean {
  const [conceptItem] = itemsOf(item, CONCEPT_NAME);
  const entry = conceptItem === undefined ? undefined : publicEntry(conceptItem);
  const told = entry === undefined ? undefined : personalConcept(entry.value, entry.scheme);
  if (told !== "age") return told === undefined;
  // In reports the number is an item of its own. PS3.3 C.18.1.
  const measured = [...itemsOf(item, MEASURED_VALUE), ...(item.has(NUMERIC_VALUE) ? [item] : [])];
  return measured.every(isTellableNumber);
}

function isTellableNumber(measured: DataSet): boolean {
  const [units] = itemsOf(measured, MEASUREMENT_UNITS);
  const unit = units === undefined ? undefined : publicEntry(units)?.value;
  const values = splitValues(heldBytes(measured.get(NUMERIC_VALUE)) ?? new Uint8Array());
  return values.every((value) => isTellableAge(value, unit));
}

function itemsOf(dataSet: DataSet, tag: Tag): readonly DataSet[] {
  const element = dataSet.get(tag);
  const items = element === undefined ? undefined : sequenceItems(element);
  return (items ?? []).map((item) => item.dataSet);
}
