import { describe, expect, it } from "vitest";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { encapsulatedFile, GREY_8, ultrasoundImage } from "../../../src/deid/testing/images.ts";
import { part10Bytes, text, without } from "../../../src/deid/testing/objects.ts";
import type { DataElement } from "../../../src/dicom/data-set.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { bytesOf, dataSetOf, element, sequenceElement } from "../../../src/dicom/values.ts";
import { deidentify, expectGone } from "./support/engine.ts";
import { valuesIn } from "./support/objects.ts";
import { deidentifiedFiles, identityElements, slice, studyIdentity } from "./support/studies.ts";
import { createTokens } from "./support/tokens.ts";
import { tracesOf } from "./support/traces.ts";

const STORAGE = "1.2.840.10008.5.1.4.1.1.";
/** PDF, CDA, STL, OBJ, MTL. PS3.4 B.5. */
const DOCUMENTS = ["104.1", "104.2", "104.3", "104.4", "104.5"].map((suffix) => STORAGE + suffix);
/** Video endoscopy, and classes that are none: ultrasound, CT. */
const VIDEOS = ["77.1.1.1", "3.1", "2"].map((suffix) => STORAGE + suffix);
/** MPEG-2 main profile, MPEG-4 high profile, HEVC main profile. */
const VIDEO_SYNTAXES = ["1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.107"];
const DICOMDIR = "1.2.840.10008.1.3.10";

describe("item 14: documents, video and directories among the images of a study", () => {
  it.each(["basic", "research"])("%s: excluded with a reason; the study still succeeds", async (profile) => {
    const tokens = createTokens(1400);
    const study = studyIdentity(tokens);
    const ofStudy = (changes: readonly DataElement[]) => slice(study, 9, tokens, changes);
    const document = (sopClass: string) =>
      ofStudy([
        text(0x00080016, sopClass),
        text(0x00080060, "DOC"),
        text(0x00420010, tokens.text()),
        text(0x00420012, "application/pdf"),
        element(tagOf(0x00420011), "OB", Buffer.from(`%PDF-1.4 ${tokens.text()} `)),
      ]);
    const files = new Map<string, Uint8Array>();
    for (const number of [1, 2, 3]) files.set(`slice-${number}`, await part10Bytes(slice(study, number, tokens)));
    for (const sopClass of DOCUMENTS) files.set(sopClass, await part10Bytes(without(document(sopClass), 0x7fe00010)));
    // An image that has a document within.
    files.set(
      "hidden",
      await part10Bytes(ofStudy([element(tagOf(0x00420011), "OB", Buffer.from(`%PDF ${tokens.text()}`))])),
    );
    for (const [index, syntax] of VIDEO_SYNTAXES.entries()) {
      const changes = [
        ...identityElements(study),
        text(0x00080016, VIDEOS[index] ?? ""),
        text(0x00080018, tokens.uid()),
      ];
      const video = ultrasoundImage(GREY_8, changes);
      files.set(syntax, await encapsulatedFile(video, [Buffer.from(`....ftypmp42${tokens.text()}`)], syntax));
    }
    const record = dataSetOf([
      text(0x00041430, "PATIENT"),
      text(0x00100010, tokens.text()),
      text(0x00100020, tokens.text()),
    ]);
    files.set(
      "DICOMDIR",
      await part10Bytes(
        dataSetOf([
          text(0x00080016, DICOMDIR),
          text(0x00080018, tokens.uid()),
          ...identityElements(study),
          sequenceElement(tagOf(0x00041220), [record]),
        ]),
      ),
    );

    const { result, files: delivered, reports, contents } = await deidentifiedFiles(files, { profile });
    expect(result.exclusions).toEqual({ dicomdir: 1, document: DOCUMENTS.length + 1, video: VIDEO_SYNTAXES.length });
    expect(result.failures).toEqual([]);
    expect(result.studies).toMatchObject({ delivered: 1, quarantined: 0 });
    expect(result.instances).toMatchObject({ delivered: 3, rejected: 0 });
    expect(delivered).toHaveLength(3);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.outcome).toBe("delivered");
    for (const [name, bytes] of contents) {
      expect(tracesOf(bytes, tokens.marks), name).toEqual([]);
      expect(tracesOf(Buffer.from(name), tokens.marks)).toEqual([]);
    }
  });

  it("a real directory, which has no study: nothing of it leaves", async () => {
    const tokens = createTokens(1410);
    const record = dataSetOf([text(0x00041430, "PATIENT"), text(0x00100010, tokens.text())]);
    const directory = dataSetOf([text(0x00041130, tokens.text()), sequenceElement(tagOf(0x00041220), [record])]);
    const slices = slice(studyIdentity(tokens), 1, tokens);
    const files = new Map([
      ["DICOMDIR", await part10Bytes(directory)],
      ["slice", await part10Bytes(slices)],
    ]);
    const { result, contents } = await deidentifiedFiles(files, { profile: "research" });
    expect(result.instances).toMatchObject({ delivered: 1 });
    expect(result.studies).toMatchObject({ delivered: 1, quarantined: 0 });
    for (const bytes of contents.values()) expect(tracesOf(bytes, tokens.marks)).toEqual([]);
  });

  it("a PDF that its profile replaces: an empty page, with nothing of the document", async () => {
    const tokens = createTokens(1420);
    const [pdf = ""] = DOCUMENTS;
    const source = slice(studyIdentity(tokens), 1, tokens, [
      text(0x00080016, pdf),
      text(0x00080060, "DOC"),
      text(0x00420010, tokens.text()),
      element(tagOf(0x00420011), "OB", Buffer.from(`%PDF-1.4 ${tokens.text()} `)),
    ]);
    const replacing = profileWith([], { documents: "replace" });
    const result = await deidentify(await part10Bytes(without(source, 0x7fe00010)), replacing);
    expectGone(result, tokens);
    expect(Buffer.from(bytesOf(result.dataSet, tagOf(0x00420011)) ?? []).toString("latin1")).toMatch(/^%PDF-/);
    expect(valuesIn(result.dataSet, 0x00420010)).toEqual([]);
  });
});
