import type { ExclusionReason } from "./outcome.ts";

/** A project's filters, evaluated on the original object. Everything absent lets everything pass. */
export interface InstanceFilters {
  /** Values of Modality (0008,0060) that may pass. */
  readonly modalities?: readonly string[];
  readonly minimumInstancesPerSeries?: number;
  /** A series whose Series Description (0008,103E) contains one of these, in any letter case, is left out. */
  readonly excludeSeriesDescriptions?: readonly string[];
}

/** What the filters look at. */
export interface FilteredFacts {
  readonly seriesInstanceUid: string;
  readonly modality: string;
  readonly seriesDescription: string;
  /** Of the archive's whole series. */
  readonly seriesInstanceCount: number;
  readonly requestedSeries: ReadonlySet<string> | undefined;
}

/** Why the instance is left out; undefined: it is not. */
export function filterInstance(filters: InstanceFilters, facts: FilteredFacts): ExclusionReason | undefined {
  const description = facts.seriesDescription.toLowerCase();
  if (facts.requestedSeries !== undefined && !facts.requestedSeries.has(facts.seriesInstanceUid))
    return "series-not-requested";
  if (filters.modalities !== undefined && !filters.modalities.includes(facts.modality)) return "modality";
  // An empty text would be part of every description.
  const unwanted = filters.excludeSeriesDescriptions ?? [];
  if (unwanted.some((text) => text !== "" && description.includes(text.toLowerCase()))) return "series-description";
  return facts.seriesInstanceCount < (filters.minimumInstancesPerSeries ?? 1) ? "too-few-instances" : undefined;
}
