import { expect, it } from "vitest";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { dataSetOfTexts } from "../../dicom/values.ts";
import { type IntakeRule, readIntakeRules } from "./rules.ts";

const SENDER = {
  callingAeTitle: parseAeTitle("CT1"),
  calledAeTitle: parseAeTitle("RADFERRY"),
  moveOriginatorAeTitle: "WORKSTATION",
  remoteAddress: "10.1.2.3",
};
const SENT = dataSetOfTexts([
  [tags.Modality, "CT"],
  [tags.StationName, "SCANNER1"],
  [tags.StudyDescription, "CT Thorax low dose"],
  [tags.BodyPartExamined, "CHEST"],
]);

const ROWS: readonly (readonly [Partial<IntakeRule>, boolean])[] = [
  [{}, true],
  [{ callingAeTitles: ["CT2", "CT1"] }, true],
  [{ callingAeTitles: ["CT2"] }, false],
  [{ calledAeTitles: ["RADFERRY"] }, true],
  [{ calledAeTitles: ["OTHER"] }, false],
  [{ moveOriginatorAeTitles: ["OTHER", "WORKSTATION"] }, true],
  [{ moveOriginatorAeTitles: ["OTHER"] }, false],
  [{ addresses: ["10.0.0.0/8"] }, true],
  [{ addresses: ["10.1.2.4"] }, false],
  [{ modalities: ["MR", "CT"] }, true],
  [{ modalities: ["MR"] }, false],
  [{ stationNames: ["SCANNER1"] }, true],
  [{ stationNames: ["SCANNER"] }, false],
  [{ descriptions: ["lung", "thorax LOW"] }, true],
  [{ descriptions: ["lung"] }, false],
  [{ values: [[tags.BodyPartExamined, "CHEST"]] }, true],
  [
    {
      values: [
        [tags.BodyPartExamined, "CHEST"],
        [tags.PatientSex, "F"],
      ],
    },
    false,
  ],
  [{ modalities: ["CT"], callingAeTitles: ["CT2"] }, false],
];

it.each(ROWS)("the rule %j holds: %s", (facts, holds) => {
  const rules = readIntakeRules([{ name: "one", ...facts }]);
  expect(rules(SENDER, SENT)?.name).toBe(holds ? "one" : undefined);
});

it("gives what nobody asked for by C-MOVE to no rule that names who did", () => {
  const rules = readIntakeRules([{ name: "one", moveOriginatorAeTitles: ["WORKSTATION"] }]);
  const { moveOriginatorAeTitle: _, ...sender } = SENDER;
  expect(rules(sender, SENT)).toBeUndefined();
});

it("goes by the first rule that holds", () => {
  const rules = readIntakeRules([
    { name: "other", modalities: ["MR"], project: "brain" },
    { name: "first", modalities: ["CT"], project: "lung" },
    { name: "second", project: "heart" },
  ]);
  expect(rules(SENDER, SENT)?.name).toBe("first");
});
