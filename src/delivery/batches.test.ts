import { expect, it } from "vitest";
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";
import { batchesOf } from "./batches.ts";

it.each([
  [
    "as many files as it may have",
    [1, 1, 1, 1, 1],
    [
      [1, 1, 1],
      [1, 1],
    ],
  ],
  ["as many bytes as it may have", [6, 4, 1, 9, 2], [[6, 4], [1, 9], [2]]],
  ["what is larger alone", [3, 11, 12, 3, 3], [[3], [11], [12], [3, 3]]],
  ["nothing where there is nothing", [], []],
])("has in one request %s, and no more", (_, sizes, expected) => {
  const files = sizes.map((sizeBytes) => ({ sizeBytes }) as DeidentifiedFile);
  const batches = [...batchesOf(files, { files: 3, sizeBytes: 10 })];
  expect(batches.map((batch) => batch.map(({ sizeBytes }) => sizeBytes))).toEqual(expected);
});
