import { createHash } from "node:crypto";
import type { DataElement } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { type Tag, tagOf } from "../../src/dicom/tag.ts";
import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid } from "../../src/dicom/uid.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../src/dicom/uid.ts";
import { element, textElement } from "../../src/dicom/values.ts";
import { smallObject } from "../support/small-object.ts";

export interface HospitalInstance {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly sopInstanceUid: SopInstanceUid;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  /** The data set. */
  readonly bytes: Buffer;
}

/** A study as the hospital has it: what is true, whatever an archive says of it. */
export interface HospitalStudy {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly patientId: string;
  readonly accessionNumber: string;
  readonly instances: readonly HospitalInstance[];
  /** Texts that may be found in nothing that leaves. */
  readonly identifiers: readonly string[];
}

function unsignedShort(tag: Tag, value: number): DataElement {
  return element(tag, "US", Uint8Array.of(value & 0xff, value >> 8));
}

/** 16 by 16 pixels of two bytes. PS3.3 C.7.6.3. */
const IMAGE = [
  unsignedShort(tagOf(0x00280002), 1),
  textElement(tagOf(0x00280004), "MONOCHROME2"),
  unsignedShort(tagOf(0x00280010), 16),
  unsignedShort(tagOf(0x00280011), 16),
  unsignedShort(tagOf(0x00280100), 16),
  unsignedShort(tagOf(0x00280101), 16),
  unsignedShort(tagOf(0x00280102), 15),
  unsignedShort(tagOf(0x00280103), 0),
];

/** Made once for each number: they are the same in every simulation. */
const made = new Map<string, HospitalStudy>();

/** A study of so many instances in two series. */
export function hospitalStudy(number: number, instances: number): HospitalStudy {
  const key = `${number}/${instances}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const root = `1.2.826.0.1.3680043.10.77.${number + 1}`;
  const digest = createHash("sha256").update(root).digest("hex").toUpperCase();
  const patientId = `MRN${digest.slice(0, 8)}`;
  const accessionNumber = `ACC${digest.slice(8, 16)}`;
  const family = `FAMILY${digest.slice(16, 24)}`;
  const study: HospitalStudy = {
    studyInstanceUid: parseStudyInstanceUid(root),
    patientId,
    accessionNumber,
    identifiers: [patientId, accessionNumber, family, root],
    instances: Array.from({ length: instances }, (_, index) => {
      const series = `${root}.${1 + (index % 2)}`;
      const { sopClassUid, transferSyntaxUid, bytes } = smallObject(
        { study: root, series, instance: `${series}.${index + 1}` },
        [
          textElement(tags.PatientName, `${family}^GIVEN`),
          textElement(tags.PatientID, patientId),
          textElement(tags.AccessionNumber, accessionNumber),
          ...IMAGE,
        ],
      );
      return {
        studyInstanceUid: parseStudyInstanceUid(root),
        seriesInstanceUid: parseSeriesInstanceUid(series),
        sopInstanceUid: parseSopInstanceUid(`${series}.${index + 1}`),
        sopClassUid,
        transferSyntaxUid,
        bytes,
      };
    }),
  };
  made.set(key, study);
  return study;
}
