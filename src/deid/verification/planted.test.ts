import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { bytesSource } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../dicom/values.ts";
import type { Vr } from "../../dicom/vr.ts";
import { fileMetaOf, writePart10 } from "../../dicom/writer.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import type { CompiledRules } from "../rules/compiled-rules.ts";
import type { Rule, Treatment } from "../rules/rule.ts";
import { ctImage, SOP_CLASSES, text } from "../testing/objects.ts";
import { code, content } from "../testing/reports.ts";
import type { Expectations } from "./check-element.ts";
import { harvestIdentifiers } from "./harvest.ts";
import { type Verification, verifyDeidentified } from "./verify.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "planted-"));
});
afterAll(() => rm(folder, { recursive: true }));

const profile = await loadProfile("research");
const STAY = { optional: "empty", empty: "empty", required: "empty", unknown: "empty" } as const;
const ANY_TEXT: Treatment = { kind: "text", form: { kind: "pattern", pattern: /^[^\0]*$/u } };

/** Rules that let any text and number pass: only the search is left to object. */
function openRules(): CompiledRules {
  const rule = (treatment: Treatment): Rule => ({ treatment, fallback: STAY, reason: "profile" });
  const byVr = new Map<number, Treatment>([
    ...[0x52009230, 0x0040a043, 0x0040a300, 0x0040a730, 0x004008ea].map((tag): [number, Treatment] => [
      tag,
      { kind: "walk", unlessOptional: false },
    ]),
    [0x0040a121, { kind: "date" }],
    [0x0040a30a, { kind: "number" }],
    [0x00283006, { kind: "words" }],
    [0x00189079, { kind: "number" }],
    [0x00280009, { kind: "number" }],
    [0x00200013, { kind: "number" }],
    [0x7fe00010, { kind: "pixels" }],
  ]);
  return { ...profile.rules, ruleOf: (tag) => rule(byVr.get(tag) ?? ANY_TEXT) };
}

const meta = fileMetaOf({
  sopClassUid: SOP_CLASSES.ct,
  sopInstanceUid: "2.25.1",
  transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
});
const expectations: Expectations = {
  meta: new Map(
    [...meta.values()].map(({ tag, value }) => [tag, Buffer.from(value.kind === "bytes" ? value.bytes : [])]),
  ),
  pseudonym: "P1",
  pseudonymIsGiven: false,
  identifiers: new Set(),
  uids: new Set(),
  marks: new Map(),
  optionCodes: new Set(),
  claim: { options: ["basic"], isMasked: false, isContentCleaned: false, mayKeepDates: false, uids: new Set() },
  required: [],
  pixelBytes: undefined,
  retained: new Set(),
  mask: undefined,
  written: new Map(),
};

async function fileOf(dataSet: DataSet, fragments: Uint8Array): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const source = bytesSource(fragments);
  const output = { meta, dataSet, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN, source };
  await writePart10({ write: (chunk) => void chunks.push(Buffer.from(chunk)) }, output);
  return Buffer.concat(chunks);
}

/** The verdict on an output made of these elements, against what the source tells. */
async function verdictOn(
  source: DataSet,
  planted: readonly DataElement[],
  tamper: (bytes: Buffer) => Buffer = (bytes) => bytes,
  known: Partial<Expectations> = {},
  fragments: Uint8Array = new Uint8Array(),
): Promise<Verification> {
  const outputPath = join(folder, "out.dcm");
  await writeFile(outputPath, tamper(await fileOf(dataSetOf([...planted]), fragments)));
  const harvest = harvestIdentifiers(source);
  const task = { outputPath, rules: openRules(), harvest, expectations: { ...expectations, ...known } };
  return verifyDeidentified(task);
}

const SPELLING_LIMIT = 4;
/** A value that is found nowhere else, and what it is the value of. */
const KINDS: readonly (readonly [string, number, Vr, string, string])[] = [
  ["name", 0x00100010, "PN", "Qvintessa^Borogove", "the Borogove lung"],
  ["name", 0x00080090, "PN", "Qvintessa^Borogove^Mimsy", "mimsy"],
  ["name", 0x00081070, "PN", "Vorpal^Jub", "VORPAL"],
  ["id", 0x00100020, "LO", "QX-77 31/9", "qx77319"],
  ["id", 0x00080050, "SH", "A9981734", "nr A 998.17-34"],
  ["id", 0x00200010, "SH", "ST918273", "ST918273"],
  ["id", 0x00100020, "LO", "8819273-4", "nr 8819273"],
  ["id", 0x00100020, "LO", "MRN8819273", "nr \uff18\uff18\uff11\uff19\uff12\uff17\uff13"],
  ["id", 0x00100020, "LO", "0088192734^^^HOSP", "nr 88192734"],
  ["id", 0x00080050, "SH", "2024/881927", "881927"],
  ["id", 0x00101000, "LO", "OLD99182", "old 99182"],
  ["device", 0x00181000, "LO", "SN55-1882", "SN55 1882"],
  ["device", 0x00081010, "SH", "CTSUITE9", "ctsuite9"],
  ["address", 0x00101040, "LO", "17 Tulgey Wood", "tulgey"],
  ["phone", 0x00102154, "SH", "+44 20 7946-0958", "call 442079460958"],
  ["e-mail", 0x00102155, "LT", "write to slithy@toves.example", "SLITHY@toves.example"],
  ["institution", 0x00080080, "LO", "Jabberwock Infirmary", "jabberwock"],
  ["ae-title", 0x00080055, "AE", "FRABJOUS1", "frabjous1"],
  ["private", 0x00291010, "LO", "Calloo Callay Day", "calloo callay, day"],
  ["birth-date", 0x00100030, "DA", "19310704", "born 1931-07-04"],
  ["birth-date", 0x00100030, "DA", "19310704", "born 04/07/1931"],
  ["birth-date", 0x00100030, "DA", "19310704", "b. 04.07.1931"],
  ["birth-date", 0x00100030, "DA", "19310704", "b. 04.07.31"],
  ["birth-date", 0x00100030, "DA", "19310704", "b. 07/04/31"],
  ["uid", 0x0020000d, "UI", "1.2.826.0.1.3680043.9.7.1", "of 1.2.826.0.1.3680043.9.7.1"],
];

describe("finds in other text", () => {
  it.each(KINDS)("%s (%#)", async (kind, tag, vr, value, leak) => {
    const source = dataSetOf([element(tagOf(tag), vr, Buffer.from(value.length % 2 === 0 ? value : `${value} `))]);
    const verdict = await verdictOn(source, [text(0x00204000, leak)]);
    expect(verdict).toEqual({ ok: false, code: "IDENTIFIER_FOUND", reason: `${kind} in (0020,4000)` });
    for (const part of leak.split(" ").filter((word) => word.length > SPELLING_LIMIT)) {
      expect(JSON.stringify(verdict)).not.toContain(part);
    }
  });

  it.each([
    ["a number that a UID of another attribute has too", 0x00200010, "1.2.840.113619.2.55.3", "of 113619"],
    ["a day that an accession number begins with", 0x00080050, "20240229-1", "2024 02 29"],
  ])("but not %s", async (_name, tag, value, text_) => {
    expect(await verdictOn(dataSetOf([text(tag, value)]), [text(0x00204000, text_)])).toMatchObject({ ok: true });
  });

  it("but nothing where nothing is", async () => {
    const source = dataSetOf(KINDS.map(([, tag, vr, value]) => element(tagOf(tag), vr, Buffer.from(value))));
    expect(await verdictOn(source, [text(0x00204000, "axial scan of the borough, 1931")])).toMatchObject({ ok: true });
  });
});

describe("finds a name of another script", () => {
  // PS3.5 H.3.1 and H.3.2: Yamada^Tarou in ISO 2022 IR 87 and in ISO_IR 13.
  const japanese = Buffer.from("Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "latin1");
  const cases: [string, string, Buffer, string | Buffer][] = [
    ["Latin-1 as UTF-8", "ISO_IR 100", Buffer.from("Mückenstich^Änne", "latin1"), "mückenstich"],
    ["Latin-1 without its accents", "ISO_IR 100", Buffer.from("Mückenstich^Änne", "latin1"), "MUCKENSTICH"],
    [
      "Cyrillic as stored",
      "ISO_IR 144",
      Buffer.from([0xbb, 0xee, 0xda, 0xda, 0xd5, 0xdc]),
      Buffer.from([0xbb, 0xee, 0xda, 0xda, 0xd5, 0xdc]),
    ],
    ["Cyrillic as UTF-8", "ISO_IR 144", Buffer.from([0xbb, 0xee, 0xda, 0xda, 0xd5, 0xdc]), Buffer.from("Люккем")],
    [
      "Cyrillic as UTF-16",
      "ISO_IR 144",
      Buffer.from([0xbb, 0xee, 0xda, 0xda, 0xd5, 0xdc]),
      Buffer.from("Люккем", "utf16le"),
    ],
    ["Japanese as stored", "\\ISO 2022 IR 87", japanese, japanese.subarray(13)],
    ["Japanese as UTF-8", "\\ISO 2022 IR 87", japanese, "山田"],
    ["Japanese as UTF-16", "\\ISO 2022 IR 87", japanese, Buffer.from("山田太郎", "utf16le").swap16()],
  ];
  it.each(cases)("%s", async (_name, characterSet, name, leak) => {
    const source = dataSetOf([text(0x00080005, characterSet), element(tagOf(0x00100010), "PN", name)]);
    const bytes = typeof leak === "string" ? Buffer.from(leak) : leak;
    const padded = Buffer.concat([Buffer.from("....."), bytes, Buffer.from(bytes.length % 2 === 0 ? "." : "")]);
    const planted = element(tagOf(0x00283006), "OW", padded);
    expect(await verdictOn(source, [planted])).toMatchObject({
      code: "IDENTIFIER_FOUND",
      reason: "name in (0028,3006)",
    });
  });
});

/** What may hold a token of a name: each encoding is planted in each place. */
const ENCODINGS: Readonly<Record<string, (token: string) => Buffer>> = {
  ascii: (token) => Buffer.from(token),
  "upper case": (token) => Buffer.from(token.toUpperCase()),
  "UTF-16, little end first": (token) => Buffer.from(token, "utf16le"),
  "UTF-16, big end first": (token) => Buffer.from(token, "utf16le").swap16(),
  "bytes exchanged": (token) => Buffer.from(token.length % 2 === 0 ? token : `${token} `).swap16(),
};

function nested(depth: number, leaf: DataElement): DataElement {
  let inner = leaf;
  for (let level = 0; level < depth; level += 1) inner = sequenceElement(tagOf(0x52009230), [dataSetOf([inner])]);
  return inner;
}

const PLACES: Readonly<Record<string, (bytes: Buffer) => DataElement>> = {
  "a table": (bytes) => element(tagOf(0x00283006), "OW", bytes),
  numbers: (bytes) =>
    element(tagOf(0x00189079), "FD", Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)])),
  tags: (bytes) => element(tagOf(0x00280009), "AT", Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])),
  "a table in an item": (bytes) => nested(1, element(tagOf(0x00283006), "OW", bytes)),
  "a table 60 items deep": (bytes) => nested(60, element(tagOf(0x00283006), "OW", bytes)),
  "a table longer than is held": (bytes) => {
    const table = Buffer.alloc(2_100_000, 0xaa);
    bytes.copy(table, 2 ** 20 - 10);
    return element(tagOf(0x00283006), "OW", table);
  },
};

it("finds random tokens in any encoding, at any place", async () => {
  const token = fc.stringMatching(/^[a-z]{2}[a-z0-9]{8,14}$/);
  const before = fc.uint8Array({ maxLength: 40 });
  const places = fc.constantFrom(...Object.keys(PLACES));
  const encodings = fc.constantFrom(...Object.keys(ENCODINGS));
  await fc.assert(
    fc.asyncProperty(token, before, places, encodings, async (value, prefix, place, encoding) => {
      const encoded = ENCODINGS[encoding]?.(value) ?? Buffer.alloc(0);
      const start = Buffer.from(prefix.subarray(0, prefix.length - (prefix.length % 2)));
      const bytes = Buffer.concat([start, encoded, Buffer.alloc(encoded.length % 2, 0x20)]);
      const planted = PLACES[place]?.(bytes);
      if (planted === undefined) throw new Error(place);
      const verdict = await verdictOn(dataSetOf([text(0x00100010, value)]), [planted]);
      // Whatever is no attribute of PS3.6 is no pointer in the first place.
      const code = place === "tags" ? "DEIDENTIFICATION_UNPROVEN" : "IDENTIFIER_FOUND";
      expect(verdict, `${place}, ${encoding}`).toMatchObject({ ok: false, code });
      expect(JSON.stringify(verdict)).not.toContain(value);
    }),
    { numRuns: 150 },
  );
});

describe("accounts for what is no value", () => {
  const source = dataSetOf([text(0x00100010, "Borogove^Mimsy")]);
  const into = (at: (bytes: Buffer) => number, value: string) => (bytes: Buffer) => {
    bytes.write(value, at(bytes), "latin1");
    return bytes;
  };
  it.each<[string, (bytes: Buffer) => Buffer, string]>([
    ["the preamble", into(() => 40, "Borogove"), "preamble"],
    ["the file meta", into((bytes) => bytes.indexOf("2.25.1"), "BOROGO"), "file-meta"],
    ["bytes behind the end", (bytes) => Buffer.concat([bytes, Buffer.from("Borogove")]), "vr"],
    ["two bytes behind the end", (bytes) => Buffer.concat([bytes, Buffer.from("Bo")]), "length-beyond-parent"],
  ])("%s", async (_name, tamper, reason) => {
    const verdict = await verdictOn(source, [text(0x00204000, "of")], tamper);
    expect(verdict).toMatchObject({
      ok: false,
      code: "DEIDENTIFICATION_UNPROVEN",
      reason: expect.stringContaining(reason),
    });
    expect(JSON.stringify(verdict)).not.toMatch(/borogov/i);
  });

  it("a private element of which no rule knows", async () => {
    const planted = element(tagOf(0x00291001), "LO", Buffer.from("Borogove"));
    expect(await verdictOn(source, [planted])).toMatchObject({ reason: "private-element (0029,1001)" });
  });

  it.each<[string, number, string]>([
    ["the first fragment", 0, "borogove"],
    ["the second fragment, in UTF-16", 1, Buffer.from("Borogove", "utf16le").toString("latin1")],
  ])("%s", async (_name, number, leak) => {
    // Two fragments of 600,000 bytes behind an empty basic offset table. PS3.5 A.4.
    const length = 600_000;
    const fragments = Buffer.alloc(2 * length, 0x5a);
    fragments.write(leak, number * length + 524_281, "latin1");
    const ranges = [0, 0, length].map((offset, index) => ({ offset, length: index === 0 ? 0 : length }));
    const value = { kind: "fragments", fragments: ranges } as const;
    const pixels: DataElement = { tag: tagOf(0x7fe00010), vr: "OB", value, undefinedLength: true };
    const verdict = await verdictOn(source, [pixels], undefined, {}, fragments);
    expect(verdict).toEqual({ ok: false, code: "IDENTIFIER_FOUND", reason: "name in (7FE0,0010)" });
  });

  it("a group length", async () => {
    const length = element(tagOf(0x00080000), "UL", Buffer.from("Boro"));
    expect(await verdictOn(source, [length])).toMatchObject({ ok: false });
  });
});

describe("searches numbers and pseudonyms as a whole", () => {
  it.each<[string, DataElement, string]>([
    ["an integer string", text(0x00200013, "77318842"), "id in (0020,0013)"],
    ["an integer string with a sign", text(0x00200013, "+77318842"), "id in (0020,0013)"],
  ])("%s", async (_name, planted, reason) => {
    expect(await verdictOn(dataSetOf([text(0x00100020, "77318842")]), [planted])).toMatchObject({ reason });
  });

  it("a participant id that holds the Patient ID", async () => {
    const source = dataSetOf([text(0x00100020, "MRN77318842")]);
    const known = { pseudonym: "SUB-mrn77318842", pseudonymIsGiven: true };
    expect(await verdictOn(source, [text(0x00204000, "of")], undefined, known)).toMatchObject({
      reason: "id in (0010,0020)",
    });
  });
});

it("finds free text of the source in a table, and lets it stand where text may stay", async () => {
  const source = dataSetOf([text(0x00104000, "Beamish boy came back")]);
  const table = element(tagOf(0x00283006), "OW", Buffer.from("..beamish boy came back."));
  expect(await verdictOn(source, [table])).toMatchObject({ reason: "text in (0028,3006)" });
  expect(await verdictOn(source, [text(0x00204000, "Beamish boy came back")])).toMatchObject({ ok: true });
});

it("takes no word of the vocabulary and no rising numbers for an identifier", async () => {
  const source = ctImage([text(0x00100010, "Lung^Axial"), text(0x00100020, "12345678")]);
  const ramp = Buffer.from(Uint16Array.from({ length: 512 }, (_, index) => index).buffer);
  const planted = [text(0x00204000, "axial chest"), element(tagOf(0x00283006), "OW", ramp)];
  expect(await verdictOn(source, planted)).toMatchObject({ ok: true });
});

describe("finds in an item that says by its name what it tells", () => {
  const years = sequenceElement(tagOf(0x004008ea), [code("a UCUM")]);
  const measured = (value: string, unit = years): DataElement =>
    sequenceElement(tagOf(0x0040a300), [dataSetOf([text(0x0040a30a, value), unit])]);
  const born = text(0x0040a121, "19310704");
  const months = sequenceElement(tagOf(0x004008ea), [code("mo UCUM")]);
  const lateCode = dataSetOf([text(0x00080102, "SCT"), text(0x00080119, "184099003")]);
  it.each<[string, DataSet, string | undefined]>([
    ["a birthday", content("DATE", "121031 DCM", [born]), "(0040,A121)"],
    ["a year of birth", content("NUM", "80904-6 LN", [measured("1931")]), "(0040,A300)/(0040,A30A)"],
    ["a birthday under a long code", dataSetOf([sequenceElement(tagOf(0x0040a043), [lateCode]), born]), "(0040,A121)"],
    ["an age over 89", content("NUM", "121033 DCM", [measured("95")]), "(0040,A300)/(0040,A30A)"],
    [
      "an age over 89 without a measured value",
      content("NUM", "121033 DCM", [years, text(0x0040a30a, "95")]),
      "(0040,A30A)",
    ],
    ["but no other age", content("NUM", "121033 DCM", [measured("61")]), undefined],
    ["but no age in months", content("NUM", "121033 DCM", [measured("95", months)]), undefined],
    ["but no other date", content("DATE", "111060 DCM", [born]), undefined],
  ])("%s", async (_name, item, place) => {
    // Names of what is around and what was before are not its own.
    const before = content("DATE", place === undefined ? "121031 DCM" : "111060 DCM", []);
    const around = content("CONTAINER", place === undefined ? "121031 DCM" : "121070 DCM", [], [before, item]);
    const planted = sequenceElement(tagOf(0x0040a730), [dataSetOf([...around.values()])]);
    const reason = `personal-concept (0040,A730)/(0040,A730)/${place}`;
    const expected = place === undefined ? { ok: true } : { code: "DEIDENTIFICATION_UNPROVEN", reason };
    expect(await verdictOn(dataSetOf([text(0x00100020, "X")]), [planted])).toMatchObject(expected);
  });
});
