import { encapsulatedFile, GREY_8, ultrasoundImage } from "../../src/deid/testing/images.ts";
import { ctImage, part10Bytes, text, without } from "../../src/deid/testing/objects.ts";
import { code, content, report } from "../../src/deid/testing/reports.ts";
import type { DataElement, DataSet } from "../../src/dicom/data-set.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../src/dicom/values.ts";
import { createTokens, type Tokens } from "../acceptance/deidentification/support/tokens.ts";
import type { FuzzSeed } from "./target.ts";

const SEED = 25;
const JPEG_BASELINE = "1.2.840.10008.1.2.4.50";
const PIXEL_DATA = 0x7fe00010;

/** Sound objects of every kind that leaves, and what their identifiers betray themselves by. */
export async function deidSeeds(): Promise<{ readonly seeds: readonly FuzzSeed[]; readonly marks: readonly string[] }> {
  const tokens = createTokens(SEED);
  const ct = plantedImage(tokens);
  const images = [
    { name: "CT in explicit little endian", bytes: await part10Bytes(ct) },
    ...(await Promise.all(
      [IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN].map(
        async (transferSyntaxUid) => ({
          name: `CT in ${transferSyntaxUid}`,
          bytes: await part10Bytes(ct, { transferSyntaxUid }),
        }),
      ),
    )),
  ];
  const jpeg = await encapsulatedFile(
    dataSetOf([...ultrasoundImage(GREY_8).values(), ...without(ct, PIXEL_DATA).values()]),
    [jpegOf(tokens), jpegOf(tokens)],
    JPEG_BASELINE,
  );
  const documents = await Promise.all(
    documentsOf(tokens).map(async ({ name, dataSet }) => ({ name, bytes: await part10Bytes(dataSet) })),
  );
  return { seeds: [...images, { name: "CT in JPEG", bytes: jpeg }, ...documents], marks: tokens.marks };
}

/** Identifiers in every form in which one can be written, at the top and below. */
function plantedImage(tokens: Tokens): DataSet {
  const name = `${tokens.text()}^${tokens.text()}`;
  const patientId = tokens.text();
  const nested = [
    text(0x00100010, name),
    text(0x00100020, patientId),
    text(0x00081030, `CT of ${name}`),
    text(0x00081155, tokens.uid()),
    ...privateBlock(tokens),
  ];
  return ctImage([
    text(0x00080005, "ISO_IR 100"),
    text(0x00080018, tokens.uid()),
    text(0x00080050, tokens.text()),
    text(0x00080080, tokens.text()),
    text(0x00080090, `${tokens.text()}^${tokens.text()}`),
    text(0x00081030, `CT chest of ${name}`),
    sequenceElement(tagOf(0x00081140), [
      dataSetOf([text(0x00081150, "1.2.840.10008.5.1.4.1.1.2"), text(0x00081155, tokens.uid())]),
      dataSetOf(nested),
    ]),
    text(0x00100010, name),
    text(0x00100020, patientId),
    element(tagOf(0x00104000), "UN", Buffer.from(tokens.text())),
    text(0x00181000, tokens.text()),
    text(0x0020000d, tokens.uid()),
    text(0x0020000e, tokens.uid()),
    text(0x00200010, tokens.text()),
    text(0x00204000, `Seen by ${tokens.text()}`),
    element(tagOf(0x00281050), "DS", Buffer.from(`40\0${tokens.text()} `)),
    ...privateBlock(tokens),
    sequenceElement(tagOf(0x52009230), [dataSetOf([sequenceElement(tagOf(0x00289110), [dataSetOf(nested)])])]),
    element(tagOf(0x60003000), "OW", Buffer.from(tokens.text())),
    element(tagOf(0xfffcfffc), "OB", Buffer.from(tokens.text())),
  ]);
}

function privateBlock(tokens: Tokens): DataElement[] {
  return [
    text(0x00190010, "SIEMENS MR HEADER"),
    element(tagOf(0x0019100c), "IS", Buffer.from("1000")),
    text(0x00290010, tokens.text()),
    element(tagOf(0x00291001), "LO", Buffer.from(tokens.text())),
    element(tagOf(0x00291002), "OB", Buffer.from(tokens.text())),
  ];
}

function documentsOf(tokens: Tokens): { readonly name: string; readonly dataSet: DataSet }[] {
  const planted = [...without(plantedImage(tokens), PIXEL_DATA).values()].filter(
    ({ tag }) => tag >>> 16 !== 0x0028 && tag !== 0x00080016 && tag !== 0x00080060,
  );
  const items = [
    content("TEXT", "121071 DCM", [text(0x0040a160, `Nodule of ${tokens.text()}`)]),
    content("PNAME", "121008 DCM", [text(0x0040a123, tokens.text())]),
    content("CODE", "121071 DCM", [sequenceElement(tagOf(0x0040a168), [code("39607008 SCT", tokens.text())])]),
    content("CONTAINER", "125007 DCM", [], [content("UIDREF", "112039 DCM", [text(0x0040a124, tokens.uid())])]),
  ];
  const roi = dataSetOf([text(0x30060022, "1"), text(0x30060024, tokens.uid()), text(0x30060026, tokens.text())]);
  const structures = [
    text(0x00080016, "1.2.840.10008.5.1.4.1.1.481.3"),
    text(0x00080060, "RTSTRUCT"),
    text(0x30060002, tokens.text()),
    sequenceElement(tagOf(0x30060020), [roi]),
  ];
  return [
    { name: "report", dataSet: report("1.2.840.10008.5.1.4.1.1.88.33", items, planted) },
    { name: "structure set", dataSet: dataSetOf([...planted, ...structures]) },
  ];
}

/** A frame with a comment and an APP1 segment; its scan is noise. ITU-T T.81 annex B. */
function jpegOf(tokens: Tokens): Buffer {
  const segment = (marker: number, payload: Uint8Array): Buffer => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(payload.length + 2);
    return Buffer.concat([Buffer.of(0xff, marker), length, payload]);
  };
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    segment(0xe1, Buffer.from(`Exif\0\0${tokens.text()}`)),
    segment(0xfe, Buffer.from(tokens.text())),
    // Baseline, 8 bits, 6 lines of 8 samples, one component.
    segment(0xc0, Buffer.of(8, 0, 6, 0, 8, 1, 1, 0x11, 0)),
    segment(0xda, Buffer.of(1, 1, 0, 0, 63, 0)),
    Buffer.of(0x11, 0x22, 0x33, 0x44, 0xff, 0xd9),
  ]);
}
