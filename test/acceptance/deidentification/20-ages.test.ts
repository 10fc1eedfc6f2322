import { describe, expect, it } from "vitest";
import { text } from "../../../src/deid/testing/objects.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { bytesOf, textOf } from "../../../src/dicom/values.ts";
import { deidentified, slice, studyIdentity } from "./support/studies.ts";
import { createTokens } from "./support/tokens.ts";

const PATIENT_AGE = tagOf(0x00101010);
const BIRTH_DATE = tagOf(0x00100030);

async function ofAge(age: string, profile: string) {
  const tokens = createTokens(20);
  const changes = [text(0x00101010, age), text(0x00100030, "19290102"), text(0x00080020, "20240229")];
  const { files } = await deidentified([slice(studyIdentity(tokens), 1, tokens, changes)], { profile });
  const [output] = files;
  return output === undefined ? undefined : { age: textOf(output.dataSet, PATIENT_AGE), output };
}

describe("given a patient of some age", () => {
  it.each([
    ["095Y", "090Y"],
    ["090Y", "090Y"],
    ["089Y", "089Y"],
    ["042Y", "042Y"],
    ["011M", "011M"],
    ["003D", "003D"],
  ])("when characteristics are retained, then %s is %s, and the birth date is empty", async (before, after) => {
    const found = await ofAge(before, "research");
    expect(found?.age).toBe(after);
    expect(bytesOf(found?.output.dataSet ?? new Map(), BIRTH_DATE)).toHaveLength(0);
  });

  it.each(["999M", "999W"])(
    "when characteristics are retained, then %s is told as years where it is above 89 of them",
    async (before) => {
      const years = before.endsWith("M") ? 999 / 12 : 999 / 52;
      expect((await ofAge(before, "research"))?.age).toBe(years > 89 ? "090Y" : before);
    },
  );

  it("when no option retains them, then the age goes, and the birth date is empty", async () => {
    const found = await ofAge("095Y", "basic");
    expect(found?.output.dataSet.has(PATIENT_AGE)).toBe(false);
    expect(bytesOf(found?.output.dataSet ?? new Map(), BIRTH_DATE)).toHaveLength(0);
  });
});
