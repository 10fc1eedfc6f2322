import { describe, expect, it } from "vitest";
import type { DataSet } from "../../../src/dicom/data-set.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { itemsOf, textOf, textsOf, uidOf } from "../../../src/dicom/values.ts";
import {
  keyObjectSelection,
  presentationState,
  type Referring,
  referencesIn,
  segmentation,
  structureSet,
} from "./support/referring-objects.ts";
import { deidentified, slice, studyIdentity } from "./support/studies.ts";
import { createTokens } from "./support/tokens.ts";
import { tracesOf } from "./support/traces.ts";

const CONTOURS = [
  "-12.5\\30.25\\-75.7\\1e-3\\0\\-75.7\\14\\30\\-75.7",
  "0\\0\\-74\\1\\0\\-74\\1\\1\\-74",
  "2\\2\\-73\\3\\2\\-73\\3\\3\\-73",
];
/** SOP Instance, Study, Series and Frame of Reference UID: what a reference can lead to. */
const NAMES = [
  [0x00080018, "instance"],
  [0x0020000d, "study"],
  [0x0020000e, "series"],
  [0x00200052, "frame of reference"],
] as const;

const numberOf = (object: DataSet): string => textOf(object, tagOf(0x00200013)) ?? "";
const byNumber = (a: DataSet, b: DataSet): number => Number(numberOf(a)) - Number(numberOf(b));

/** What each UID of a study is called: by the first object that has it, the same before and after. */
function namesIn(objects: readonly DataSet[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const object of [...objects].sort(byNumber)) {
    for (const [tag, name] of NAMES) {
      const uid = uidOf(object, tagOf(tag)) ?? "";
      if (!names.has(uid)) names.set(uid, `${name} of ${numberOf(object)}`);
    }
  }
  return names;
}

const contoursOf = (object: DataSet): string[] =>
  itemsOf(object, tagOf(0x30060039)).flatMap(({ dataSet }) =>
    itemsOf(dataSet, tagOf(0x30060040)).map((each) => textsOf(each.dataSet, tagOf(0x30060050)).join("\\")),
  );

describe("given images and objects that refer to them, when the study is de-identified", async () => {
  const tokens = createTokens(16);
  const study = studyIdentity(tokens);
  const images = [1, 2, 3].map((number) => slice(study, number, tokens));
  const of: Referring = { study, images, tokens };
  const originals: readonly (readonly [string, DataSet])[] = [
    ["RTSTRUCT", structureSet(of, CONTOURS)],
    ["SEG", segmentation(of)],
    ["PR", presentationState(of)],
    ["KO", keyObjectSelection(of)],
  ];
  const all = [...images, ...originals.map(([, object]) => object)];
  const { files, reports, contents } = await deidentified(all, { profile: "research" });
  const outputs = files.map(({ dataSet }) => dataSet);
  const outputOf = (original: DataSet): DataSet =>
    outputs.find((each) => numberOf(each) === numberOf(original)) ?? new Map();

  it("then all of it is delivered, and the report names no reference that leads nowhere", () => {
    expect(outputs).toHaveLength(all.length);
    expect(reports.map(({ outcome }) => outcome)).toEqual(["delivered"]);
    expect(reports.flatMap(({ notes }) => Object.keys(notes))).not.toContain("reference-not-delivered");
  });

  it.each(originals)(
    "then every reference of the %s leads to the delivered object of the same number",
    (_, original) => {
      const before = referencesIn(original, namesIn(all));
      expect(before.length).toBeGreaterThan(6);
      expect(referencesIn(outputOf(original), namesIn(outputs))).toEqual(before);
    },
  );

  it("then the contours are identical", () => {
    const [[, original] = []] = originals;
    expect(original === undefined ? [] : contoursOf(outputOf(original))).toEqual(CONTOURS);
  });

  it("then no token of any object is left", () => {
    for (const [name, bytes] of contents) expect(tracesOf(bytes, tokens.marks), name).toEqual([]);
  });
});
