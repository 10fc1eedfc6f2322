import { describe, expect, it } from "vitest";
import { type FilteredFacts, filterInstance, type InstanceFilters } from "./filters.ts";

const facts: FilteredFacts = {
  seriesInstanceUid: "1.2.3",
  modality: "MR",
  manufacturer: "SIEMENS",
  seriesDescription: "T1 MPRAGE",
  seriesNumber: "3",
  seriesInstanceCount: 2,
  requestedSeries: undefined,
};
const siemens = { source: "/^siemens/i", test: (text: string) => /^siemens/i.test(text) };

describe("leaves out", () => {
  it.each<[string, InstanceFilters, Partial<FilteredFacts>, string | undefined]>([
    ["nothing without filters", {}, {}, undefined],
    ["a modality that is not wanted", { modalities: ["CT"] }, {}, "modality"],
    ["a modality that is denied", { excludeModalities: ["MR"] }, {}, "modality"],
    [
      "another manufacturer",
      { manufacturers: { allow: [siemens], onMissing: "exclude" } },
      { manufacturer: "ACME" },
      "manufacturer",
    ],
    ["no allowed manufacturer", { manufacturers: { allow: [siemens], onMissing: "exclude" } }, {}, undefined],
    [
      "a missing manufacturer",
      { manufacturers: { allow: [siemens], onMissing: "exclude" } },
      { manufacturer: "" },
      "manufacturer",
    ],
    [
      "no missing one if so told",
      { manufacturers: { allow: [siemens], onMissing: "include" } },
      { manufacturer: "" },
      undefined,
    ],
    [
      "a description in any letter case",
      { excludeSeriesDescriptions: ["localizer"] },
      { seriesDescription: "3-pl lOcALIsER LOCALIZER" },
      "series-description",
    ],
    [
      "a description by pattern",
      { excludeSeriesDescriptionPatterns: [siemens] },
      { seriesDescription: "siemens phantom" },
      "series-description",
    ],
    ["no description by an empty text", { excludeSeriesDescriptions: [""] }, {}, undefined],
    [
      "a series number",
      { seriesNumbers: { deny: [3], onMissing: "include" } },
      { seriesNumber: " 3".trim() },
      "series-number",
    ],
    [
      "a missing series number if so told",
      { seriesNumbers: { deny: [3], onMissing: "exclude" } },
      { seriesNumber: "" },
      "series-number",
    ],
    ["another series number", { seriesNumbers: { deny: [99], onMissing: "exclude" } }, {}, undefined],
    [
      "a series of one where two are needed",
      { minimumInstancesPerSeries: 2 },
      { seriesInstanceCount: 1 },
      "too-few-instances",
    ],
    ["a series nobody asked for", {}, { requestedSeries: new Set(["1.2.4"]) }, "series-not-requested"],
  ])("%s", (_name, filters, changes, reason) => {
    expect(filterInstance(filters, { ...facts, ...changes })).toBe(reason);
  });
});
