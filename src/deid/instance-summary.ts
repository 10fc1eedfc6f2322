import type { DataElement, DataSet } from "../dicom/data-set.ts";
import type { ComposedOutput } from "./engine/compose-output.ts";
import { areSameDeeds, countsOf, type Deeds } from "./engine/tally.ts";
import type { InstanceSummary } from "./outcome.ts";
import { OPTIONS } from "./profiles/options.ts";
import { type SampleEntry, type SampleMemory, sampleOf } from "./study-sample.ts";

/** What the summaries of a series' slices mostly have in common. */
export type SummaryParts = Omit<InstanceSummary, "verify">;

/** Makes summaries: of instances to which the same was done, the same object. */
export interface SummaryMemory {
  of(source: DataSet, output: Pick<ComposedOutput, "dataSet" | "tally" | "options">): SummaryParts;
}

interface KnownSummary {
  readonly deeds: Deeds;
  readonly optionNames: ComposedOutput["options"];
  readonly parts: SummaryParts;
}

/** Series by turns, and UIDs of different lengths. */
const KNOWN_LIMIT = 32;

/** @param isLasting whether other instances have this very element */
export function createSummaryMemory(isLasting: (element: DataElement) => boolean): SummaryMemory {
  const known: KnownSummary[] = [];
  const samples: SampleMemory = new WeakMap();
  return {
    of(source, { dataSet, tally, options }) {
      const { deeds } = tally;
      const sample = sampleOf(source, dataSet, samples, isLasting);
      const same = known.find(
        (each) =>
          areSameDeeds(each.deeds, deeds) && isSame(each.optionNames, options) && isSame(each.parts.sample, sample),
      );
      if (same !== undefined) return same.parts;
      const parts = { ...countsOf(deeds), options: options.map((option) => OPTIONS[option].code), sample };
      if (known.length >= KNOWN_LIMIT) known.shift();
      known.push({ deeds, optionNames: options, parts });
      return parts;
    },
  };
}

function isSame(a: readonly (SampleEntry | string)[], b: readonly (SampleEntry | string)[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}
