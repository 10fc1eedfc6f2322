import { expect, it } from "vitest";
import { createWeights } from "./weight.ts";

const volume = (archive: string, modality: string, instances: number, each: number) => ({
  archive,
  modality,
  instances,
  sizeBytes: instances * each,
});
const VOLUMES = [volume("vna", "CT", 10, 500), volume("vna", "MR", 10, 100), volume("old", "CT", 30, 300)];

it.each([
  ["of the archive and modality", "vna", "CT", 500, 10],
  ["of the modality elsewhere", "new", "CT", 350, 40],
  ["of the archive, where the modality is not known", "vna", "", 300, 20],
  ["of anything, where neither is known", "new", "", 300, 50],
  ["assumed, where nothing like it was weighed", "vna", "US", 540_000, 0],
])("takes the mean %s", (_, archive, modality, bytesPerInstance, measuredInstances) => {
  const weights = createWeights(VOLUMES);
  expect(weights.of(archive, { byModality: new Map([[modality, 3]]) })).toBe(3 * bytesPerInstance);
  expect(weights.basis()).toEqual([{ archive, modality, bytesPerInstance, measuredInstances }]);
});

it("sums the modalities of a study", () => {
  const byModality = new Map([
    ["CT", 2],
    ["MR", 1],
  ]);
  expect(createWeights(VOLUMES).of("vna", { byModality })).toBe(1_100);
});
