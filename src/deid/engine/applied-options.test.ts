import { describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, itemsOf, sequenceElement, textOf } from "../../dicom/values.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { OPTIONS, type OptionName } from "../profiles/options.ts";
import type { Profile } from "../profiles/profile.ts";
import { deidentifyObject, profileWith } from "../testing/deidentify.ts";
import { ctImage, SOP_CLASSES, text, unsigned, without } from "../testing/objects.ts";
import { code, content, report } from "../testing/reports.ts";

/** Every option, those of dates in turn; in an order of nobody's. */
const OTHERS: readonly OptionName[] = [
  "retain-institution-identity",
  "retain-device-identity",
  "clean-descriptors",
  "clean-graphics",
  "retain-patient-characteristics",
  "clean-structured-content",
  "retain-safe-private",
];
const whole = profileWith(["retain-longitudinal-modified-dates", ...OTHERS], { sr: "keep" });
const fullDates = profileWith(["retain-longitudinal-full-dates", ...OTHERS], { sr: "keep" });

/** Nothing that any option speaks of. */
const BARE = [
  ...[0x00080020, 0x00080022, 0x00080030, 0x00080032, 0x00080080, 0x00081030, 0x0008103e],
  ...[0x00100030, 0x00100040, 0x00101010, 0x00101030, 0x00181000],
];
const bare = (changes: readonly DataElement[] = []): DataSet => {
  const changed = new Set<number>(changes.map(({ tag }) => tag));
  return BARE.filter((tag) => !changed.has(tag)).reduce(without, ctImage(changes));
};

const withoutPixels = (image: DataSet): DataSet =>
  new Map([...image].filter(([tag]) => tag >>> 16 !== 0x0028 && tag !== 0x7fe00010));

const namesOf = (dataSet: DataSet): (string | undefined)[] =>
  itemsOf(dataSet, tagOf(0x00120064)).map(({ dataSet: item }) => {
    const value = textOf(item, tagOf(0x00080100));
    return Object.entries(OPTIONS).find(([, each]) => each.code === value)?.[0];
  });

async function claimsOf(source: DataSet, profile: Profile = whole): Promise<readonly (string | undefined)[]> {
  const { outcome, dataSet } = await deidentifyObject(source, profile);
  expect(outcome.kind === "rejected" ? outcome.reason : outcome.kind).toBe("deidentified");
  const codes = outcome.kind === "deidentified" ? outcome.summary.options : [];
  const names = namesOf(dataSet);
  expect(codes).toEqual(Object.entries(OPTIONS).flatMap(([name, each]) => (names.includes(name) ? [each.code] : [])));
  return [...names.slice(1), textOf(dataSet, tagOf(0x00280303))];
}

const item = (...elements: readonly DataElement[]): DataSet => dataSetOf(elements);
const safePrivate = [element(tagOf(0x00190010), "LO", Buffer.from("SIEMENS MR HEADER ")), text(0x0019100c, "1000")];
const polyline = item(text(0x00700005, "PIXEL"), unsigned(0x00700020, 2), text(0x00700023, "POLYLINE"));

describe("(0012,0064) claims the basic profile, and of the profile's options those that decided of an element", () => {
  it.each<[string, DataSet, readonly string[]]>([
    ["nothing else without one", bare(), ["REMOVED"]],
    ["not for elements without a value", bare([text(0x00080020, ""), text(0x0008103e, "  ")]), ["REMOVED"]],
    ["a date", bare([text(0x00080020, "20240229")]), ["retain-longitudinal-modified-dates", "MODIFIED"]],
    [
      "a date that no table names",
      bare([text(0x00189074, "20240301")]),
      ["retain-longitudinal-modified-dates", "MODIFIED"],
    ],
    ["not for a date that is none", bare([text(0x00080020, "2024")]), ["REMOVED"]],
    ["a time alone", bare([text(0x00080030, "101500")]), ["retain-longitudinal-modified-dates", "MODIFIED"]],
    ["a description", bare([text(0x0008103e, "AXIAL LUNG")]), ["clean-descriptors", "REMOVED"]],
    [
      "a description of which nothing is left",
      bare([text(0x0008103e, "Brandybuck")]),
      ["clean-descriptors", "REMOVED"],
    ],
    ["a weight", bare([text(0x00101030, "71.5")]), ["retain-patient-characteristics", "REMOVED"]],
    ["not for a weight that is a slip", bare([text(0x00101030, "7150")]), ["REMOVED"]],
    ["a station", bare([text(0x00081010, "CTAWP1")]), ["retain-device-identity", "REMOVED"]],
    ["an institution", bare([text(0x00080080, "Infirmary")]), ["retain-institution-identity", "REMOVED"]],
    ["a private element of the safe list", bare(safePrivate), ["retain-safe-private", "REMOVED"]],
    [
      "not for other private elements",
      bare([element(tagOf(0x00190010), "LO", Buffer.from("ACME")), text(0x0019100c, "1000")]),
      ["REMOVED"],
    ],
    [
      "an acquisition context",
      bare([
        sequenceElement(tagOf(0x00400555), [
          content("CODE", "121071 DCM", [sequenceElement(tagOf(0x0040a168), [code("4147007 SCT")])]),
        ]),
      ]),
      ["clean-structured-content", "REMOVED"],
    ],
    [
      "drawings, in a presentation state",
      withoutPixels(
        bare([
          text(0x00080016, "1.2.840.10008.5.1.4.1.1.11.1"),
          sequenceElement(tagOf(0x00700001), [item(sequenceElement(tagOf(0x00700009), [polyline]))]),
        ]),
      ),
      ["clean-graphics", "REMOVED"],
    ],
    [
      "something that stands in a sequence",
      bare([sequenceElement(tagOf(0x00180026), [item(text(0x00180035, "101500"))])]),
      ["retain-longitudinal-modified-dates", "MODIFIED"],
    ],
    [
      "all of them in their order",
      bare([
        ...[text(0x00080020, "20240229"), text(0x0008103e, "AXIAL"), text(0x00101030, "71.5")],
        ...[text(0x00081010, "CTAWP1"), text(0x00080080, "Infirmary"), ...safePrivate],
      ]),
      [
        ...["clean-descriptors", "retain-longitudinal-modified-dates", "retain-patient-characteristics"],
        ...["retain-device-identity", "retain-safe-private", "retain-institution-identity", "MODIFIED"],
      ],
    ],
  ])("%s", async (_, source, expected) => {
    expect(await claimsOf(source)).toEqual(expected);
  });

  it("a report: its content, and what else decided of its items", async () => {
    const finding = content("TEXT", "121071 DCM", [text(0x0040a160, "mass in the lung")]);
    const root = BARE.reduce(without, report(SOP_CLASSES.report, [finding]));
    expect(await claimsOf(root)).toEqual(["clean-structured-content", "clean-descriptors", "REMOVED"]);
    expect(await claimsOf(root, { ...whole, sr: "skeleton" })).toEqual(["REMOVED"]);
  });

  it("dates as they were", async () => {
    expect(await claimsOf(bare([text(0x00080020, "20240229")]), fullDates)).toEqual([
      "retain-longitudinal-full-dates",
      "UNMODIFIED",
    ]);
    expect(await claimsOf(bare(), fullDates)).toEqual(["REMOVED"]);
  });

  it("the shipped research profile, of an image that has most of it", async () => {
    expect(await claimsOf(ctImage(), loadProfile("research"))).toEqual([
      ...["clean-descriptors", "retain-longitudinal-modified-dates", "retain-patient-characteristics", "MODIFIED"],
    ]);
  });
});
