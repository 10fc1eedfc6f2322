import { expect, it } from "vitest";
import { deidentifyObject, profileWith } from "../../src/deid/testing/deidentify.ts";
import { ctImage } from "../../src/deid/testing/objects.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { bytesOf, element } from "../../src/dicom/values.ts";

// A short table that is all zeros was taken for padding, and emptied: a palette of reds alone lost its greens and blues.
const GREENS = tagOf(0x00281202);
const BLUES = tagOf(0x00281203);

it("tables of zeros or of bytes that are blanks in texts stay as they are", async () => {
  const greens = new Uint8Array(32);
  const blues = new Uint8Array(32).fill(0x20);
  const { dataSet, outcome } = await deidentifyObject(
    ctImage([element(GREENS, "OW", greens), element(BLUES, "OW", blues)]),
    profileWith([]),
  );
  expect(outcome.kind === "rejected" ? outcome : "").toBe("");
  expect([bytesOf(dataSet, GREENS), bytesOf(dataSet, BLUES)]).toEqual([greens, blues]);
});
