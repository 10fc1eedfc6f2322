import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { text } from "../../../src/deid/testing/objects.ts";
import type { DataElement } from "../../../src/dicom/data-set.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { dataSetOf, sequenceElement } from "../../../src/dicom/values.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { deidentified, type RunOutput, slice, studyIdentity } from "./support/studies.ts";
import { createTokens } from "./support/tokens.ts";
import { tracesOf } from "./support/traces.ts";

/** The hook: an attribute that lets everything through, at the top and in the items of a sequence that stays. */
const HOOK = `profile: leaking
version: 1
base: basic-2026c
options: [retain-longitudinal-modified-dates]
rules:
  - {tag: ImageComments, action: keep, form: '/[^\\n]*/', review: hook}
`;
const sequence = (...elements: readonly DataElement[]): DataElement =>
  sequenceElement(tagOf(0x00540016), [dataSetOf([...elements])]);

const tokens = createTokens(24);
const study = studyIdentity(tokens);
const physician = `${tokens.text()}^${tokens.text()}`;

/** Three images, the second of which lets `leak` through. */
async function leaking(...leak: readonly DataElement[]): Promise<RunOutput> {
  await using folder = await temporaryFolder();
  const profile = join(folder.path, "leaking.yaml");
  await writeFile(profile, HOOK);
  const objects = [1, 2, 3].map((number) =>
    slice(study, number, tokens, [text(0x00081048, physician), ...(number === 2 ? leak : [])]),
  );
  return await deidentified(objects, { profile });
}

const [family = ""] = study.patientName.split("^");

describe("given a hook that lets one token through", () => {
  it.each([
    ["a name", [text(0x00204000, `seen: ${family}`)], "name in (0020,4000)"],
    [
      "a name in other letters and parts",
      [text(0x00204000, family.toLowerCase().split("").join("-"))],
      "name in (0020,4000)",
    ],
    ["a patient's number", [text(0x00204000, study.patientId)], "id in (0020,4000)"],
    ["an accession number", [text(0x00204000, `${study.accessionNumber}.`)], "id in (0020,4000)"],
    ["another person's name", [text(0x00204000, physician.replace("^", " "))], "name in (0020,4000)"],
    ["a UID", [text(0x00204000, study.studyInstanceUid)], "uid in (0020,4000)"],
    ["a name within a sequence", [sequence(text(0x00204000, family))], "name in (0054,0016)/(0020,4000)"],
  ])("when it is %s, then the study is quarantined with its tag and kind", async (_, leak, reason) => {
    const { result, files, contents } = await leaking(...leak);
    expect(result.failures.map((failure) => [failure.code, failure.reason])).toEqual([["IDENTIFIER_FOUND", reason]]);
    expect(result.studies).toMatchObject({ delivered: 0, quarantined: 1 });
    expect(result.instances).toMatchObject({ delivered: 0, rejected: 1, withheld: 2 });
    expect([...files, ...contents]).toEqual([]);
    expect(
      tracesOf(Buffer.from(JSON.stringify(result.failures.map(({ path, ...told }) => told))), tokens.marks),
    ).toEqual([]);
  });

  it("when nobody is named by it, then the study goes", async () => {
    const { result } = await leaking(text(0x00204000, "seen: nothing"));
    expect(result.studies).toMatchObject({ delivered: 1, quarantined: 0 });
  });
});
