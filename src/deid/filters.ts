import type { ExclusionReason } from "./outcome.ts";

/** A test of a text; `source` is what is hashed and shown. */
export interface TextTest {
  readonly source: string;
  test(text: string): boolean;
}

/** Filters of a project or a profile, evaluated on the original object. Everything absent lets everything pass. */
export interface InstanceFilters {
  /** Values of Modality (0008,0060) that may pass. */
  readonly modalities?: readonly string[];
  readonly excludeModalities?: readonly string[];
  /** Manufacturers (0008,0070) that may pass. */
  readonly manufacturers?: {
    readonly allow: readonly TextTest[];
    readonly onMissing: "exclude" | "include";
  };
  readonly minimumInstancesPerSeries?: number;
  /** A series whose Series Description (0008,103E) contains one of these, in any letter case, is left out. */
  readonly excludeSeriesDescriptions?: readonly string[];
  /** A series whose Series Description matches one of these is left out. */
  readonly excludeSeriesDescriptionPatterns?: readonly TextTest[];
  /** Values of Series Number (0020,0011). */
  readonly seriesNumbers?: {
    readonly deny: readonly number[];
    readonly onMissing: "exclude" | "include";
    /** Further numbers of some manufacturers: of the first that matches. */
    readonly byManufacturer?: readonly { readonly manufacturer: TextTest; readonly deny: readonly number[] }[];
  };
}

/** What the filters look at. */
export interface FilteredFacts {
  readonly seriesInstanceUid: string;
  readonly modality: string;
  readonly manufacturer: string;
  readonly seriesDescription: string;
  /** As text; empty where it is missing. */
  readonly seriesNumber: string;
  /** Of the archive's whole series. */
  readonly seriesInstanceCount: number;
  readonly requestedSeries: ReadonlySet<string> | undefined;
}

type Filter = (filters: InstanceFilters, facts: FilteredFacts) => boolean;

/** What leaves an instance out, in the order in which it is looked at. */
const FILTERS: readonly (readonly [ExclusionReason, Filter])[] = [
  [
    "series-not-requested",
    (_, { requestedSeries, seriesInstanceUid }) =>
      requestedSeries !== undefined && !requestedSeries.has(seriesInstanceUid),
  ],
  ["modality", isUnwantedModality],
  ["manufacturer", isUnwantedManufacturer],
  ["series-description", isUnwantedDescription],
  ["series-number", isUnwantedNumber],
  [
    "too-few-instances",
    ({ minimumInstancesPerSeries }, { seriesInstanceCount }) => seriesInstanceCount < (minimumInstancesPerSeries ?? 1),
  ],
];

/** Why the instance is left out; undefined: it is not. */
export function filterInstance(filters: InstanceFilters, facts: FilteredFacts): ExclusionReason | undefined {
  return FILTERS.find(([, leavesOut]) => leavesOut(filters, facts))?.[0];
}

function isUnwantedModality({ modalities, excludeModalities }: InstanceFilters, { modality }: FilteredFacts): boolean {
  return (modalities !== undefined && !modalities.includes(modality)) || excludeModalities?.includes(modality) === true;
}

function isUnwantedManufacturer({ manufacturers }: InstanceFilters, { manufacturer }: FilteredFacts): boolean {
  if (manufacturers === undefined) return false;
  if (manufacturer === "") return manufacturers.onMissing === "exclude";
  return !manufacturers.allow.some((wanted) => wanted.test(manufacturer));
}

function isUnwantedDescription(filters: InstanceFilters, { seriesDescription }: FilteredFacts): boolean {
  const description = seriesDescription.toLowerCase();
  // An empty text would be part of every description.
  const isPart = (text: string): boolean => text !== "" && description.includes(text.toLowerCase());
  return (
    filters.excludeSeriesDescriptions?.some(isPart) === true ||
    filters.excludeSeriesDescriptionPatterns?.some((unwanted) => unwanted.test(seriesDescription)) === true
  );
}

function isUnwantedNumber({ seriesNumbers }: InstanceFilters, { seriesNumber, manufacturer }: FilteredFacts): boolean {
  if (seriesNumbers === undefined) return false;
  const { deny, onMissing, byManufacturer = [] } = seriesNumbers;
  if (seriesNumber === "") return onMissing === "exclude";
  const own = byManufacturer.find((one) => manufacturer !== "" && one.manufacturer.test(manufacturer));
  return [...deny, ...(own?.deny ?? [])].includes(Number(seriesNumber));
}
