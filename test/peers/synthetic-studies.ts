import type { DataElement, DataSet } from "../../src/dicom/data-set.ts";
import { tagOfKeyword, vrOf } from "../../src/dicom/dictionary/dictionary.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf, element, sequenceElement, textElement } from "../../src/dicom/values.ts";
import { encodeDataSet, encodeFileMeta } from "../../src/dicom/writer.ts";
import { seededRandom } from "../../src/units/random.ts";
import { type Fields, MODALITIES, type SyntheticModality } from "./synthetic-modules.ts";

export interface StudyPlan {
  /** Every UID, name and date follows from it. */
  readonly seed: number;
  readonly modality: SyntheticModality;
  readonly series?: number;
  readonly instancesPerSeries?: number;
  readonly rows?: number;
  readonly columns?: number;
  readonly patientId?: string;
  readonly accessionNumber?: string;
}

export interface SyntheticInstance {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly dataSet: DataSet;
  /** The data set, encoded. */
  readonly bytes: Buffer;
  /** The whole Part 10 file. */
  readonly file: Buffer;
}

export interface SyntheticStudy {
  readonly studyInstanceUid: string;
  readonly patientId: string;
  readonly accessionNumber: string;
  readonly instances: readonly SyntheticInstance[];
  /** Every identifying text that was put in: none may be found behind de-identification. */
  readonly identifiers: readonly string[];
}

const FAMILY_NAMES = [
  "Abernathy",
  "Brandybuck",
  "Castellanos",
  "Dragomirescu",
  "Featherstonehaugh",
  "Goldschmidt",
  "Haraldsson",
];
const GIVEN_NAMES = ["Ambrosine", "Bartholomew", "Clementina", "Desdemona", "Evangeline", "Florentina", "Gwendolyn"];

/** A study made up from a seed: the same seed gives the same bytes. */
export function syntheticStudy(plan: StudyPlan): SyntheticStudy {
  const patient = syntheticPatient(plan);
  const studyInstanceUid = `1.2.826.0.1.3680043.10.1561.${plan.seed}`;
  const instances: SyntheticInstance[] = [];
  for (let series = 1; series <= (plan.series ?? 1); series += 1) {
    for (let number = 1; number <= (plan.instancesPerSeries ?? 1); number += 1) {
      instances.push(syntheticInstance(plan, patient, studyInstanceUid, series, number));
    }
  }
  const uids = instances.flatMap(({ seriesInstanceUid, sopInstanceUid }) => [seriesInstanceUid, sopInstanceUid]);
  return {
    studyInstanceUid,
    patientId: patient.fields.PatientID,
    accessionNumber: patient.fields.AccessionNumber,
    instances,
    identifiers: [...new Set([...patient.identifiers, studyInstanceUid, ...uids])],
  };
}

function syntheticPatient({ seed, patientId, accessionNumber }: StudyPlan) {
  const random = seededRandom(seed);
  const pick = (list: readonly string[]): string => list[Math.floor(random.next() * list.length)] ?? "";
  const digits = (count: number): string =>
    Array.from({ length: count }, () => Math.floor(random.next() * 10)).join("");
  const family = pick(FAMILY_NAMES);
  const given = pick(GIVEN_NAMES);
  const fields = {
    PatientName: `${family}^${given}`,
    PatientID: patientId ?? `0${digits(7)}`,
    AccessionNumber: accessionNumber ?? `00${digits(8)}`,
    PatientBirthDate: `19${30 + Math.floor(random.next() * 60)}0${1 + Math.floor(random.next() * 9)}1${Math.floor(random.next() * 9)}`,
    PatientSex: seed % 2 === 0 ? "F" : "M",
    PatientAddress: `${digits(3)} Quillfeather Lane`,
    PatientTelephoneNumbers: `0207${digits(7)}`,
    OtherPatientIDs: `NHS${digits(9)}`,
    InstitutionName: "Saint Elsewhere Infirmary",
    ReferringPhysicianName: "Winterbourne^Septimus",
    OperatorsName: "Oglethorpe^Millicent",
    StationName: `SCANNER${digits(4)}`,
    DeviceSerialNumber: `SN${digits(8)}`,
    StudyID: `SID${digits(6)}`,
    StudyDate: `2024011${seed % 10}`,
    StudyTime: "101500",
  };
  const kept = new Set(["PatientSex", "StudyTime"]);
  const identifiers = Object.entries(fields)
    .filter(([keyword]) => !kept.has(keyword))
    .map(([, value]) => value);
  return { fields, identifiers: [...identifiers, family, given, "Winterbourne", "Oglethorpe", "Quillfeather"] };
}

function syntheticInstance(
  plan: StudyPlan,
  patient: ReturnType<typeof syntheticPatient>,
  studyInstanceUid: string,
  series: number,
  number: number,
): SyntheticInstance {
  const { rows = 32, columns = 32, modality } = plan;
  const module = MODALITIES[modality];
  const seriesInstanceUid = `${studyInstanceUid}.${series}`;
  const sopInstanceUid = `${seriesInstanceUid}.${number}`;
  const fields: Fields = {
    ...patient.fields,
    ...module.fields({ rows, columns, series, number, frameOfReferenceUid: `${studyInstanceUid}.0` }),
    SOPClassUID: module.sopClassUid,
    SOPInstanceUID: sopInstanceUid,
    Modality: modality,
    StudyInstanceUID: studyInstanceUid,
    SeriesInstanceUID: seriesInstanceUid,
    SeriesNumber: `${series}`,
    InstanceNumber: `${number}`,
    Rows: rows,
    Columns: columns,
  };
  const dataSet = dataSetFrom(fields, phantom(rows, columns, module.bytesPerPixel, number), module.bytesPerPixel);
  const facts = { sopClassUid: module.sopClassUid, sopInstanceUid, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN };
  const bytes = Buffer.from(encodeDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN));
  const file = Buffer.concat([encodeFileMeta({ ...facts, sourceAeTitle: "SCANNER" }), bytes]);
  return { ...facts, studyInstanceUid, seriesInstanceUid, dataSet, bytes, file };
}

/** A bright disc that grows from slice to slice. */
function phantom(rows: number, columns: number, bytesPerPixel: number, number: number): Buffer {
  const pixels = Buffer.alloc(rows * columns * bytesPerPixel);
  const radius = (Math.min(rows, columns) / 4) * (1 + (number % 5) / 10);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const isInside = Math.hypot(row - rows / 2, column - columns / 2) < radius;
      const value = (isInside ? 180 : 40) + ((row + column) % 16);
      pixels.writeUIntLE(value, (row * columns + column) * bytesPerPixel, bytesPerPixel);
    }
  }
  return pixels;
}

function dataSetFrom(fields: Fields, pixels: Buffer, bytesPerPixel: number): DataSet {
  const elements = elementsFrom(fields);
  const pixelData = element(tags.PixelData, bytesPerPixel === 1 ? "OB" : "OW", pixels);
  return dataSetOf([...elements, pixelData]);
}

function elementsFrom(fields: Fields): DataElement[] {
  return Object.entries(fields).map(([keyword, value]) => {
    const tag = tagOfKeyword(keyword);
    if (tag === undefined) throw new Error(`no keyword of the dictionary: ${keyword}`);
    if (typeof value === "string") return textElement(tag, value);
    if (typeof value === "object")
      return sequenceElement(
        tag,
        value.map((item) => dataSetOf(elementsFrom(item))),
      );
    return element(tag, vrOf(tag), Uint8Array.of(value & 0xff, value >>> 8));
  });
}
