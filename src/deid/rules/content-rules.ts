import { OPTION_NAMES, type OptionName, type OptionSet, optionSet } from "../profiles/options.ts";
import { currentCode } from "../tables/code-meanings.ts";
import type { ContentRow } from "../tables/content-row.ts";
import { CONTENT_TABLE } from "../tables/content-table.generated.ts";

/** What becomes of a content item: it stays as its elements are judged, its text or date becomes a dummy, it goes if nothing is left, it goes. */
export type ContentDecision = "keep" | "dummy" | "clean" | "remove";

/** How much of a content tree stays: all that can be cleaned, references alone (PS3.3 C.17.6), nothing. */
export type ContentMode = "clean" | "references" | "none";

export interface ContentRules {
  /** @param concept of its concept name, "value scheme"; undefined: it has none, or none of a public scheme */
  decide(concept: string | undefined, valueType: string): ContentDecision;
  /** The options without which an item that stays would have gone. */
  optionsOf(concept: string | undefined, valueType: string): OptionSet;
}

const REFERENCES = new Set(["CONTAINER", "IMAGE", "COMPOSITE", "WAVEFORM"]);
const COORDINATES = new Set(["SCOORD", "SCOORD3D", "TCOORD"]);
/** Value types outside of reports that are called otherwise within. PS3.3 10.2, C.17.3. */
const IN_REPORTS: Readonly<Record<string, string>> = { NUMERIC: "NUM" };
const DATES = new Set(["DATE", "TIME", "DATETIME"]);
const DATE_OPTIONS: readonly OptionName[] = ["retain-longitudinal-full-dates", "retain-longitudinal-modified-dates"];

/** PS3.15 E.3.4 and its table. What has no concept name that is known says nothing, but for what only refers. */
export function compileContentRules(active: ReadonlySet<OptionName>): ContentRules {
  const rows = new Map<string, ContentRow>();
  for (const row of CONTENT_TABLE) rows.set(`${row.concept} ${row.valueType}`, row);
  const isRetained = (row: ContentRow): boolean =>
    Object.entries(row.options).some(([option, letter]) => letter === "K" && isActive(active, option));

  return {
    optionsOf(concept, writtenType) {
      const valueType = IN_REPORTS[writtenType] ?? writtenType;
      const row = concept === undefined ? undefined : rows.get(`${currentCode(...partsOf(concept))} ${valueType}`);
      return row === undefined
        ? 0
        : optionSet(...OPTION_NAMES.filter((name) => active.has(name) && name in row.options));
    },
    decide(concept, writtenType) {
      const valueType = IN_REPORTS[writtenType] ?? writtenType;
      if (REFERENCES.has(valueType) || COORDINATES.has(valueType)) {
        const row = rows.get(`${concept} ${valueType}`);
        return valueType === "CONTAINER" && row !== undefined && !isRetained(row) ? "remove" : "keep";
      }
      if (concept === undefined) return "remove";
      const row = rows.get(`${currentCode(...partsOf(concept))} ${valueType}`);
      if (valueType === "UIDREF") return "keep";
      if (valueType === "NUM" || valueType === "CODE") return row === undefined || isRetained(row) ? "keep" : "remove";
      if (DATES.has(valueType)) return decideDate(row, active);
      if (valueType === "PNAME") return mayBeDummy(row) ? "dummy" : "remove";
      return valueType === "TEXT" ? decideText(row, active, isRetained) : "remove";
    },
  };
}

function decideDate(row: ContentRow | undefined, active: ReadonlySet<OptionName>): ContentDecision {
  const isKept = DATE_OPTIONS.some((option) => active.has(option) && (row === undefined || option in row.options));
  if (isKept) return "keep";
  return mayBeDummy(row) ? "dummy" : "remove";
}

function decideText(
  row: ContentRow | undefined,
  active: ReadonlySet<OptionName>,
  isRetained: (row: ContentRow) => boolean,
): ContentDecision {
  if (row !== undefined && isRetained(row)) return "keep";
  const isCleaned = active.has("clean-descriptors") && (row === undefined || row.options["clean-descriptors"] === "C");
  if (mayBeDummy(row)) return isCleaned ? "keep" : "dummy";
  return isCleaned ? "clean" : "remove";
}

/** D and X/D: the template may count on the item. */
function mayBeDummy(row: ContentRow | undefined): boolean {
  return row?.basic === "D" || row?.basic === "X/D";
}

function partsOf(concept: string): [value: string, scheme: string] {
  const blank = concept.indexOf(" ");
  return [concept.slice(0, blank), concept.slice(blank + 1)];
}

function isActive(active: ReadonlySet<OptionName>, option: string): boolean {
  return [...active].some((name) => name === option);
}
