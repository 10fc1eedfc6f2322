import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { USUAL_PIXELS } from "../../../src/deid/pixels/pixel-settings.ts";
import { PIXEL_GROUPS } from "../../../src/deid/pixels/sop-classes.ts";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { ctImage, part10Bytes, put, text } from "../../../src/deid/testing/objects.ts";
import type { DataElement, DataSet } from "../../../src/dicom/data-set.ts";
import { formatTag, tagOf } from "../../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../../src/dicom/values.ts";
import { newDciodvfyErrors } from "../../peers/dciodvfy.ts";
import { requirePeer } from "../../peers/require-peer.ts";
import { syntheticStudy } from "../../peers/synthetic-studies.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { deidentify, expectGone } from "./support/engine.ts";
import { type IodType, iodTypeOf, KNOWN_SOP_CLASSES, parentsOf } from "./support/iod-types.ts";
import { itemAt, valuesIn } from "./support/objects.ts";
import { confidentialityTable, soundValues, type TableRow } from "./support/table.ts";
import { createTokens } from "./support/tokens.ts";

type Effect = "removed" | "empty" | "dummy" | "walked";

/** PS3.15 E.1.1: the letters in the order of the attribute's Type; what is unknown is taken for required. */
const EFFECTS: Readonly<Record<string, Readonly<Record<IodType, Effect>>>> = {
  "Z/D": { 3: "empty", 2: "empty", 1: "dummy", unknown: "dummy" },
  "X/Z": { 3: "removed", 2: "empty", 1: "empty", unknown: "empty" },
  "X/D": { 3: "removed", 2: "dummy", 1: "dummy", unknown: "dummy" },
  "X/Z/D": { 3: "removed", 2: "empty", 1: "dummy", unknown: "dummy" },
  "X/Z/U*": { 3: "removed", 2: "empty", 1: "walked", unknown: "walked" },
};
const DUMMIES: Readonly<Record<string, string>> = {
  PN: "Anonymous",
  ...{ LO: "ANONYMIZED", SH: "ANONYMIZED", UC: "ANONYMIZED", ST: "Anonymized", LT: "Anonymized", UT: "Anonymized" },
  ...{ CS: "ANON", AE: "ANON", UR: "urn:anonymized", AS: "000Y", IS: "0", DS: "0" },
  ...{ DA: "19000101", DT: "19000101000000", TM: "000000" },
};
/** Codes and Types that occur together in the IODs. */
const PAIRS: readonly string[] = [
  ...["X/D 1", "X/D 2", "X/D 3", "X/D unknown"],
  ...["X/Z 2", "X/Z 3", "X/Z unknown"],
  ...["X/Z/D 1", "X/Z/D 2", "X/Z/D 3", "X/Z/D unknown"],
  ...["X/Z/U* 1", "X/Z/U* 2", "X/Z/U* 3", "X/Z/U* unknown"],
  ...["Z/D 1", "Z/D 2", "Z/D unknown"],
];
const NO_INSTANCE = { dataSet: new Map(), sopClassUid: "" };
/** Stays wherever its item does. */
const SLICE_THICKNESS = text(0x00180050, "1.25");
const PATIENT_ID = 0x00100020;
const BURNED_IN_NO = text(0x00280301, "NO");

const combined = confidentialityTable().filter(({ basic }) => basic.includes("/"));
const profile = profileWith([], { pixels: { ...USUAL_PIXELS, allow: [...PIXEL_GROUPS], allowAbsent: "signed off" } });
const tokens = createTokens(41);
const { values, planted } = soundValues(tokens, 42);

const present = ({ tag, vr }: TableRow): DataElement => values(tag, vr);
const blank = ({ tag, vr }: TableRow): DataElement =>
  vr === "SQ" ? sequenceElement(tagOf(tag), []) : element(tagOf(tag), vr, new Uint8Array());

async function object(sopClassUid: string, make: (row: TableRow) => DataElement | undefined): Promise<Buffer> {
  const elements = combined.map(make).filter((each) => each !== undefined);
  const whole = ctImage([text(0x00080016, sopClassUid), BURNED_IN_NO, ...elements]);
  const made = new Set(elements.map(({ tag }) => tag));
  const isCombined = new Set(combined.map(({ tag }) => tagOf(tag)));
  return part10Bytes(new Map([...whole].filter(([tag]) => made.has(tag) || !isCombined.has(tag))));
}

describe("item 4: combined codes of Table E.1-1", () => {
  it("are of five kinds, most of them with every Type among the SOP classes", () => {
    const pairs = KNOWN_SOP_CLASSES.flatMap((uid) =>
      combined.map(({ basic, tag }) => `${basic} ${iodTypeOf(uid, tag)}`),
    );
    expect(combined).toHaveLength(50);
    expect([...new Set(pairs)].sort()).toEqual(PAIRS);
  });

  it("become what the Type of the attribute asks for, present or empty; what is absent stays absent", async () => {
    const kinds = new Set<string>();
    for (const sopClassUid of KNOWN_SOP_CLASSES) {
      // Classes in which all of them have the same Types are alike.
      const kind = combined.map(({ tag }) => iodTypeOf(sopClassUid, tag)).join();
      if (kinds.has(kind)) continue;
      const result = await deidentify(await object(sopClassUid, present), profile);
      if (result.outcome.kind !== "deidentified") continue;
      kinds.add(kind);
      expectGone(result, tokens, planted);
      const expected = (row: TableRow) => described(row, EFFECTS[row.basic]?.[iodTypeOf(sopClassUid, row.tag)]);
      expect(
        combined.map((row) => described(row, effectOn(row, result.dataSet))),
        sopClassUid,
      ).toEqual(combined.map(expected));
      const { dataSet: ofBlank } = await deidentify(await object(sopClassUid, blank), profile);
      expect(
        combined.map((row) => described(row, effectOn(row, ofBlank))),
        sopClassUid,
        // Of a sequence without items nothing can be kept.
      ).toEqual(combined.map((row) => expected(row).replace("walked", "empty")));
      const { dataSet: ofNothing } = await deidentify(await object(sopClassUid, () => undefined), profile);
      // A patient always gets a pseudonym.
      expect([...ofNothing.keys()].filter((tag) => combined.some((row) => row.tag === tag))).toEqual([PATIENT_ID]);
    }
    expect(kinds.size).toBeGreaterThan(15);
  });

  it("become within sequences what their Type is there", async () => {
    const places = combined.flatMap((row) => parentsOf(row.tag).map((parent) => ({ row, parent })));
    const byParent = [...Map.groupBy(places, ({ parent }) => parent)];
    const sequences = byParent.map(([parent, rows]) =>
      sequenceElement(tagOf(parent), [dataSetOf([...rows.map(({ row }) => present(row)), SLICE_THICKNESS])]),
    );
    const [seen, kinds] = [new Set<string>(), new Set<string>()];
    for (const sopClassUid of KNOWN_SOP_CLASSES) {
      const kind = places.map(({ row, parent }) => iodTypeOf(sopClassUid, row.tag, parent)).join();
      if (kinds.has(kind)) continue;
      const source = ctImage([text(0x00080016, sopClassUid), BURNED_IN_NO, ...sequences]);
      const result = await deidentify(await part10Bytes(source), profile);
      if (result.outcome.kind !== "deidentified") continue;
      kinds.add(kind);
      expectGone(result, tokens, planted);
      for (const { row, parent } of places) {
        const item = itemAt(result.dataSet, 1, parent);
        // Its sequence went, or became a dummy.
        if (item?.has(SLICE_THICKNESS.tag) !== true) continue;
        const type = iodTypeOf(sopClassUid, row.tag, parent);
        // Frames count on the images their functional groups refer to: those stay, with new UIDs.
        const expected = row.basic === "X/Z/U*" && type === "2" ? "walked" : EFFECTS[row.basic]?.[type];
        seen.add(`${row.basic} ${type}`);
        expect(described(row, effectOn(row, item)), `${sopClassUid} ${formatTag(tagOf(parent))}`).toBe(
          described(row, expected),
        );
      }
    }
    expect(seen.size).toBeGreaterThan(5);
  });
});

describe.runIf(requirePeer("dciodvfy"))("item 4: a validator", () => {
  it.each(["CT", "MR", "PT", "DX"] as const)(
    "has nothing against %s that it had not against the source",
    async (modality) => {
      await using folder = await temporaryFolder();
      const [{ dataSet, sopClassUid } = NO_INSTANCE] = syntheticStudy({ seed: 44, modality }).instances;
      const inIod = combined.filter(({ tag }) => iodTypeOf(sopClassUid, tag) !== "unknown" && tag !== PATIENT_ID);
      const source = await part10Bytes(
        dataSetOf([...dataSet, ...inIod.map((row) => [row.tag, present(row)] as const)].map(([, each]) => each)),
      );
      const result = await deidentify(source, profile);
      expectGone(result, tokens, planted);
      const before = await put(join(folder.path, "before.dcm"), source);
      const after = await put(join(folder.path, "after.dcm"), result.bytes);
      expect(await newDciodvfyErrors(before, after)).toEqual([]);
    },
  );
});

function described({ tag, basic }: TableRow, effect: Effect | undefined): string {
  return `${formatTag(tagOf(tag))} ${basic}: ${tag === PATIENT_ID ? "dummy" : effect}`;
}

/** What an output shows to have been done. */
function effectOn({ tag, vr, basic }: TableRow, dataSet: DataSet): Effect {
  const { value } = dataSet.get(tagOf(tag)) ?? {};
  if (value === undefined) return "removed";
  if (value.kind === "sequence") {
    if (basic === "X/Z/U*") return value.items.length > 0 ? "walked" : "empty";
    return value.items.length > 0 ? "dummy" : "empty";
  }
  const texts = valuesIn(dataSet, tag) ?? [];
  if (texts.length === 0) return "empty";
  if (tag !== PATIENT_ID) expect(texts, formatTag(tagOf(tag))).toEqual([DUMMIES[vr]]);
  return "dummy";
}
