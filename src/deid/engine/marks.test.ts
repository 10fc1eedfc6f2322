import { expect, it } from "vitest";
import { formatTag } from "../../dicom/tag.ts";
import { textOf } from "../../dicom/values.ts";
import { deidentifyObject, profileWith } from "../testing/deidentify.ts";
import { ctImage, text, without } from "../testing/objects.ts";

const DESCRIBED = /^\((?:0008,0020|0008,0030|0008,0050|0008,0090|0010,00[1-4]0|0020,001[0-13])\)$/;

it("adds what every image has where the source lacks it, without a value where there is nothing to make one of", async () => {
  const bare = new Map([...ctImage()].filter(([tag]) => !DESCRIBED.test(formatTag(tag))));
  const { dataSet } = await deidentifyObject(bare, profileWith([]));
  const added = [...dataSet.keys()].map((tag) => formatTag(tag)).filter((tag) => DESCRIBED.test(tag));
  expect(added).toEqual([
    ...["(0008,0020)", "(0008,0030)", "(0008,0050)", "(0008,0090)"],
    ...["(0010,0010)", "(0010,0020)", "(0010,0030)", "(0010,0040)"],
    ...["(0020,0010)", "(0020,0011)", "(0020,0013)"],
  ]);
  expect([...dataSet.keys()].filter((tag) => DESCRIBED.test(formatTag(tag)) && textOf(dataSet, tag))).toEqual([]);
});

it("names a patient who has an id and no name", async () => {
  const name = text(0x00100010, "").tag;
  const { dataSet } = await deidentifyObject(without(ctImage(), name), profileWith([]));
  expect(textOf(dataSet, name)).toMatch(/^[0-9A-Z]{16}$/);
});
