import { describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, itemsOf, sequenceElement, textOf, uidOf } from "../../dicom/values.ts";
import { deidentifyObject, profileWith } from "../testing/deidentify.ts";
import { ctImage, text } from "../testing/objects.ts";
import { code, content, image, report } from "../testing/reports.ts";

const BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11";
const KEY_OBJECT = "1.2.840.10008.5.1.4.1.1.88.59";
const clean = profileWith(["clean-structured-content"], { sr: "keep" });
const research = profileWith(["clean-descriptors", "clean-structured-content", "retain-longitudinal-modified-dates"], {
  sr: "keep",
});

/** "TEXT 121071: value" of every item, indented by its depth. */
function outline(dataSet: DataSet, indent = ""): string[] {
  return itemsOf(dataSet, tagOf(0x0040a730)).flatMap(({ dataSet: item }) => {
    const concept = itemsOf(item, tagOf(0x0040a043))[0]?.dataSet;
    const name = concept === undefined ? "" : textOf(concept, tagOf(0x00080104));
    const value = textOf(item, tagOf(0x0040a160)) ?? textOf(item, tagOf(0x0040a123)) ?? "";
    return [`${indent}${textOf(item, tagOf(0x0040a040))} ${name} ${value}`.trimEnd(), ...outline(item, `${indent}  `)];
  });
}

async function outputOf(items: readonly DataSet[], profile = clean, sopClass = BASIC_TEXT_SR): Promise<DataSet> {
  const { outcome, dataSet } = await deidentifyObject(report(sopClass, items), profile);
  expect(outcome.kind === "deidentified" ? "" : JSON.stringify(outcome)).toBe("");
  return dataSet;
}

const tree = [
  content(
    "CONTAINER",
    "121070 DCM",
    [],
    [
      content("TEXT", "121071 DCM", [text(0x0040a160, "Mass in the left lung of Brandybuck")]),
      content("TEXT", "121077 DCM", [text(0x0040a160, "Brandybuck")], [content("TEXT", "121071 DCM", [])]),
      content("PNAME", "121008 DCM", [text(0x0040a123, "Harcourt^Philippa")]),
      content("PNAME", "121088 DCM", [text(0x0040a123, "Harcourt^Philippa")]),
      content("TEXT", "112347 DCM", [text(0x0040a160, "12 lung")]),
      content("TEXT", "X1 99LOCAL", [text(0x0040a160, "lung")]),
      content("TABLE", "121071 DCM", []),
      image("121112 DCM", "1.2.826.0.1.3680043.9.7.3.2"),
    ],
  ),
  content("DATE", "121031 DCM", [text(0x0040a121, "19310704")]),
  content("DATETIME", "113809 DCM", [text(0x0040a120, "20240229101500")]),
  content("DATE", "11955-2 LN", [text(0x0040a121, "20240201")]),
  content("UIDREF", "112040 DCM", [text(0x0040a124, "1.2.826.0.1.3680043.9.7.5")]),
];

describe("a report", () => {
  it("without content stays without, and claims no cleaning of it", async () => {
    for (const sopClass of [BASIC_TEXT_SR, KEY_OBJECT]) {
      const dataSet = await outputOf([], clean, sopClass);
      expect(dataSet.get(tagOf(0x0040a730))?.value).toEqual({ kind: "sequence", items: [] });
      const claimed = itemsOf(dataSet, tagOf(0x00120064)).map((item) => textOf(item.dataSet, tagOf(0x00080100)));
      expect(claimed).toEqual(["113100"]);
    }
  });

  it("is left out unless its profile keeps it", async () => {
    for (const profile of [profileWith([]), profileWith(["clean-structured-content"])]) {
      const { outcome } = await deidentifyObject(report(BASIC_TEXT_SR, tree), profile);
      expect(outcome).toEqual({ kind: "excluded", reason: "sop-class" });
    }
  });

  it("keeps codes, references and the tree; text and names as table E.3.4-1 says", async () => {
    const output = await outputOf(tree);
    expect(outline(output)).toEqual([
      "CONTAINER Findings",
      "  TEXT Finding Anonymized",
      "  PNAME Person Observer Name Anonymous",
      "  TEXT Component ID Anonymized",
      "  IMAGE Source of Measurement",
      "DATETIME Start of X-Ray Irradiation",
      "UIDREF Tracking Unique Identifier",
    ]);
    expect(textOf(output, tagOf(0x0040a493))).toBe("VERIFIED");
    expect(JSON.stringify([...output.keys()])).not.toContain("Brandybuck");
  });

  it("tells that a template may miss something, where it follows one", async () => {
    const template = dataSetOf([text(0x0040db00, "2000"), text(0x00080105, "DCMR")]);
    const following = [sequenceElement(tagOf(0x0040a504), [template])];
    const notesOf = async (items: readonly DataSet[], changes: readonly DataElement[]) => {
      const { outcome } = await deidentifyObject(report(BASIC_TEXT_SR, items, changes), clean);
      return outcome.kind === "deidentified" ? [...outcome.summary.notes.keys()] : [outcome.kind];
    };
    expect(await notesOf(tree, following)).toContain("template-incomplete");
    expect(await notesOf(tree, [])).not.toContain("template-incomplete");
    expect(await notesOf(tree.slice(4), following)).not.toContain("template-incomplete");
  });

  it("keeps what is left of its texts with clean-descriptors, and dates moved", async () => {
    const output = await outputOf(tree, research);
    expect(outline(output)).toEqual([
      "CONTAINER Findings",
      "  TEXT Finding Mass in the left lung of",
      "  PNAME Person Observer Name Anonymous",
      "  TEXT Component ID Anonymized",
      "  IMAGE Source of Measurement",
      "DATETIME Start of X-Ray Irradiation",
      "DATE 11955-2",
      "UIDREF Tracking Unique Identifier",
    ]);
  });

  it("refers to what its references are called now", async () => {
    const { dataSet } = await deidentifyObject(report(BASIC_TEXT_SR, tree), clean);
    const [container] = itemsOf(dataSet, tagOf(0x0040a730));
    const reference = itemsOf(container?.dataSet ?? new Map(), tagOf(0x0040a730)).at(-1);
    const [sop] = itemsOf(reference?.dataSet ?? new Map(), tagOf(0x00081199));
    expect(uidOf(sop?.dataSet ?? new Map(), tagOf(0x00081155))).toMatch(/^2\.25\./);
  });

  it("is a root with a dummy as a skeleton", async () => {
    const output = await outputOf(tree, profileWith([], { sr: "skeleton" }));
    expect(outline(output)).toEqual(["TEXT Anonymized Anonymized"]);
  });

  const withUnits = (value: string, unit: string): DataElement => {
    const units = sequenceElement(tagOf(0x004008ea), [code(`${unit} UCUM`)]);
    return sequenceElement(tagOf(0x0040a300), [dataSetOf([text(0x0040a30a, value), units])]);
  };
  const retaining = profileWith(["clean-structured-content", "retain-patient-characteristics"], { sr: "keep" });
  const agesKept = async (concept: string, ages: readonly (readonly [string, string])[]): Promise<string[]> => {
    const items = ages.map(([value, unit]) => content("NUM", concept, [withUnits(value, unit)]));
    return itemsOf(await outputOf(items, retaining), tagOf(0x0040a730)).map(({ dataSet }) => {
      const measured = itemsOf(dataSet, tagOf(0x0040a300))[0]?.dataSet ?? new Map();
      const unit = itemsOf(measured, tagOf(0x004008ea))[0]?.dataSet ?? new Map();
      return `${textOf(measured, tagOf(0x0040a30a))} ${textOf(unit, tagOf(0x00080100))}`;
    });
  };

  it.each([
    ...["121033 DCM", "111524 DCM", "111525 DCM", "111538 DCM", "424144002 SCT", "397669002 SCT", "445518008 SCT"],
    ...["C25150 NCIt", "30525-0 LN", "21611-9 LN", "21612-7 LN", "29553-5 LN", "63900-5 LN"],
  ])("tells the age of nobody over 89: %s", async (concept) => {
    expect(
      await agesKept(concept, [
        ["92", "a"],
        ["61", "a"],
        ["1090", "mo"],
        ["300", "d"],
        ["91", "d"],
        ["4800", "wk"],
        ["93", "min/ml"],
      ]),
    ).toEqual(["61 a", "300 d", "91 d"]);
  });

  it("keeps numbers that are no ages, and their units with long values in an attribute of their own", async () => {
    expect(await agesKept("103347 DCM", [["92", "mm[Hg]"]])).toEqual(["92 mm[Hg]"]);
    const item = content("NUM", "126401 DCM", [withUnits("3.1", "g/ml{SUVlbm(James128)}")]);
    const [kept] = itemsOf(await outputOf([item], retaining), tagOf(0x0040a730));
    const measured = itemsOf(kept?.dataSet ?? new Map(), tagOf(0x0040a300))[0]?.dataSet ?? new Map();
    const unit = itemsOf(measured, tagOf(0x004008ea))[0]?.dataSet ?? new Map();
    expect(textOf(unit, tagOf(0x00080119))).toBe("g/ml{SUVlbm(James128)}");
  });

  it.each(["121031 DCM", "21112-8 LN", "80904-6 LN", "184099003 SCT", "C68615 NCIt"])(
    "tells nobody's birthday, whatever happens to dates: %s",
    async (concept) => {
      const items = [
        content("DATE", concept, [text(0x0040a121, "19310704")]),
        content("DATETIME", concept, [text(0x0040a120, "19310704051500")]),
        content("TIME", concept, [text(0x0040a122, "051500")]),
        content("NUM", concept, [withUnits("1931", "a")]),
        content("DATE", "111060 DCM", [text(0x0040a121, "20240229")]),
      ];
      for (const dates of ["retain-longitudinal-full-dates", "retain-longitudinal-modified-dates"] as const) {
        const profile = profileWith(["clean-structured-content", "clean-descriptors", dates], { sr: "keep" });
        expect(outline(await outputOf(items, profile))).toEqual(["DATE Study Date"]);
      }
    },
  );

  it("of a kind that a site made up has a dummy for its name", async () => {
    const named = [sequenceElement(tagOf(0x0040a043), [code("BRANDY 99LOCAL")])];
    const { dataSet } = await deidentifyObject(report(BASIC_TEXT_SR, tree, named), clean);
    const names = itemsOf(dataSet, tagOf(0x0040a043)).map((item) => textOf(item.dataSet, tagOf(0x00080104)));
    expect(names).toEqual(["Anonymized"]);
  });

  it("loses what a site made up: names with what is below, codes for a dummy; and references to nothing", async () => {
    const found = content("NUM", "103347 DCM", [withUnits("92", "mm[Hg]")]);
    const coded = (concept: string): DataElement => sequenceElement(tagOf(0x0040a168), [code(concept)]);
    const items = [
      content("CONTAINER", "X1 99LOCAL", [], [found]),
      content("CODE", "121071 DCM", [coded("BRANDY 99LOCAL")], [found]),
      content("CODE", "121071 DCM", [coded("39607008 SCT")]),
      content("COMPOSITE", "121112 DCM", []),
    ];
    const output = await outputOf(items);
    expect(outline(output)).toEqual(["CODE Finding", "  NUM 103347", "CODE Finding"]);
    const codes = itemsOf(output, tagOf(0x0040a730)).flatMap(({ dataSet }) => itemsOf(dataSet, tagOf(0x0040a168)));
    expect(codes.map(({ dataSet }) => textOf(dataSet, tagOf(0x00080100)))).toEqual(["ANON", "39607008"]);
  });

  it("knows concepts by their retired codes, too", async () => {
    // Of 363698007 SCT and 397898000 SCT, of which the table has rows.
    const items = [
      content("TEXT", "G-C0E3 SRT", [text(0x0040a160, "Brandybuck")]),
      content("DATETIME", "G-D320 SRT", [text(0x0040a120, "20240229101500")]),
    ];
    const kept = itemsOf(await outputOf(items), tagOf(0x0040a730)).map(({ dataSet }) =>
      [0x0040a160, 0x0040a120].map((tag) => textOf(dataSet, tagOf(tag))).join(""),
    );
    expect(kept).toEqual(["Anonymized", "19000101000000"]);
  });

  it("keeps what a device is called only with retain-device-identity", async () => {
    const device = content("CONTAINER", "121000 DCM", [], [content("NUM", "103347 DCM", [withUnits("9", "mm")])]);
    const rest = content("CONTAINER", "121070 DCM", []);
    expect(outline(await outputOf([device, rest]))).toEqual(["CONTAINER Findings"]);
    const retained = profileWith(["clean-structured-content", "retain-device-identity"], { sr: "keep" });
    expect(outline(await outputOf([device, rest], retained))).toHaveLength(3);
  });

  it("that nobody is known to have verified is not verified", async () => {
    const unsigned = new Map([...report(BASIC_TEXT_SR, tree)].filter(([tag]) => tag !== 0x0040a073));
    const { dataSet } = await deidentifyObject(unsigned, clean);
    expect(textOf(dataSet, tagOf(0x0040a493))).toBe("UNVERIFIED");
  });

  it("goes on at depth 30", async () => {
    let item = content("TEXT", "121071 DCM", [text(0x0040a160, "Brandybuck")]);
    for (let depth = 0; depth < 30; depth += 1) item = content("CONTAINER", "121070 DCM", [], [item]);
    const { bytes } = await deidentifyObject(report(BASIC_TEXT_SR, [item]), clean);
    expect(bytes.includes("Anonymized")).toBe(true);
    expect(bytes.includes("Brandybuck")).toBe(false);
  });
});

it("a key object keeps its references without any option, and none of its words", async () => {
  const items = [
    content("TEXT", "113012 DCM", [text(0x0040a160, "for Brandybuck")]),
    image("121112 DCM", "1.2.826.0.1.3680043.9.7.3.2"),
  ];
  const output = await outputOf(items, profileWith([]), KEY_OBJECT);
  expect(outline(output)).toEqual(["IMAGE Source of Measurement"]);
});

it("specimen steps and acquisition contexts are judged as content is", async () => {
  const step = dataSetOf([
    sequenceElement(tagOf(0x00400612), [
      content("TEXT", "121041 DCM", [text(0x0040a160, "Brandybuck-1")]),
      content("CODE", "111701 DCM", [sequenceElement(tagOf(0x0040a168), [code("433466003 SCT")])]),
    ]),
  ]);
  const context = [
    content("CODE", "109054 DCM", [sequenceElement(tagOf(0x0040a168), [code("40199007 SCT")])]),
    content("TEXT", "109054 DCM", [text(0x0040a160, "Brandybuck")]),
  ];
  const object = ctImage([sequenceElement(tagOf(0x00400610), [step]), sequenceElement(tagOf(0x00400555), context)]);
  const { dataSet } = await deidentifyObject(object, clean);
  expect(itemsOf(dataSet, tagOf(0x00400555))).toHaveLength(1);
  const [kept] = itemsOf(dataSet, tagOf(0x00400610));
  expect(itemsOf(kept?.dataSet ?? new Map(), tagOf(0x00400612))).toHaveLength(1);
  expect(itemsOf((await deidentifyObject(object, profileWith([]))).dataSet, tagOf(0x00400555))).toEqual([]);
});

it("what else has a name and a value tells no birthday, and of nobody that they are older than 89", async () => {
  const named = (concept: string, ...values: readonly DataElement[]): DataSet =>
    dataSetOf([sequenceElement(tagOf(0x0040a043), [code(concept)]), ...values]);
  const years = sequenceElement(tagOf(0x004008ea), [code("a UCUM")]);
  const items = [
    named("121033 DCM", text(0x0040a040, "NUMERIC"), text(0x0040a30a, "95"), years),
    named("121033 DCM", text(0x0040a040, "NUMERIC"), text(0x0040a30a, "61"), years),
    named("121031 DCM", text(0x0040a040, "DATE"), text(0x0040a121, "19310704")),
    named("121033 DCM", text(0x0040a040, "NUM"), text(0x0040a30a, "95"), years),
    named("121033 DCM", text(0x0040a040, "NUM"), text(0x0040a30a, "61"), years),
  ];
  const protocolContext = 0x00400440;
  const acquisitionContext = 0x00400555;
  const object = ctImage([protocolContext, acquisitionContext].map((tag) => sequenceElement(tagOf(tag), items)));
  const profile = profileWith([
    ...(["clean-structured-content", "retain-longitudinal-full-dates", "retain-patient-characteristics"] as const),
  ]);
  const { dataSet, outcome } = await deidentifyObject(object, profile);
  expect(outcome.kind).toBe("deidentified");
  const numbers = (tag: number): (string | undefined)[] =>
    itemsOf(dataSet, tagOf(tag)).map((item) => textOf(item.dataSet, tagOf(0x0040a30a)));
  expect(numbers(protocolContext)).toEqual(["61", "61"]);
  expect(numbers(acquisitionContext)).toEqual(["61", "61"]);
  const withoutAges = await deidentifyObject(object, clean);
  expect(itemsOf(withoutAges.dataSet, tagOf(acquisitionContext))).toEqual([]);
});
