import type { DataElement, DataSet } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf, element, textElement } from "../../src/dicom/values.ts";
import { encodeDataSet } from "../../src/dicom/writer.ts";

const CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2";

export interface SmallObject {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly dataSet: DataSet;
  /** The data set alone, explicit VR little endian. */
  readonly bytes: Buffer;
}

/** The smallest object that has the UIDs a gateway goes by, and a little pixel data. */
export function smallObject(
  uids: { readonly study: string; readonly series: string; readonly instance: string },
  more: readonly DataElement[] = [],
): SmallObject {
  const dataSet = dataSetOf([
    textElement(tags.SOPClassUID, CT_IMAGE_STORAGE),
    textElement(tags.SOPInstanceUID, uids.instance),
    textElement(tags.Modality, "CT"),
    textElement(tags.StudyInstanceUID, uids.study),
    textElement(tags.SeriesInstanceUID, uids.series),
    ...more,
    element(tags.PixelData, "OW", new Uint8Array(512).fill(7)),
  ]);
  return {
    sopClassUid: CT_IMAGE_STORAGE,
    sopInstanceUid: uids.instance,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    dataSet,
    bytes: Buffer.from(encodeDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN)),
  };
}
