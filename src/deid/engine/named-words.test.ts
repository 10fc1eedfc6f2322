import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, itemsOf, sequenceElement, textOf } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier } from "../deidentifier.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { deidentifyObject } from "../testing/deidentify.ts";
import { ctImage, part10Bytes, put, text, unsigned } from "../testing/objects.ts";
import { code } from "../testing/reports.ts";
import { createStudyVerification } from "../verification/study-verification.ts";

const research = loadProfile("research");
const item = (tag: number, ...elements: DataElement[]): DataElement =>
  sequenceElement(tagOf(tag), [dataSetOf(elements)]);

/** "Head" in every text that is cleaned, or has a label of it. */
const DESCRIBED: readonly DataElement[] = [
  text(0x0008103e, "AXIAL HEAD LUNG"),
  text(0x00081030, "Chest, Head 5 mm"),
  text(0x00181030, "lung_head_2"),
  text(0x00400254, "Head2 lung"),
  text(0x00281055, "HEAD"),
  item(0x00283010, text(0x00283003, "Head")),
  item(
    0x00620002,
    unsigned(0x00620004, 1),
    text(0x00620005, "Head"),
    text(0x00620006, "lung head"),
    text(0x00620020, "lung of Head"),
  ),
  item(0x30060020, text(0x30060022, "1"), text(0x30060026, "Head"), text(0x30060028, "lung head")),
  item(
    0x00400555,
    text(0x0040a040, "TEXT"),
    sequenceElement(tagOf(0x0040a043), [code("121071 DCM")]),
    text(0x0040a160, "Lung, Head"),
  ),
];

/** Every text of a data set, at every depth. */
function textsIn(dataSet: DataSet): string[] {
  return [...dataSet.values()].flatMap(({ tag, value }) =>
    value.kind === "sequence"
      ? value.items.flatMap(({ dataSet: inner }) => textsIn(inner))
      : [textOf(dataSet, tag) ?? ""],
  );
}

const namesHead = (dataSet: DataSet): string[] => textsIn(dataSet).filter((each) => /head/i.test(each));

describe("a word of the vocabulary", () => {
  it("stays in descriptions where nobody is called so", async () => {
    const { dataSet } = await deidentifyObject(ctImage(DESCRIBED), research);
    expect(namesHead(dataSet).length).toBeGreaterThanOrEqual(10);
  });

  it.each<[string, DataElement]>([
    ["an institution", text(0x00080080, "Royal Head and Lung Hospital")],
    ["a department", text(0x00081040, "CT Head")],
    ["a street", text(0x00101040, "12 Head Road")],
    ["a station", text(0x00081010, "HEAD")],
    ["an application", text(0x00080055, "HEAD")],
  ])("stays where it is part of the name of %s: many a clinic is called by what it treats", async (_what, named) => {
    const { outcome, dataSet } = await deidentifyObject(ctImage([...DESCRIBED, named]), research);
    expect(outcome.kind).toBe("deidentified");
    expect(namesHead(dataSet).length).toBeGreaterThanOrEqual(10);
    expect(textsIn(dataSet).filter((each) => /royal|hospital|road/i.test(each))).toEqual([]);
  });

  it("goes with the word beside it where both are what an institution is called", async () => {
    const named = text(0x00080080, "Head Lung");
    const { dataSet } = await deidentifyObject(ctImage([text(0x0008103e, "axial head-lung brain"), named]), research);
    expect(textOf(dataSet, tagOf(0x0008103e))).toBe("axial brain");
  });

  it.each<[string, DataElement]>([
    ["the patient", text(0x00100010, "Head^Meriadoc")],
    ["the patient by given name", text(0x00100010, "Brandybuck^HEAD")],
    ["the patient with a hyphen", text(0x00100010, "Brandybuck-Head^Meriadoc")],
    ["the patient, in a third way of writing", text(0x00100010, "Brandybuck^M=Foo^Bar=Head^M")],
    ["the patient, with a joiner within", element(tagOf(0x00100010), "PN", Buffer.from("He\u200dad^Meri"))],
    ["the patient before", text(0x00101001, "Took^M\\Head^M")],
    ["the patient at birth", text(0x00101005, "Head")],
    ["the patient's mother", text(0x00101060, "Head^E")],
    ["the referring physician", text(0x00080090, "Head^A")],
    ["the performing physician", text(0x00081050, "Took^P\\Head^A")],
    ["an operator", text(0x00081070, "Took^P\\Head^A")],
    ["the referring physician of a request", item(0x00400275, text(0x00080090, "Head^A"))],
    [
      "an operator of what was modified",
      item(0x04000561, item(0x04000550, item(0x00081111, text(0x00081070, "Head^A")))),
    ],
    [
      "the performing physician of a frame's source",
      item(0x52009229, item(0x00089124, item(0x00082112, text(0x00081050, "Head^A")))),
    ],
    ["an operator, by a code", item(0x00081072, item(0x00401101, text(0x00080104, "Head^A")))],
    ["somebody of whom a private element tells", text(0x00290010, "ACME")],
  ])("goes from every one where it is %s", async (who, named) => {
    const privately = who.includes("private") ? [element(tagOf(0x00291001), "PN", Buffer.from("Head^A"))] : [];
    const characterSet = text(0x00080005, "ISO_IR 192");
    const { outcome, dataSet } = await deidentifyObject(
      ctImage([characterSet, ...DESCRIBED.filter(({ tag }) => tag !== named.tag), named, ...privately]),
      research,
    );
    expect(outcome.kind).toBe("deidentified");
    expect(namesHead(dataSet)).toEqual([]);
    expect(itemsOf(dataSet, tagOf(0x00620002))).toHaveLength(1);
  });
});

describe("in a study of several objects", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "named-words-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each(["before", "behind"])(
    "one that describes with the word is found where another %s it names somebody so",
    async (place) => {
      const study = createStudyVerification();
      const engine = createDeidentifier({ profile: research, key: projectKeyOf(Buffer.alloc(32, 5)), filters: {} });
      const described = ctImage([text(0x0008103e, "AXIAL HEAD")]);
      const naming = ctImage([
        text(0x00080018, "1.2.826.0.1.3680043.9.7.3.2"),
        item(0x00400275, text(0x00080090, "Head^A")),
      ]);
      for (const [index, dataSet] of (place === "before" ? [naming, described] : [described, naming]).entries()) {
        const path = await put(join(folder, `${index}.dcm`), await part10Bytes(dataSet));
        const outputPath = join(folder, `out-${index}.dcm`);
        const task = { path, outputPath, participantId: undefined, seriesInstanceCount: 2, study };
        expect(await engine.instance(task, neverAborted())).toMatchObject({ kind: "deidentified" });
      }
      const { findings } = await study.finish(neverAborted());
      expect(findings).toMatchObject([{ code: "IDENTIFIER_FOUND", reason: "name in (0008,103E)" }]);
    },
  );
});
