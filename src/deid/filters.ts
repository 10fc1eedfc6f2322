/** A project's filters, evaluated on the original object. Everything absent lets everything pass. */
export interface InstanceFilters {
  /** Values of Modality (0008,0060) that may pass. */
  readonly modalities?: readonly string[];
  readonly minimumInstancesPerSeries?: number;
  /** A series whose Series Description (0008,103E) contains one of these, in any letter case, is left out. */
  readonly excludeSeriesDescriptions?: readonly string[];
}
