import { describe, expect, it } from "vitest";
import type { DataSet } from "../../../src/dicom/data-set.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { itemsOf, textOf, textsOf } from "../../../src/dicom/values.ts";
import { deidentified, type RunOutput, slice, studyIdentity } from "./support/studies.ts";
import { createTokens } from "./support/tokens.ts";

const PATIENT_NAME = tagOf(0x00100010);
const PATIENT_ID = tagOf(0x00100020);
const STUDY_DATE = tagOf(0x00080020);

function patientsTwoStudies(): readonly DataSet[] {
  const tokens = createTokens(18);
  const first = studyIdentity(tokens);
  const { patientName, patientId } = first;
  const followUp = studyIdentity(tokens, { patientName, patientId });
  return [slice(first, 1, tokens), slice(first, 2, tokens), slice(followUp, 1, tokens)];
}

/** Every UID that DICOM does not register. */
function ownUidsIn(dataSet: DataSet): string[] {
  return [...dataSet.values()].flatMap(({ tag, vr }) => {
    if (vr === "SQ") return itemsOf(dataSet, tag).flatMap((each) => ownUidsIn(each.dataSet));
    return vr === "UI" ? textsOf(dataSet, tag).filter((uid) => !uid.startsWith("1.2.840.10008.")) : [];
  });
}

const valuesOf = ({ files }: RunOutput, tag: Parameters<typeof textOf>[1]): Set<string> =>
  new Set(files.map(({ dataSet }) => textOf(dataSet, tag) ?? ""));
const uidsOf = ({ files }: RunOutput): Set<string> => new Set(files.flatMap(({ dataSet }) => ownUidsIn(dataSet)));

describe("given two studies of one patient", async () => {
  const objects = patientsTwoStudies();
  const run = (keyByte: number) => deidentified(objects, { profile: "research", keyByte });
  const [one, other] = [await run(1), await run(2)];

  it("when one project takes them, then they have one id and one date shift, and two study UIDs", () => {
    expect(one.files).toHaveLength(objects.length);
    expect(valuesOf(one, PATIENT_ID)).toHaveProperty("size", 1);
    expect(valuesOf(one, PATIENT_NAME)).toEqual(valuesOf(one, PATIENT_ID));
    expect(valuesOf(one, STUDY_DATE)).toHaveProperty("size", 1);
    expect(valuesOf(one, tagOf(0x0020000d))).toHaveProperty("size", 2);
  });

  it("when two projects take them, then they share no UID, no id and no date", () => {
    for (const values of [uidsOf, ...[PATIENT_ID, STUDY_DATE].map((tag) => (run: RunOutput) => valuesOf(run, tag))]) {
      expect([...values(one)]).not.toEqual([]);
      expect([...values(one).intersection(values(other))]).toEqual([]);
    }
  });

  it("when two projects take them, then no name of a file or folder but the projects' own is the same", () => {
    const parts = ({ files }: RunOutput) => new Set(files.flatMap(({ name }) => name.split("/").slice(1)));
    expect([...parts(one).intersection(parts(other))]).toEqual([]);
  });
});
