import { type SyntheticInstance, syntheticStudy } from "../../../../test/peers/synthetic-studies.ts";
import type { InstanceSource, SourceInstance } from "../responder/plan.ts";

/** Small CT slices of one study: the same numbers give the same bytes. */
export function someInstances(count: number, series = 1): readonly SyntheticInstance[] {
  return syntheticStudy({ seed: 69, modality: "CT", series, instancesPerSeries: count, rows: 8, columns: 8 }).instances;
}

export function sourceInstanceOf(instance: SyntheticInstance, file: Uint8Array = instance.file): SourceInstance {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid, transferSyntaxUid } = instance;
  return {
    studyInstanceUid,
    seriesInstanceUid,
    sopInstanceUid,
    transferSyntaxUid,
    sizeBytes: file.length,
    async *open() {
      yield file;
    },
  };
}

/** A source that holds these, in memory. */
export function sourceOf(instances: readonly SyntheticInstance[]): InstanceSource {
  const byUid = new Map(instances.map((instance) => [instance.sopInstanceUid, sourceInstanceOf(instance)]));
  return { find: ({ documentUniqueId }) => Promise.resolve(byUid.get(documentUniqueId)) };
}
