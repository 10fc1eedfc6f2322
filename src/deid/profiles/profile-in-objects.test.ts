import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { vrOf } from "../../dicom/dictionary/dictionary.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, itemsOf, sequenceElement, textOf, uidOf } from "../../dicom/values.ts";
import type { Vr } from "../../dicom/vr.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier } from "../deidentifier.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put, text } from "../testing/objects.ts";
import { loadProfile } from "./load-profile.ts";

const KEY = projectKeyOf(Buffer.alloc(32, 11));
/** Source Image Sequence. */
const SOURCE_IMAGES = tagOf(0x00082112);
const HEAD = "profile: p\nversion: 1\nbase: basic-2026c\n";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "profile-objects-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function outcomeOf(profile: string, changes: readonly DataElement[]): Promise<InstanceOutcome> {
  const path = await put(join(folder, "in.dcm"), await part10Bytes(ctImage(changes)));
  const file = join(folder, "profile.yaml");
  await writeFile(file, profile);
  const loaded = loadProfile(profile.includes("\n") ? file : profile);
  const engine = createDeidentifier({ profile: loaded, key: KEY, filters: {} });
  const task = { path, outputPath: join(folder, "out.dcm"), participantId: undefined, seriesInstanceCount: 5 };
  return engine.instance(task, neverAborted());
}

async function outputOf(profile: string, changes: readonly DataElement[] = []): Promise<DataSet> {
  const outcome = await outcomeOf(profile, changes);
  if (outcome.kind !== "deidentified") throw new Error(JSON.stringify(outcome));
  await using file = await readPart10File(outcome.file.path);
  return file.dataSet;
}

describe("rules of a profile decide what leaves, and the verifier agrees", () => {
  const rule = (written: string): string => `${HEAD}rules:\n  - ${written}\n`;

  it.each<[string, string, readonly DataElement[], Tag, string | undefined]>([
    [
      "keep with a form",
      "{tag: ProtocolName, action: keep, form: '/[A-Z]{3}[0-9]/', review: board}",
      [text(0x00181030, "ABC1")],
      tags.ProtocolName,
      "ABC1",
    ],
    [
      "keep with a form, a short name in it",
      "{tag: ProtocolName, action: keep, form: '/[A-Za-z ]+/', review: board}",
      [text(0x00100010, "Li^Bo"), text(0x00181030, "Thorax Li")],
      tags.ProtocolName,
      undefined,
    ],
    [
      "keep with a form, the letters of a short name in a word",
      "{tag: ProtocolName, action: keep, form: '/[A-Za-z ]+/', review: board}",
      [text(0x00100010, "Li^Bo"), text(0x00181030, "Limb")],
      tags.ProtocolName,
      "Limb",
    ],
    [
      "keep, form not met",
      "{tag: ProtocolName, action: keep, form: '/[A-Z]{3}/', review: board}",
      [text(0x00181030, "Mr Took")],
      tags.ProtocolName,
      undefined,
    ],
    [
      "keep of listed terms",
      "{tag: ProtocolName, action: keep, terms: [LUNG], review: board}",
      [text(0x00181030, "LUNG")],
      tags.ProtocolName,
      "LUNG",
    ],
    [
      "keep of any text",
      "{tag: ProtocolName, action: keep, review: board}",
      [text(0x00181030, "Chest low dose v2")],
      tags.ProtocolName,
      "Chest low dose v2",
    ],
    ["replace", "{tag: StudyDescription, action: replace, with: LUNG CT}", [], tags.StudyDescription, "LUNG CT"],
    ["replace by the dummy", "{tag: StudyDescription, action: replace}", [], tags.StudyDescription, "ANONYMIZED"],
    ["empty", "{tag: StudyDescription, action: empty}", [], tags.StudyDescription, ""],
    ["remove", "{tag: KVP, action: remove}", [], tags.KVP, undefined],
    ["remove of what must be there", "{tag: SeriesNumber, action: remove}", [], tags.SeriesNumber, ""],
    [
      "replace of the patient's name",
      "{tag: PatientName, action: replace, with: Nobody}",
      [],
      tags.PatientName,
      "Nobody",
    ],
    ["round", "{tag: KVP, action: round, to: 50}", [], tags.KVP, "100"],
    ["by the attribute's Type", "{tag: KVP, action: by-type, code: X/Z}", [], tags.KVP, ""],
  ])("%s", async (_name, written, changes, tag, expected) => {
    const output = await outputOf(rule(written), changes);
    expect(output.has(tag) ? (textOf(output, tag) ?? "") : undefined).toBe(expected);
  });

  it("at every depth", async () => {
    const inner = dataSetOf([text(0x00080060, "CT"), text(0x00181030, "ABC1")]);
    const output = await outputOf(
      rule(
        "{tag: ProtocolName, action: keep, form: '/[A-Z]{3}[0-9]/', review: board}\n  - {tag: SourceImageSequence, action: keep, review: board}",
      ),
      [sequenceElement(SOURCE_IMAGES, [inner])],
    );
    const [item] = itemsOf(output, SOURCE_IMAGES);
    expect(item === undefined ? undefined : textOf(item.dataSet, tags.ProtocolName)).toBe("ABC1");
  });

  it("only where their path leads", async () => {
    const inner = dataSetOf([text(0x00080060, "CT"), text(0x00180060, "80")]);
    const rules =
      "{tag: SourceImageSequence, action: keep, review: board}\n  - {tag: KVP, action: remove, path: 00082112/*/00180060}";
    const output = await outputOf(rule(rules), [sequenceElement(SOURCE_IMAGES, [inner])]);
    const [item] = itemsOf(output, SOURCE_IMAGES);
    expect(item?.dataSet.has(tags.Modality)).toBe(true);
    expect(item?.dataSet.has(tags.KVP)).toBe(false);
    expect(textOf(output, tags.KVP)).toBe("120");
  });

  /** A form that has room for any letter. The second byte of a letter may be that of a backslash. */
  const KEEP_ANY = rule("{tag: ProtocolName, action: keep, form: '/.{1,64}/', review: board}");
  const stored = (tag: Tag, vr: Vr, bytes: string): DataElement => element(tag, vr, Buffer.from(bytes, "latin1"));
  it.each([
    ["ISO_IR 100", "K\xf6pfe ", "Köpfe"],
    ["\\ISO 2022 IR 87", "\x1b$BF,\x1b(B", "頭"],
    ["GB18030", "\xd6\x5c A", "謀 A"],
  ])("a text that stays is written in UTF-8: %s", async (characterSet, bytes, expected) => {
    const changes = [text(0x00080005, characterSet), stored(tags.ProtocolName, "LO", bytes)];
    const output = await outputOf(KEEP_ANY, changes);
    expect(textOf(output, tags.SpecificCharacterSet)).toBe("ISO_IR 192");
    expect(textOf(output, tags.ProtocolName)).toBe(expected);
  });

  it.each([
    ["\\ISO 2022 IR 87", "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B ", "\x1b$B;3ED\x1b(B CT "],
    ["GB18030", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab ", "\xcd\xf5\xd0\xa1\xb6\xab"],
  ])("a name in it is found as it is written in its character set: %s", async (characterSet, name, bytes) => {
    const changes = [
      text(0x00080005, characterSet),
      stored(tags.PatientName, "PN", name),
      stored(tags.ProtocolName, "LO", bytes),
    ];
    expect(await outcomeOf(KEEP_ANY, changes)).toMatchObject({ kind: "rejected", code: "IDENTIFIER_FOUND" });
  });

  it.each([
    ["PatientName", "Weissmann^Jo", "of Weißmann"],
    ["PatientName", "Weißmann^Jo", "of WEISSMANN"],
    ["PatientName", "Müller^Jo", "Mueller CT"],
    ["PatientName", "Mueller^Jo", "MÜLLER CT"],
    ["PatientName", "Sørensen^Jo", "Sorensen CT"],
    ["PatientName", "Soerensen^Jo", "Sørensen CT"],
    ["PatientName", "YILDIZ^Jo", "Yıldız CT"],
    ["PatientName", "Łukaszewicz^Jo", "Lukaszewicz CT"],
    ["PatientName", "Yamada^Taro=山田^太郎=やまだ^たろう", "ヤマダ CT"],
    ["PatientName", "Bran\u200ddybuck^Jo", "Brandybuck CT"],
    ["PatientID", "0004455667", "no. 4455667"],
    ["PatientID", "HOSP-4455667A", "no. 004455667"],
    ["PatientTelephoneNumbers", "+44 (0)20 7946 0123 (home)", "ring 020 7946 0123"],
    ["PatientBirthDate", "19310704", "born 04071931"],
    ["PatientBirthDate", "19310704", "born 7/4/1931"],
    ["PatientBirthDate", "19310704", "born 4.7.1931"],
    ["PatientBirthDate", "19310704", "born 04-Jul-1931"],
    ["PatientBirthDate", "19310704", "born July 4, 1931"],
    ["PatientID", "00012345", "no. 12345"],
  ] as const)("%s is found in it written otherwise: %s, %s", async (keyword, original, kept) => {
    const utf8 = (tag: Tag, value: string): DataElement => {
      const bytes = Buffer.from(value);
      return element(tag, vrOf(tag), bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(" ")]));
    };
    const changes = [text(0x00080005, "ISO_IR 192"), utf8(tags[keyword], original), utf8(tags.ProtocolName, kept)];
    expect(await outcomeOf(KEEP_ANY, changes)).toMatchObject({ kind: "rejected", code: "IDENTIFIER_FOUND" });
  });

  it("an identifier in text that a rule keeps stops the object all the same", async () => {
    const changes = [text(0x00181030, "chest of Brandybuck")];
    const outcome = await outcomeOf(rule("{tag: ProtocolName, action: keep, review: board}"), changes);
    expect(outcome).toMatchObject({ kind: "rejected", code: "IDENTIFIER_FOUND" });
  });

  it("unless the rule says that its values may repeat one", async () => {
    const changes = [text(0x00181030, "Brandybuck")];
    const written = "{tag: ProtocolName, action: keep, form: '/[A-Za-z]+/', review: board, may_repeat: true}";
    expect(textOf(await outputOf(rule(written), changes), tags.ProtocolName)).toBe("Brandybuck");
  });
});

describe("overrides", () => {
  const profile = `${HEAD}rules: [{tag: StudyDescription, action: replace, with: ANY}]
overrides:
  - {when: {manufacturer: '/siemens/i'}, rules: [{tag: StudyDescription, action: replace, with: SIEMENS}]}
  - {when: {manufacturer: siemens, model: '/definition/i'}, rules: [{tag: StudyDescription, action: replace, with: DEFINITION}]}
`;

  it.each([
    ["SIEMENS", "SOMATOM Definition AS+", "DEFINITION"],
    ["SIEMENS", "SOMATOM Force", "SIEMENS"],
    ["Philips", "iCT Definition", "ANY"],
    ["", "SOMATOM Force", "ANY"],
  ])("of %s %s", async (manufacturer, model, expected) => {
    const output = await outputOf(profile, [text(0x00080070, manufacturer), text(0x00081090, model)]);
    expect(textOf(output, tags.StudyDescription)).toBe(expected);
  });
});

describe("a rule that masks pixels", () => {
  it("keeps objects of its devices back unless a mask fits them", async () => {
    const mask = "masks: [{name: m, when: {model: Voluson, rows: 4, columns: 6}, rectangles: [[0, 0, 2, 2]]}]\n";
    await writeFile(join(folder, "masks.yaml"), mask);
    const profile = `${HEAD}pixels: {masks: [masks.yaml]}
overrides: [{when: {manufacturer: siemens}, rules: [{tag: PixelData, action: mask}]}]\n`;
    const device = (manufacturer: string, model: string): readonly DataElement[] => [
      text(0x00080070, manufacturer),
      text(0x00081090, model),
    ];
    expect(await outcomeOf(profile, device("SIEMENS", "SOMATOM Force"))).toMatchObject({ kind: "rejected" });
    expect(await outcomeOf(profile, device("SIEMENS", "Voluson"))).toMatchObject({ kind: "deidentified" });
    expect(await outcomeOf(profile, device("Philips", "Force"))).toMatchObject({ kind: "deidentified" });
    const allowing = profile.replace("{masks: [masks.yaml]}", "{masks: [masks.yaml], allow: [CT]}");
    expect(await outcomeOf(allowing, device("SIEMENS", "SOMATOM Force"))).toMatchObject({ kind: "rejected" });
    // Who does not say whose it is, is nobody's.
    const anyones = profile.replace("manufacturer: siemens", "manufacturer: '/.*/'");
    expect(await outcomeOf(anyones, device("Philips", "Force"))).toMatchObject({ kind: "rejected" });
    expect(await outcomeOf(anyones, device("", "Force"))).toMatchObject({ kind: "deidentified" });
  });
});

it("a profile's filters leave objects out, besides the project's", async () => {
  const profile = `${HEAD}filters: {manufacturer: {allow: ['/^philips/i']}}\n`;
  expect(await outcomeOf(profile, [])).toEqual({ kind: "excluded", reason: "manufacturer" });
});

describe("the shipped profile pixl", () => {
  it("leaves PIXL's base attributes with PIXL's constants, and nothing else", async () => {
    const output = await outputOf("pixl", [text(0x00181030, "ABC1")]);
    expect(textOf(output, tags.AccessionNumber)).toBe("ANONYMIZED");
    expect(textOf(output, tags.PatientName)).toBe("ANONYMIZED");
    expect(textOf(output, tags.StudyDate)).toBe("00010101");
    expect(textOf(output, tags.StudyTime)).toBe("000000.00");
    expect(textOf(output, tags.PatientBirthDate)).toBe("00010101");
    expect(textOf(output, tags.PatientSex)).toBe("M");
    expect(textOf(output, tags.SeriesNumber)).toBe("3");
    expect(uidOf(output, tags.StudyInstanceUID)).toMatch(/^2\.25\./);
    expect(output.has(tags.ProtocolName)).toBe(false);
    expect(output.has(tags.ConvolutionKernel)).toBe(false);
    expect(output.has(tagOf(0x00101030))).toBe(false);
    expect(output.has(tags.PixelData)).toBe(true);
  });

  it.each(["M", "F", "O"])("leaves the sex %s", async (sex) => {
    expect(textOf(await outputOf("pixl", [text(0x00100040, sex)]), tags.PatientSex)).toBe(sex);
  });

  it.each(["BRANDYBUCK", "M BRANDYBUCK", "m"])("leaves no sex that is none: %s", async (sex) => {
    expect(textOf(await outputOf("pixl", [text(0x00100040, sex)]), tags.PatientSex)).toBeUndefined();
  });
});

it("a rule that keeps a code string keeps the terms it can have, unless it says other ones", async () => {
  const kept = async (rule: string, value: string): Promise<string | undefined> =>
    textOf(await outputOf(`${HEAD}rules: [${rule}]\n`, [text(0x001021a0, value)]), tagOf(0x001021a0));
  const reviewed = "tag: SmokingStatus, action: keep, review: board";
  expect(await kept(`{${reviewed}}`, "UNKNOWN")).toBe("UNKNOWN");
  expect(await kept(`{${reviewed}}`, "BRANDYBUCK")).toBeUndefined();
  expect(await kept(`{${reviewed}, terms: [SOMETIMES]}`, "SOMETIMES")).toBe("SOMETIMES");
});

it("does not say that dates are gone where a rule keeps one", async () => {
  const said = async (rules: string): Promise<string | undefined> =>
    textOf(await outputOf(HEAD + rules), tagOf(0x00280303));
  expect(await said("")).toBe("REMOVED");
  expect(await said("rules: [{tag: StudyDate, action: keep, review: board}]\n")).toBe("UNMODIFIED");
  const other = "overrides: [{when: {manufacturer: acme}, rules: [{tag: StudyDate, action: keep, review: board}]}]\n";
  expect(await said(other)).toBe("REMOVED");
});

describe("words that a profile adds to the vocabulary", () => {
  const described = async (profile: string, description: string): Promise<string | undefined> =>
    textOf(await outputOf(HEAD + profile, [text(0x00081030, description)]), tags.StudyDescription);
  const words = "vocabulary: [Schädel, brandybuck]\n";

  it.each(["options: [clean-descriptors]\n", "rules: [{tag: StudyDescription, action: clean}]\n"])(
    "stay in descriptions with %s, but for the patient's name",
    async (cleaning) => {
      expect(await described(cleaning, "Schadel Brandybuck axial")).toBe("axial");
      expect(await described(words + cleaning, "Schadel Brandybuck axial")).toBe("Schadel axial");
    },
  );

  it("are single words, and part of the profile's hash", async () => {
    await expect(described("vocabulary: [two words]\n", "")).rejects.toThrow();
    const hashOf = async (profile: string): Promise<string> => {
      const path = join(folder, "hashed.yaml");
      await writeFile(path, HEAD + profile);
      return loadProfile(path).hash;
    };
    expect(await hashOf(words)).not.toBe(await hashOf(""));
  });
});
