import { expect, it } from "vitest";
import { factOf } from "./element-facts.ts";
import { tagOf } from "./tag.ts";
import { dataSetOf, textElement, textOf } from "./values.ts";

const NAME = tagOf(0x00100010);
const ID = tagOf(0x00100020);

it("tells a fact once of the same elements, and anew of others, of missing ones too", () => {
  let told = 0;
  const nameOf = factOf([NAME], (dataSet) => {
    told += 1;
    return textOf(dataSet, NAME);
  });
  const name = textElement(NAME, "Brandybuck");
  expect(nameOf(dataSetOf([name, textElement(ID, "1")]))).toBe("Brandybuck");
  expect(nameOf(dataSetOf([name, textElement(ID, "2")]))).toBe("Brandybuck");
  expect(told).toBe(1);
  expect(nameOf(dataSetOf([textElement(NAME, "Took")]))).toBe("Took");
  expect(nameOf(dataSetOf([]))).toBeUndefined();
  expect(nameOf(dataSetOf([]))).toBeUndefined();
  expect(nameOf(dataSetOf([name]))).toBe("Brandybuck");
  expect(told).toBe(3);
});
