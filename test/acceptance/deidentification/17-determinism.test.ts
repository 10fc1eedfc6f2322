import { expect, it } from "vitest";
import { part10Bytes } from "../../../src/deid/testing/objects.ts";
import { seededRandom } from "../../../src/units/random.ts";
import { kill9AndRerun } from "./support/killed-run.ts";
import { deidentifiedFiles, slice, studyIdentity } from "./support/studies.ts";
import { createTokens } from "./support/tokens.ts";

async function someStudies(): Promise<readonly Buffer[]> {
  const tokens = createTokens(17);
  const objects = [1, 2, 3, 4, 5, 6].flatMap(() => {
    const study = studyIdentity(tokens);
    return [1, 2].map((number) => slice(study, number, tokens));
  });
  return await Promise.all(objects.map((object) => part10Bytes(object)));
}

/** The same objects under other names, so that they are found in another order. */
function shuffled(objects: readonly Buffer[], seed: number): ReadonlyMap<string, Buffer> {
  const random = seededRandom(seed);
  return new Map(objects.map((bytes) => [`${Math.floor(random.next() * 1e9)}`, bytes]));
}

it("given the same objects in another order, when they are de-identified again, then every byte is the same", async () => {
  const objects = await someStudies();
  const [first, second] = [
    await deidentifiedFiles(shuffled(objects, 1), { profile: "research" }),
    await deidentifiedFiles(shuffled(objects, 2), { profile: "research" }),
  ];
  expect(first.files).toHaveLength(objects.length);
  expect(second.contents).toEqual(first.contents);
});

it("given a run that is killed in the middle, when it is run again on a host of another zone and language, then every byte is the same", async () => {
  const { again, whole, isInterrupted, isSwept } = await kill9AndRerun(await someStudies());
  expect({ isInterrupted, isSwept }).toEqual({ isInterrupted: true, isSwept: true });
  expect(whole.files).toHaveLength(12);
  expect(again.contents).toEqual(whole.contents);
});
