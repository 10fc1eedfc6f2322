import {
  birthDate,
  date,
  described,
  emptied,
  type Fields,
  gone,
  type Planted,
  patientId,
  replaced,
  uid,
} from "./fields.ts";
import type { Modality, Scene } from "./scene.ts";
import type { Place, Tokens } from "./tokens.ts";

export interface Patient {
  readonly id: string;
  readonly issuer: string;
  readonly family: string;
  readonly given: string;
  readonly birthDate: string;
  readonly sex: "M" | "F";
}

export interface Visit {
  readonly patient: Patient;
  readonly studyInstanceUid: string;
  readonly frameOfReferenceUid: string;
  readonly accessionNumber: string;
  readonly studyId: string;
  readonly referrer: string;
  readonly institution: string;
  readonly description: string;
  readonly date: string;
}

const twoDigits = (number: number): string => String(number).padStart(2, "0");

function randomDate({ upTo }: Tokens, firstYear: number, years: number): string {
  return `${firstYear + upTo(years)}${twoDigits(1 + upTo(12))}${twoDigits(1 + upTo(28))}`;
}

export function createPatient(tokens: Tokens): Patient {
  return {
    id: `MRN${tokens.number("named attribute")}`,
    issuer: tokens.word("named attribute"),
    family: tokens.word("named attribute"),
    given: tokens.word("named attribute"),
    birthDate: randomDate(tokens, 1950, 50),
    sex: tokens.upTo(2) === 0 ? "M" : "F",
  };
}

export function createVisit(tokens: Tokens, patient: Patient): Visit {
  return {
    patient,
    studyInstanceUid: tokens.uid(),
    frameOfReferenceUid: tokens.uid(),
    // SH has room for 16 characters.
    accessionNumber: tokens.number("named attribute"),
    studyId: tokens.word("named attribute"),
    referrer: tokens.word("named attribute"),
    institution: tokens.word("named attribute"),
    description: tokens.word("description"),
    date: randomDate(tokens, 2012, 12),
  };
}

/** What names people, places and devices, each by one word of its own. */
const NAMES = [
  "OtherPatientIDs",
  "OtherPatientNames",
  "PatientAddress",
  "PatientTelephoneNumbers",
  "PatientMotherBirthName",
  "PatientBirthName",
  "PatientComments",
  "AdditionalPatientHistory",
  "Occupation",
  "MedicalAlerts",
  "Allergies",
  "PatientReligiousPreference",
  "MedicalRecordLocator",
  "MilitaryRank",
  "CountryOfResidence",
  "AdmissionID",
  "CurrentPatientLocation",
  "InstitutionAddress",
  "InstitutionalDepartmentName",
  "PhysiciansOfRecord",
  "PerformingPhysicianName",
  "NameOfPhysiciansReadingStudy",
  "OperatorsName",
  "StationName",
  "DeviceSerialNumber",
  "RequestingPhysician",
  "RequestingService",
  "PerformedProcedureStepID",
  "ImageComments",
  "ContrastBolusAgent",
  "RetrieveAETitle",
  "PerformedLocation",
  "ClinicalTrialSubjectID",
  "ClinicalTrialSponsorName",
  "ResponsiblePerson",
  "CommentsOnThePerformedProcedureStep",
] as const;

/** Patient, study, series and equipment. PS3.3 C.7.1 to C.7.3, C.7.5. */
export function visitFields(visit: Visit, scene: Scene, { sopClassUid, modality }: Modality): Fields {
  const { patient, date: day } = visit;
  const word = (place: Place = "named attribute"): string => scene.tokens.word(place);
  const name = `${patient.family}^${patient.given}`;
  return {
    ...Object.fromEntries(NAMES.map((keyword): [string, Planted] => [keyword, gone(word())])),
    SOPClassUID: sopClassUid,
    SOPInstanceUID: uid(scene.sopInstanceUid),
    InstanceCreationDate: date(day),
    InstanceCreationTime: "101602",
    StudyDate: date(day),
    StudyTime: "101500",
    SeriesDate: date(day),
    SeriesTime: "101530",
    TimezoneOffsetFromUTC: "+0100",
    AccessionNumber: emptied(visit.accessionNumber),
    Modality: modality,
    InstitutionName: gone(visit.institution),
    ReferringPhysicianName: emptied(visit.referrer),
    StudyDescription: described(`CT and MR follow up ${visit.description}`, visit.description),
    SeriesDescription: descriptionOf(word("description")),
    PatientName: replaced(name, patient.family, patient.given),
    PatientID: patientId(patient.id),
    IssuerOfPatientID: gone(patient.issuer),
    PatientBirthDate: birthDate(patient.birthDate),
    PatientSex: patient.sex,
    PatientAge: "061Y",
    PatientSize: "1.71",
    PatientWeight: "71.5",
    SmokingStatus: "UNKNOWN",
    StudyInstanceUID: uid(visit.studyInstanceUid),
    SeriesInstanceUID: uid(scene.seriesInstanceUid),
    StudyID: emptied(visit.studyId),
    SeriesNumber: "3",
    RequestedProcedureDescription: descriptionOf(word("description")),
    PerformedProcedureStepDescription: descriptionOf(word("description")),
    PerformedProcedureStepStartDate: date(day),
    PerformedProcedureStepStartTime: "101450",
    RequestAttributesSequence: [
      {
        RequestedProcedureID: gone(word("nested sequence")),
        RequestedProcedureDescription: gone(word("nested sequence")),
        ScheduledProcedureStepDescription: gone(word("nested sequence")),
        ScheduledProcedureStepID: gone(word("nested sequence")),
      },
    ],
    ReferencedStudySequence: [
      {
        ReferencedSOPClassUID: { text: "1.2.840.10008.3.1.2.3.1", checks: [] },
        ReferencedSOPInstanceUID: gone(scene.tokens.uid()),
      },
    ],
  };
}

function descriptionOf(token: string): Planted {
  return described(`axial arterial phase ${token} lung`, token);
}
