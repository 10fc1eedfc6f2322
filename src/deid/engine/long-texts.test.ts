import { expect, it } from "vitest";
import type { DataElement } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../dicom/values.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { deidentifyObject } from "../testing/deidentify.ts";
import { ctImage } from "../testing/objects.ts";

/** Grid Frame Offset Vector, DS 2-n, of 80,000 bytes: more than is held of a value that is read. */
const OFFSETS = `${"12.5\\".repeat(15_999)}12.5 `;
const GRID_FRAME_OFFSET_VECTOR = tagOf(0x3004000c);
/** Shared Functional Groups Sequence. */
const SHARED_GROUPS = tagOf(0x52009229);

function offsets(text: string): DataElement {
  return element(GRID_FRAME_OFFSET_VECTOR, "DS", Buffer.from(text, "latin1"));
}

it("keeps long number strings whose every value is a number, at every depth", async () => {
  const nested = sequenceElement(SHARED_GROUPS, [dataSetOf([offsets(OFFSETS)])]);
  const { outcome, dataSet } = await deidentifyObject(ctImage([offsets(OFFSETS), nested]), loadProfile("basic"));
  expect(outcome).toMatchObject({ kind: "deidentified" });
  const item = dataSet.get(SHARED_GROUPS)?.value;
  const within = item?.kind === "sequence" ? item.items[0]?.dataSet : undefined;
  for (const each of [dataSet, within])
    expect(each?.get(GRID_FRAME_OFFSET_VECTOR)?.value).toMatchObject({ kind: "range", range: { length: 80_000 } });
});

it("removes a long number string with anything else in it", async () => {
  const { outcome, dataSet } = await deidentifyObject(
    ctImage([offsets(OFFSETS.replace(/12\.5 $/, "Doe^J"))]),
    loadProfile("basic"),
  );
  expect(outcome).toMatchObject({ kind: "deidentified" });
  expect(dataSet.has(GRID_FRAME_OFFSET_VECTOR)).toBe(false);
});

it.each([
  ["pointers to thousands of attributes", element(tagOf(0x00280009), "AT", Buffer.alloc(70_000, 0x10))],
  ["numbers of which the last is cut", element(tagOf(0x00660016), "OF", Buffer.alloc(70_002, 1))],
  ["bytes of sound", element(tagOf(0x54001010), "OB", Buffer.alloc(70_000, 1))],
])("removes long %s, and stops nothing", async (_name, long) => {
  const { outcome, dataSet } = await deidentifyObject(ctImage([long]), loadProfile("basic"));
  expect(outcome).toMatchObject({ kind: "deidentified" });
  expect(dataSet.has(long.tag)).toBe(false);
});
