import { describe, expect, it } from "vitest";
import { tags } from "./dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "./dictionary/transfer-syntaxes.ts";
import { spliceEdits } from "./edit.ts";
import { bytesSource, readPart10 } from "./reader.ts";
import { dataSetOf, element, textElement } from "./values.ts";
import { encodeDataSet, encodeFileMeta, fileMetaOf, writeDataSet, writePart10 } from "./writer.ts";

const facts = { sopClassUid: "1.2.840.10008.5.1.4.1.1.2", sopInstanceUid: "1.2.3" };
const file = Buffer.concat([
  encodeFileMeta({ ...facts, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN }),
  encodeDataSet(
    dataSetOf([
      textElement(tags.SOPInstanceUID, "1.2.3"),
      textElement(tags.PatientName, "Doe^John"),
      element(tags.PixelData, "OW", Buffer.alloc(100_000, 1)),
    ]),
    EXPLICIT_VR_LITTLE_ENDIAN,
  ),
]);
const nowhere = { write: () => {} };

describe("nothing is written as if it were whole", () => {
  it("when a value's source ends before it", async () => {
    const { dataSet, source } = await readPart10(bytesSource(file));
    const shorter = {
      ...source,
      read: (at: number, length: number) => source.read(at, Math.max(0, Math.min(length, 90_000 - at))),
    };
    const writing = writeDataSet(nowhere, dataSet, EXPLICIT_VR_LITTLE_ENDIAN, shorter);
    await expect(writing).rejects.toMatchObject({ code: "DICOM_TRUNCATED" });
  });

  it("when the file meta names another transfer syntax", async () => {
    const { dataSet, source } = await readPart10(bytesSource(file));
    const meta = fileMetaOf({ ...facts, transferSyntaxUid: IMPLICIT_VR_LITTLE_ENDIAN });
    const content = { meta, dataSet, source, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN };
    await expect(writePart10(nowhere, content)).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("when what is edited could not be read to its end", async () => {
    const damaged = await readPart10(bytesSource(file.subarray(0, -1)), { tolerant: true });
    const edits = { dataSet: new Map([[tags.PatientName, textElement(tags.PatientName, "gone")]]) };
    await expect(spliceEdits(damaged, edits).writeTo(nowhere)).rejects.toMatchObject({ code: "INTERNAL" });
  });
});
