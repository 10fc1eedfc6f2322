import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DataElement, DataSet } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf, element, textElement } from "../../src/dicom/values.ts";
import type { Vr } from "../../src/dicom/vr.ts";
import { encodeDataSet, encodeFileMeta } from "../../src/dicom/writer.ts";
import type { OutgoingInstance } from "../../src/network/dimse/service-types.ts";

const CT = "1.2.840.10008.5.1.4.1.1.2";

export interface SampleObject {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly dataSet: DataSet;
}

function unsigned16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function text(vr: Vr, tag: keyof typeof tags, value: string): DataElement {
  return textElement(tags[tag], value, vr);
}

/** A small, conformant enough CT slice: study, series and instance numbers make its UIDs. */
export function sampleCt(study: number, series: number, instance: number, rows = 16): SampleObject {
  const studyInstanceUid = `1.2.826.0.1.3680043.9.9999.${study}`;
  const seriesInstanceUid = `${studyInstanceUid}.${series}`;
  const sopInstanceUid = `${seriesInstanceUid}.${instance}`;
  const pixels = Buffer.alloc(rows * rows * 2, instance);
  const dataSet = dataSetOf([
    text("UI", "SOPClassUID", CT),
    text("UI", "SOPInstanceUID", sopInstanceUid),
    text("DA", "StudyDate", "20240102"),
    text("TM", "StudyTime", "101112"),
    text("SH", "AccessionNumber", `ACC${study}`),
    text("CS", "Modality", "CT"),
    text("PN", "PatientName", `Sample^Patient${study}`),
    text("LO", "PatientID", `PAT${study}`),
    text("DA", "PatientBirthDate", "19700101"),
    text("CS", "PatientSex", "O"),
    text("UI", "StudyInstanceUID", studyInstanceUid),
    text("UI", "SeriesInstanceUID", seriesInstanceUid),
    text("SH", "StudyID", String(study)),
    text("IS", "SeriesNumber", String(series)),
    text("IS", "InstanceNumber", String(instance)),
    element(tags.SamplesPerPixel, "US", unsigned16(1)),
    text("CS", "PhotometricInterpretation", "MONOCHROME2"),
    element(tags.Rows, "US", unsigned16(rows)),
    element(tags.Columns, "US", unsigned16(rows)),
    element(tags.BitsAllocated, "US", unsigned16(16)),
    element(tags.BitsStored, "US", unsigned16(16)),
    element(tags.HighBit, "US", unsigned16(15)),
    element(tags.PixelRepresentation, "US", unsigned16(0)),
    element(tags.PixelData, "OW", pixels),
  ]);
  return { sopClassUid: CT, sopInstanceUid, studyInstanceUid, seriesInstanceUid, dataSet };
}

/** As it goes over the wire in explicit VR little endian. */
export function outgoingSample({ sopClassUid, sopInstanceUid, dataSet }: SampleObject): OutgoingInstance {
  const bytes = encodeDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN);
  return {
    sopClassUid,
    sopInstanceUid,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    async *open() {
      yield bytes;
    },
  };
}

/** Writes it as a Part 10 file named by its SOP Instance UID; the path. */
export async function writeSample(folder: string, sample: SampleObject): Promise<string> {
  const path = join(folder, `${sample.sopInstanceUid}.dcm`);
  const meta = encodeFileMeta({ ...sample, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN });
  await writeFile(path, Buffer.concat([meta, encodeDataSet(sample.dataSet, EXPLICIT_VR_LITTLE_ENDIAN)]));
  return path;
}
