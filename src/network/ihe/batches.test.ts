import { expect, it } from "vitest";
import { batchesOf } from "./batches.ts";
import type { InstanceReference } from "./request.ts";

/** Series of so many instances. */
function study(...sizes: readonly number[]): readonly InstanceReference[] {
  return sizes.flatMap((size, series) =>
    Array.from({ length: size }, (_, instance) => ({
      studyInstanceUid: "1.2",
      seriesInstanceUid: `1.2.${series}`,
      sopInstanceUid: `1.2.${series}.${instance}`,
    })),
  );
}

it.each([
  ["one request for each worker", [4], 3, [1, 1, 2]],
  ["one request for each worker, of a series whose size is no multiple", [10], 6, [1, 2, 2, 1, 2, 2]],
  ["none without instances", [2], 4, [1, 1]],
  ["the largest series first", [1, 9], 4, [1, 3, 3, 3]],
  ["nothing where there are series enough", [2, 9], 2, [2, 9]],
])("splits what is asked for: %s", (_, sizes, workers, lengths) => {
  const batches = batchesOf(study(...sizes), { grouping: "series", workers });
  expect(batches.map(({ length }) => length)).toEqual(lengths);
  expect(batches.flat()).toEqual(study(...sizes));
});

it("asks for no more at once than is allowed, however few workers there are", () => {
  const batches = batchesOf(study(5, 2), { grouping: "single", maximumInstances: 3, workers: 2 });
  expect(batches.map(({ length }) => length)).toEqual([2, 2, 3]);
});
