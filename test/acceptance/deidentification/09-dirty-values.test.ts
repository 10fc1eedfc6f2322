import { describe, expect, it } from "vitest";
import type { Profile } from "../../../src/deid/profiles/profile.ts";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { ctImage, text } from "../../../src/deid/testing/objects.ts";
import type { DataElement } from "../../../src/dicom/data-set.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../../src/dicom/values.ts";
import type { Vr } from "../../../src/dicom/vr.ts";
import { explicit } from "./support/bytes.ts";
import { deidentify, expectGone, expectRefused, type Result } from "./support/engine.ts";
import { fileWith, nested, valuesIn } from "./support/objects.ts";
import { createTokens, type Tokens } from "./support/tokens.ts";

const basic = profileWith([]);
const institution = profileWith([
  "retain-institution-identity",
  "retain-device-identity",
  "retain-patient-characteristics",
]);
const dates = profileWith(["retain-longitudinal-modified-dates"]);

async function withValue(tag: number, vr: Vr, value: string | Buffer, profile: Profile = basic): Promise<Result> {
  return deidentify(await fileWith(ctImage(), explicit(tag, vr, value)), profile);
}

/** What stays of a value: the sound part, or nothing, or a dummy. */
interface DirtyValue {
  readonly tag: number;
  readonly vr: Vr;
  readonly value: (tokens: Tokens) => string;
  readonly stays: readonly (readonly string[] | undefined)[];
  readonly profile?: Profile;
}

const FRAME_OF_REFERENCE = 0x00200052;
const NUL = "\0";
/** The IOD table says nothing of these attributes: without a sound value they are not there. */
const NOTHING = [undefined, []] as const;
const dirtyValues: Readonly<Record<string, DirtyValue>> = {
  "DS with a name behind a NUL": { tag: 0x00180060, vr: "DS", value: (t) => `120${NUL}${t.text()} `, stays: [["120"]] },
  "DS with blanks and a name": { tag: 0x00180060, vr: "DS", value: (t) => `120    ${t.text()}`, stays: NOTHING },
  "DS that is a name": { tag: 0x00180060, vr: "DS", value: (t) => t.text(), stays: NOTHING },
  "DS, the second of three values a name": {
    tag: 0x00200032,
    vr: "DS",
    value: (t) => `1.5\\${t.text()}\\3.5 `,
    stays: NOTHING,
  },
  "DS with a name beyond its multiplicity": {
    tag: 0x00180060,
    vr: "DS",
    value: (t) => `120\\${t.text()} `,
    stays: [["120"]],
  },
  "IS with letters": { tag: 0x00200013, vr: "IS", value: (t) => `17${t.text()}`, stays: [[], ["0"]] },
  "IS with a name behind a NUL": { tag: 0x00200013, vr: "IS", value: (t) => `17${NUL}${t.text()} `, stays: [["17"]] },
  "CS that is a name": { tag: 0x00185100, vr: "CS", value: (t) => t.text(), stays: [[], ["ANON"], undefined] },
  "CS with a name behind a NUL": { tag: 0x00185100, vr: "CS", value: (t) => `HFS${NUL}${t.text()}`, stays: [["HFS"]] },
  "CS, a value of it a name": {
    tag: 0x00080008,
    vr: "CS",
    value: (t) => `ORIGINAL\\PRIMARY\\${t.text()}`,
    stays: [["ORIGINAL", "PRIMARY", "OTHER"]],
  },
  "SH with a name behind a NUL": {
    tag: 0x00181210,
    vr: "SH",
    value: (t) => `B30f${NUL}${t.text()}`,
    stays: [["B30f"]],
  },
  "SH with trailing blanks and a name": {
    tag: 0x00181210,
    vr: "SH",
    value: (t) => `B30f    ${t.text()}`,
    stays: [undefined, []],
  },
  "LO that is kept, with a name behind a NUL": {
    tag: 0x00080080,
    vr: "LO",
    value: (t) => `Mercy${NUL}${t.text()}`,
    stays: [["Mercy"]],
    profile: institution,
  },
  "AS with a name behind a NUL": {
    tag: 0x00101010,
    vr: "AS",
    value: (t) => `043Y${NUL}${t.text()} `,
    stays: [["043Y"]],
    profile: institution,
  },
  "DA that is moved, with a name behind it": {
    tag: 0x00080020,
    vr: "DA",
    value: (t) => `20240229${t.text()}`,
    stays: [[]],
    profile: dates,
  },
  "DT that is moved, with a name behind a NUL": {
    tag: 0x0008002a,
    vr: "DT",
    value: (t) => `${NUL}${t.text()}`,
    stays: [[], undefined, ["19000101000000"]],
    profile: dates,
  },
  "TM with a name": { tag: 0x00080030, vr: "TM", value: (t) => `101500${t.text()}`, stays: [[]], profile: dates },
};

describe("item 9: values that are not what they should be", () => {
  it.each(Object.entries(dirtyValues))("%s", async (name, { tag, vr, value, stays, profile }) => {
    const tokens = createTokens(900 + Object.keys(dirtyValues).indexOf(name));
    const written = value(tokens);
    // As it is: of odd length where it is so.
    for (const each of [written, `${written} `]) {
      const result = await withValue(tag, vr, each, profile);
      expectGone(result, tokens);
      const kept = result.dataSet.has(tagOf(tag)) ? (valuesIn(result.dataSet, tag) ?? []) : undefined;
      expect(
        stays.map((one) => JSON.stringify(one)),
        `${JSON.stringify(kept)}`,
      ).toContain(JSON.stringify(kept));
    }
  });

  it("UIDs: the sound part has the pseudonym it has alone, a name another one", async () => {
    const tokens = createTokens(940);
    const frameOfReference = async (value: string): Promise<string> => {
      const result = await withValue(FRAME_OF_REFERENCE, "UI", value);
      expectGone(result, tokens);
      return valuesIn(result.dataSet, FRAME_OF_REFERENCE)?.join() ?? "";
    };
    const uid = tokens.uid();
    const alone = await frameOfReference(uid);
    expect(alone).toMatch(/^2\.25\.[0-9]+$/);
    expect(await frameOfReference(`${uid}${NUL}${tokens.text()}`)).toBe(alone);
    expect(await frameOfReference(tokens.text())).toMatch(/^2\.25\.[0-9]+$/);
    const sopClass = await withValue(0x00080016, "UI", `1.2.840.10008.5.1.4.1.1.2${NUL}${tokens.text()}`);
    if (sopClass.outcome.kind === "rejected") expectRefused(sopClass, tokens);
    else expectGone(sopClass, tokens);
  });

  it("UIDs below the root of DICOM that DICOM would not give", async () => {
    for (const [index, tag] of [FRAME_OF_REFERENCE, 0x0020000d, 0x00080018, 0x00081155].entries()) {
      const tokens = createTokens(941 + index);
      for (const told of [
        tokens.text(),
        `5.1.4.1.1.2 ${tokens.text()}`,
        `9.${tokens.digits()}`,
        `5.1.4.1.1.${tokens.digits()}`,
      ]) {
        const result = await withValue(tag, "UI", `1.2.840.10008.${told}`);
        if (result.outcome.kind === "rejected") expectRefused(result, tokens);
        else expectGone(result, tokens);
      }
    }
    const registered = await withValue(FRAME_OF_REFERENCE, "UI", "1.2.840.10008.1.4.1.1");
    expect(valuesIn(registered.dataSet, FRAME_OF_REFERENCE)).toEqual(["1.2.840.10008.1.4.1.1"]);
  });

  it("sound numbers and codes that are the patient's number: gone, or the object is refused", async () => {
    const tokens = createTokens(945);
    const patientId = tokens.digits().slice(0, 10);
    const asNumber = Buffer.alloc(4);
    asNumber.writeUInt32LE(Number(patientId.slice(0, 9)));
    const coded = (scheme: string): DataElement =>
      sequenceElement(tagOf(0x00082218), [
        dataSetOf([text(0x00080100, patientId), text(0x00080102, scheme), text(0x00080104, patientId)]),
      ]);
    const hidden: readonly (readonly [id: string, DataElement])[] = [
      [patientId, element(tagOf(0x00200013), "IS", Buffer.from(patientId))],
      [patientId, element(tagOf(0x00180050), "DS", Buffer.from(patientId))],
      [patientId, element(tagOf(0x00180050), "DS", Buffer.from(`${patientId}.0`))],
      [patientId, element(tagOf(0x00200032), "DS", Buffer.from(`1\\${patientId}\\3 `))],
      [patientId.slice(0, 9), element(tagOf(0x00209157), "UL", asNumber)],
      [patientId, coded("SCT")],
      [patientId, coded("UMLS")],
    ];
    for (const [id, each] of hidden) {
      for (const changes of [[each], [nested([each], 2)]]) {
        const result = await deidentify(await fileWith(ctImage([text(0x00100020, id), ...changes])));
        if (result.outcome.kind === "rejected") expect(expectRefused(result, tokens)).toMatch(/^IDENTIFIER_FOUND id /);
        else {
          expectGone(result, tokens);
          expect(result.bytes.includes(asNumber)).toBe(false);
        }
      }
    }
  });

  it("numbers and tables that are the patient's name, in any encoding: the object is refused", async () => {
    const tokens = createTokens(946);
    const name = `${tokens.text()}^${tokens.text()}`;
    const wide = Buffer.from(name, "utf16le");
    const spellings = [Buffer.from(name), wide, Buffer.from(wide).swap16(), Buffer.from(`${name} `).swap16()];
    /** A palette, a waveform, coordinates, a list of numbers: whatever they hold is a number. */
    const bulk: readonly (readonly [number, Vr])[] = [
      [0x00281201, "OW"],
      [0x54001010, "OW"],
      [0x00660016, "OF"],
      [0x00660042, "OL"],
    ];
    for (const [tag, vr] of bulk) {
      for (const spelling of spellings) {
        const value = Buffer.concat([spelling, Buffer.alloc(64 - spelling.length)]);
        const result = await deidentify(await fileWith(ctImage([text(0x00100010, name)]), explicit(tag, vr, value)));
        if (result.outcome.kind === "rejected")
          expect(expectRefused(result, tokens)).toMatch(/^IDENTIFIER_FOUND name /);
        else expectGone(result, tokens);
      }
    }
  });

  it("numbers of a fixed size in a length that is no multiple of it", async () => {
    const tokens = createTokens(950);
    const name = tokens.text();
    for (const [tag, vr, length] of [
      [0x00280106, "US", 3],
      [0x00189306, "FD", 9],
      [0x00280009, "AT", 7],
      [0x00189087, "FD", 11],
    ] as const) {
      const result = await withValue(tag, vr, Buffer.from(name).subarray(0, length));
      expectGone(result, tokens);
      expect(result.dataSet.has(tagOf(tag))).toBe(false);
    }
  });

  it("odd lengths are read, counted, and not written", async () => {
    const result = await withValue(0x00181210, "SH", "B70");
    expect(valuesIn(result.dataSet, 0x00181210)).toEqual(["B70"]);
    expect([...(result.summary?.notes ?? [])]).toContainEqual(["length-odd", 1]);
    expect(result.bytes.length % 2).toBe(0);
  });

  it("every text attribute that stays, with a token behind its value, a NUL or a separator", async () => {
    const sound: readonly (readonly [number, Vr, string])[] = [
      [0x00080008, "CS", "ORIGINAL"],
      [0x00080060, "CS", "CT"],
      [0x00080070, "LO", "SIEMENS"],
      [0x00081090, "LO", "SOMATOM"],
      [0x00180050, "DS", "1.25"],
      [0x00181210, "SH", "B70f"],
      [0x00185100, "CS", "HFS"],
      [0x00200011, "IS", "3"],
      [0x00280030, "DS", "0.5\\0.5"],
      [0x00281054, "LO", "HU"],
    ];
    for (const [index, separator] of [NUL, " ", "\\", "^", "=", "\x1b(B", "\r\n", "\t", `${NUL}${NUL}`].entries()) {
      const tokens = createTokens(960 + index);
      const elements = sound.map(([tag, vr, value]) => explicit(tag, vr, `${value}${separator}${tokens.text()}`));
      const result = await deidentify(await fileWith(ctImage([nested([], 1)]), ...elements));
      if (result.outcome.kind === "rejected") expectRefused(result, tokens);
      else expectGone(result, tokens);
    }
  });
});
