import { expect, it } from "vitest";
import { tags } from "../../dicom/dictionary/tags.ts";
import { tagOf } from "../../dicom/tag.ts";
import { itemsOf, textOf } from "../../dicom/values.ts";
import type { OptionName } from "../profiles/options.ts";
import { deidentifyObject, profileWith } from "../testing/deidentify.ts";
import { ctImage, text } from "../testing/objects.ts";

async function outputOf(options: readonly OptionName[], ...changes: Parameters<typeof ctImage>[0] & {}) {
  const { outcome, dataSet } = await deidentifyObject(ctImage(changes), profileWith(options));
  expect(outcome.kind === "rejected" ? outcome.reason : "").toBe("");
  return dataSet;
}

it("full dates stay as they are where they are dates, but for the birth date, and the object says so", async () => {
  const output = await outputOf(
    ["retain-longitudinal-full-dates"],
    text(0x00080023, "20240230"),
    text(0x0008002a, "20240229101500.25+0100"),
    text(0x00080033, "Brandybuck"),
  );
  expect(textOf(output, tags.StudyDate)).toBe("20240229");
  expect(textOf(output, tags.AcquisitionTime)).toBe("101559.250");
  expect(textOf(output, tagOf(0x0008002a))).toBe("20240229101500.25+0100");
  // No such day, and no time at all: as the basic profile does.
  expect(textOf(output, tagOf(0x00080023))).not.toBe("20240230");
  expect(textOf(output, tagOf(0x00080033))).not.toBe("Brandybuck");
  expect(textOf(output, tags.PatientBirthDate)).toBeUndefined();
  expect(textOf(output, tags.LongitudinalTemporalInformationModified)).toBe("UNMODIFIED");
  const codes = itemsOf(output, tags.DeidentificationMethodCodeSequence);
  expect(codes.map((item) => textOf(item.dataSet, tagOf(0x00080100)))).toEqual(["113100", "113106"]);
});

it("without a dates option they are gone, and the object says so", async () => {
  const output = await outputOf([]);
  expect(textOf(output, tags.StudyDate)).toBeUndefined();
  expect(textOf(output, tags.LongitudinalTemporalInformationModified)).toBe("REMOVED");
});
