import { expect, it } from "vitest";
import { tags } from "../../dicom/dictionary/tags.ts";
import { dataSetOfTexts, textOf } from "../../dicom/values.ts";
import { questionOf } from "./question.ts";

/** What an archive answers that matches in any letter case, as Orthanc does unless told. */
const CT_STUDY = dataSetOfTexts([
  [tags.StudyInstanceUID, "1.2.3"],
  [tags.ModalitiesInStudy, "CT\\SR"],
]);

it.each(["CT", "ct", "Ct\\mr"])(
  "finds a CT study when asked for the modality %s: modalities have no small letters",
  (modality) => {
    const question = questionOf({ keys: [], modality }, 1);
    expect(textOf(question.identifier(undefined), tags.ModalitiesInStudy)).toBe(modality.toUpperCase().split("\\")[0]);
    expect(question.modalities).toEqual(modality.toUpperCase().split("\\"));
    expect(question.rowOf(CT_STUDY)?.[0]).toBe("1.2.3");
  },
);
