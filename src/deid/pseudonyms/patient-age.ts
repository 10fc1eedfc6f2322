import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { factOf } from "../../dicom/element-facts.ts";
import { textOf } from "../../dicom/values.ts";
import { generalizedAge } from "../rules/value-forms.ts";
import { daysBetween, yearsBetween } from "./date-shift.ts";

/** Whoever is older would stand out. PS3.15 E.3.7 and 45 CFR 164.514. */
const OLDEST_YEARS = 89;
/** When the patient had the age: the first that is there. */
const DATES = [tags.StudyDate, tags.SeriesDate, tags.AcquisitionDate, tags.ContentDate] as const;

/** Whether the birth date may be told at all: only of a patient known to be no older than 89 years. */
export const isBirthDateTellable = factOf(
  [tags.SpecificCharacterSet, tags.PatientAge, tags.PatientBirthDate, ...DATES],
  isTellable,
);

function isTellable(dataSet: DataSet): boolean {
  const age = (textOf(dataSet, tags.PatientAge) ?? "").trim();
  const general = age === "" ? undefined : generalizedAge(age);
  if (age !== "" && (general === undefined || general === "090Y")) return false;
  const years = yearsBetween(textOf(dataSet, tags.PatientBirthDate) ?? "", examinationDate(dataSet));
  return years !== undefined && years <= OLDEST_YEARS;
}

/** The age at the examination as an AS value, of infants in days; undefined: the dates do not say. PS3.5 6.2 AS. */
export function derivedAge(dataSet: DataSet): string | undefined {
  const birthDate = textOf(dataSet, tags.PatientBirthDate) ?? "";
  const date = examinationDate(dataSet);
  const years = yearsBetween(birthDate, date);
  const days = daysBetween(birthDate, date);
  if (years === undefined || days === undefined) return undefined;
  if (years > 999) return undefined;
  return generalizedAge(years === 0 ? `${String(days).padStart(3, "0")}D` : `${String(years).padStart(3, "0")}Y`);
}

function examinationDate(dataSet: DataSet): string {
  return DATES.map((tag) => textOf(dataSet, tag) ?? "").find((date) => date !== "") ?? "";
}
