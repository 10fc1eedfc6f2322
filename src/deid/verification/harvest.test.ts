import { describe, expect, it } from "vitest";
import type { DataElement } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element } from "../../dicom/values.ts";
import { text } from "../testing/objects.ts";
import { harvestIdentifiers } from "./harvest.ts";

function identifiersOf(...elements: readonly DataElement[]): readonly string[] {
  return [...harvestIdentifiers(dataSetOf(elements)).identifiers.keys()];
}

describe("what a source tells of people and places is sought from a length on that chance does not spell", () => {
  it.each([
    ["names from 3 letters", text(0x00081070, "Lee^Jo"), ["lee"], ["jo"]],
    ["ids from 3 characters", text(0x00101000, "A7B\\A8"), ["a7b"], ["a8"]],
    ["words of addresses from 4 letters", text(0x00101040, "Elm Road, Wick, Ayr"), ["road", "wick"], ["elm", "ayr"]],
    ["words of institutions from 4 letters", text(0x00080080, "Wick Eye Unit"), ["wick", "unit"], ["eye"]],
    ["telephone numbers from 6 digits", text(0x00102154, "12 34 56\\12 34 5"), ["123456"], ["12345"]],
    ["serial numbers from 3 characters", text(0x00181000, "X9Z"), ["x9z"], []],
    ["numbers from 5 digits, whatever they are", text(0x00101000, "12345\\9876"), ["12345"], ["9876"]],
    ["free text from 6 characters", text(0x00104000, "Anders\\Berta"), ["anders"], ["berta"]],
    [
      "private texts from 6 characters",
      element(tagOf(0x00291010), "LO", Buffer.from("Cecily\\Dora ")),
      ["cecily"],
      ["dora"],
    ],
  ])("%s", (_name, told, sought, left) => {
    const identifiers = identifiersOf(told);
    expect(identifiers).toEqual(expect.arrayContaining(sought));
    for (const each of left) expect(identifiers).not.toContain(each);
  });
});
