import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkProfileText, loadProfile } from "./load-profile.ts";
import type { Profile } from "./profile.ts";

const HEAD = "profile: neuro-mr\nversion: 3\nbase: basic-2026c\n";
const SIEMENS = { manufacturer: "SIEMENS", model: "Prisma", software: "syngo MR E11" };
const PHILIPS = { manufacturer: "Philips Medical Systems", model: "Ingenia Elition", software: "5.7" };
const STUDY_DESCRIPTION = 0x00081030;
const PROTOCOL_NAME = 0x00181030;

/** Each problem as "line:column code". */
function problemsOf(text: string): readonly string[] {
  return checkProfileText(text).problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

async function loadedText(text: string): Promise<Profile> {
  const folder = await mkdtemp(join(tmpdir(), "profile-"));
  try {
    const path = join(folder, "profile.yaml");
    await writeFile(path, text);
    return loadProfile(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("a profile's file", () => {
  it("becomes rules, overrides by device, filters and settings", async () => {
    const profile = await loadedText(`${HEAD}
options: [retain-longitudinal-modified-dates, retain-patient-characteristics]
pseudonyms: {mode: hmac, prefix: NM-, lookup: none, date_shift: {days: 1825, keep_weekday: true}}
filters:
  modality: {allow: [MR, SEG, SR]}
  manufacturer: {allow: ['/^siemens/i', '/^philips/i'], on_missing: exclude}
  series_description: {deny: [localizer, '/^pos[0-9]+$/i']}
  series_number: {deny: [0, 99]}
  min_instances_per_series: 2
rules:
  - {tag: StudyDescription, action: replace, with: MRI}
  - {tag: '(0018,1030)', action: keep, form: '/^[A-Za-z0-9_ -]{1,32}$/', review: 'board 2026-03'}
overrides:
  - when: {manufacturer: '/philips/i', model: '/ingenia/i'}
    rules: [{tag: ProtocolName, action: remove}]
  - when: {manufacturer: '/philips/i'}
    rules: [{tag: StudyDescription, action: empty}]
sr: exclude
documents: reject
on_reject: study
`);
    expect(profile).toMatchObject({ name: "neuro-mr", version: 3, onReject: "study", sr: "exclude" });
    expect(profile.options).toEqual(["basic", "retain-longitudinal-modified-dates", "retain-patient-characteristics"]);
    expect(profile.pseudonyms).toMatchObject({ prefix: "NM-", dateShift: { days: 1825, keepWeekday: true } });
    expect(profile.rules.ruleOf(STUDY_DESCRIPTION)).toMatchObject({ dummy: "MRI", reason: "profile" });
    expect(profile.rules.ruleOf(PROTOCOL_NAME).treatment.kind).toBe("text");
    expect(profile.rulesFor(SIEMENS)).toBe(profile.rules);
    const philips = profile.rulesFor(PHILIPS);
    expect(philips.ruleOf(PROTOCOL_NAME).treatment.kind).toBe("none");
    expect(philips.ruleOf(STUDY_DESCRIPTION).fallback.unknown).toBe("empty");
    expect(profile.rulesFor(PHILIPS)).toBe(philips);
    expect(profile.filters.manufacturers?.allow.map((test) => test.test("Philips"))).toEqual([false, true]);
    expect(profile.filters).toMatchObject({ modalities: ["MR", "SEG", "SR"], minimumInstancesPerSeries: 2 });
    expect(profile.reviews).toEqual([{ tag: "(0018,1030)", review: "board 2026-03" }]);
  });

  it("reports everything that is wrong with it at once, with line and column", () => {
    const text = `profile: Neuro MR
version: 3
base: basic-2026c
options: [retain-longitudinal-full-dates, retain-longitudinal-modified-dates]
colour: blue
filters:
  series_description: {deny: ['']}
rules:
  - {tag: StudyDescrption, action: remove}
  - {tag: StudyDescription, action: keep}
  - {tag: ProtocolName, action: keep, form: '/(a+)+$/', review: 'board 2026-03'}
  - {tag: PatientName, action: keep, form: '/.*/', review: me}
  - {tag: StudyComments, action: kepp}
  - {tag: SeriesDescription, action: keep, form: '/(?=a)/'}
`;
    expect(problemsOf(text)).toEqual([
      "1:1 PROFILE_VALUE_INVALID",
      "4:43 PROFILE_OPTIONS_EXCLUSIVE",
      "5:1 PROFILE_KEY_UNKNOWN",
      "7:31 PROFILE_VALUE_INVALID",
      "9:6 PROFILE_TAG_UNKNOWN",
      "10:29 PROFILE_REVIEW_MISSING",
      "11:39 PROFILE_PATTERN_UNSAFE",
      "12:24 PROFILE_RULE_INVALID",
      "13:26 PROFILE_VALUE_INVALID",
      "14:30 PROFILE_REVIEW_MISSING",
      "14:44 PROFILE_PATTERN_UNSAFE",
    ]);
  });

  it("that is no YAML is refused with the place", () => {
    expect(problemsOf("profile: [a\nversion: 1\n")).toEqual([
      expect.stringMatching(/^\d+:\d+ PROFILE_FILE_MALFORMED$/),
    ]);
  });

  it("that is not there is refused by its code, an unknown name too", () => {
    expect(() => loadProfile("./nowhere.yaml")).toThrow(expect.objectContaining({ code: "PROFILE_FILE_UNREADABLE" }));
    expect(() => loadProfile("nowhere")).toThrow(expect.objectContaining({ code: "PROFILE_UNKNOWN" }));
  });
});

describe("an option or setting is refused that", () => {
  it.each([
    ["the engine does not carry out", "options: [clean-recognizable-visual-features]", "PROFILE_NOT_SUPPORTED"],
    ["nobody knows", "options: [retain-everything]", "PROFILE_VALUE_INVALID"],
    ["is named twice", "options: [clean-descriptors, clean-descriptors]", "PROFILE_VALUE_INVALID"],
    [
      "keeps a date beside dates that move",
      "options: [retain-longitudinal-modified-dates]\nrules: [{tag: PatientBirthDate, action: keep, review: board}]",
      "PROFILE_RULE_INVALID",
    ],
    ["keeps reports without cleaning them", "sr: keep", "PROFILE_VALUE_INVALID"],
    ["allows pixels of no known group", "pixels: {allow: [XX]}", "PROFILE_VALUE_INVALID"],
    ["searches with an unsafe pattern", "filters: {manufacturer: {allow: ['/(?=a)/']}}", "PROFILE_PATTERN_UNSAFE"],
    [
      "searches devices with an unsafe pattern",
      "overrides: [{when: {model: '/(a*)*/'}, rules: [{tag: KVP, action: remove}]}]",
      "PROFILE_PATTERN_UNSAFE",
    ],
    [
      "overrides for every device",
      "overrides: [{when: {}, rules: [{tag: KVP, action: remove}]}]",
      "PROFILE_VALUE_INVALID",
    ],
  ])("%s", (_name, text, code) => {
    expect(checkProfileText(`${HEAD}${text}\n`).problems.map((problem) => problem.code)).toEqual([code]);
  });
});

it.each([
  ["profile", (count: number) => `profile: ${"p".repeat(count)}\nversion: 1\nbase: basic-2026c`, 1, 40],
  ["pseudonyms.date_shift.days", (count: number) => `${HEAD}pseudonyms: {date_shift: {days: ${count}}}`, 30, 36_500],
])("%s has its limits", (path, textOf, least, most) => {
  const pathsOf = (count: number) => checkProfileText(`${textOf(count)}\n`).problems.map((problem) => problem.path);
  expect([least, most].flatMap(pathsOf)).toEqual([]);
  expect([least - 1, most + 1].flatMap(pathsOf)).toEqual([path, path]);
});

describe("a rule is refused that", () => {
  it.each([
    ["keeps free text", "{tag: StudyComments, action: keep}", "PROFILE_REVIEW_MISSING"],
    [
      "keeps what the table removes, form or not",
      "{tag: ProtocolName, action: keep, form: '/[a-z]+/'}",
      "PROFILE_REVIEW_MISSING",
    ],
    ["lets identifiers repeat", "{tag: Manufacturer, action: keep, may_repeat: true}", "PROFILE_REVIEW_MISSING"],
    ["masks pixels without a mask", "{tag: PixelData, action: mask}", "PROFILE_VALUE_INVALID"],
    ["keeps a name", "{tag: OperatorsName, action: keep, review: board}", "PROFILE_RULE_INVALID"],
    ["keeps a date that no option keeps", "{tag: StudyDate, action: keep}", "PROFILE_REVIEW_MISSING"],
    [
      "speaks of the file meta information",
      "{tag: '(0002,0010)', action: keep, review: board}",
      "PROFILE_RULE_INVALID",
    ],
    ["speaks of an overlay", "{tag: '(6000,3000)', action: keep, review: board}", "PROFILE_RULE_INVALID"],
    ["speaks of the engine's marks", "{tag: PatientIdentityRemoved, action: remove}", "PROFILE_RULE_INVALID"],
    ["keeps an instance's UID", "{tag: SOPInstanceUID, action: keep, review: board}", "PROFILE_RULE_INVALID"],
    ["takes rows away from pixel data", "{tag: Rows, action: remove}", "PROFILE_RULE_INVALID"],
    ["writes another Patient ID", "{tag: PatientID, action: replace, with: X}", "PROFILE_RULE_INVALID"],
    ["shifts a text", "{tag: StudyDescription, action: uid}", "PROFILE_RULE_INVALID"],
    ["shifts dates without the option", "{tag: StudyDate, action: shift}", "PROFILE_RULE_INVALID"],
    ["rounds without saying to what", "{tag: PatientWeight, action: round}", "PROFILE_RULE_INVALID"],
    ["carries a key of another action", "{tag: StudyDescription, action: remove, with: X}", "PROFILE_RULE_INVALID"],
    [
      "writes what its VR cannot hold",
      "{tag: BodyPartExamined, action: replace, with: lower case}",
      "PROFILE_RULE_INVALID",
    ],
    [
      "keeps private elements without the option",
      `{tag: '(0019,"SIEMENS MR HEADER",0C)', action: keep, vr: IS}`,
      "PROFILE_RULE_INVALID",
    ],
    ["names a private tag by number", "{tag: '(0019,100C)', action: keep}", "PROFILE_TAG_UNKNOWN"],
    [
      "has a path that ends elsewhere",
      "{tag: StudyDate, action: remove, path: 0040A730/*/0040A160}",
      "PROFILE_RULE_INVALID",
    ],
  ])("%s", (_name, rule, code) => {
    expect(checkProfileText(`${HEAD}rules:\n  - ${rule}\n`).problems.map((problem) => problem.code)).toEqual([code]);
  });
});

describe("the hash of a profile", () => {
  const hashOf = async (text: string): Promise<string> => (await loadedText(HEAD + text)).hash;

  it("does not depend on how the file is written", async () => {
    const flow = "rules: [{tag: StudyDescription, action: remove}]\noptions: []\n";
    const block = "# a comment\nrules:\n  - action: remove\n    tag: (0008,1030)\n    review: somebody\n";
    expect(await hashOf(flow)).toBe(await hashOf(block));
    expect(await hashOf("")).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    "rules: [{tag: StudyDescription, action: empty}]\n",
    "overrides: [{when: {model: X}, rules: [{tag: StudyDescription, action: remove}]}]\n",
    "options: [retain-patient-characteristics]\n",
    "filters: {min_instances_per_series: 2}\n",
    "pseudonyms: {date_shift: {days: 31}}\n",
    "on_reject: instance\n",
    "unlisted: remove\n",
  ])("is another one with %s", async (text) => {
    expect(await hashOf(text)).not.toBe(await hashOf("rules: [{tag: StudyDescription, action: remove}]\n"));
    expect(await hashOf(text)).not.toBe(await hashOf(""));
  });
});

it("a rule with a wrong action is told of its unknown tag as well", () => {
  const text = `profile: p
version: 1
base: basic-2026c
rules:
  - {tag: NoSuchTag, action: hide}
overrides:
  - {when: {manufacturer: acme}, rules: [{tag: '(0019,100C)', action: hide}]}
`;
  expect(problemsOf(text)).toEqual([
    "5:6 PROFILE_TAG_UNKNOWN",
    "5:22 PROFILE_VALUE_INVALID",
    "7:43 PROFILE_TAG_UNKNOWN",
    "7:63 PROFILE_VALUE_INVALID",
  ]);
});

it("checks rules under the pseudonyms that the profile sets: none is dropped without a word", async () => {
  const station = (device: string): string => `${HEAD}options: [retain-device-identity]
pseudonyms: {device: ${device}}
rules:
  - {tag: StationName, action: keep}
`;
  expect(problemsOf(station("pseudonym"))).toEqual(["7:24 PROFILE_REVIEW_MISSING"]);
  expect((await loadedText(station("remove"))).rules.ruleOf(0x00081010).reason).toBe("profile");
});
