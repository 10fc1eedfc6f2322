import { describe, expect, it } from "vitest";
import { diffProfiles } from "./diff.ts";
import { explainAttribute, explainProfile } from "./explain.ts";
import { lintProfile } from "./lint.ts";
import { checkProfileText, loadProfileDocument } from "./load-profile.ts";
import type { ProfileDocument } from "./profile-document.ts";

const HEAD = "profile: p\nversion: 1\nbase: basic-2026c\n";

function documentOf(text: string): ProfileDocument {
  const { document, problems } = checkProfileText(HEAD + text);
  if (document === undefined) throw new Error(JSON.stringify(problems));
  return document;
}

describe("explains what happens to an attribute, and why", () => {
  const profile = documentOf(`
options: [retain-longitudinal-modified-dates]
rules:
  - {tag: StudyDescription, action: replace, with: MRI, review: board 2026-03}
overrides:
  - when: {manufacturer: '/philips/i'}
    rules: [{tag: StudyDescription, action: empty}]
`);

  it.each([
    ["StudyDescription", "replaced by MRI", "rule", "rules[0]: replace; review: board 2026-03"],
    ["(0010,0030)", "emptied", "table", "Table E.1-1: basic Z"],
    [
      "StudyDate",
      "date moved by the patient's days, times kept; else emptied",
      "option",
      "Table E.1-1: basic Z, retain-longitudinal-modified-dates C",
    ],
    ["Rows", "kept where every value is a number", "default", "safe list"],
    ["StudyComments", "removed", "table", "Table E.1-1: basic X"],
    ["TransferSyntaxUID", "written anew or dropped", "default", "file meta information is never copied"],
    ["OverlayData", "removed", "default", "never copied"],
    ['(0019,"SIEMENS MR HEADER",0C)', "removed", "default", "private, and not listed as safe"],
  ])("%s", (attribute, action, decider, because) => {
    const explanation = explainAttribute(profile, attribute);
    expect(explanation.action).toMatch(new RegExp(`^${action.replace(/[()]/g, "\\$&")}`));
    expect(explanation).toMatchObject({ decider, because });
  });

  it("with the devices for which it is otherwise", () => {
    expect(explainAttribute(profile, "StudyDescription").exceptions).toEqual([
      { where: "manufacturer /philips/i", action: "emptied", because: "overrides[0].rules[0]: empty" },
    ]);
  });

  it("for every attribute of the standard, once", () => {
    const all = explainProfile(loadProfileDocument("basic"));
    expect(all.length).toBeGreaterThan(5000);
    expect(new Set(all.map(({ tag }) => tag)).size).toBe(all.length);
  });

  it("and knows no others", () => {
    expect(() => explainAttribute(profile, "Nothing")).toThrow(
      expect.objectContaining({ code: "PROFILE_TAG_UNKNOWN" }),
    );
  });
});

describe("tells two profiles apart", () => {
  it("by attribute and setting", () => {
    const { attributes, settings } = diffProfiles(loadProfileDocument("basic"), loadProfileDocument("research"));
    expect(attributes).toContainEqual({
      tag: "(0010,1030)",
      keyword: "PatientWeight",
      a: "removed",
      b: expect.stringContaining("kept where every value is a number"),
    });
    expect(attributes.map(({ keyword }) => keyword)).not.toContain("PatientName");
    expect(settings.map(({ path }) => path)).toEqual(expect.arrayContaining(["on_reject", "options"]));
  });

  it("that differ for a device alone", () => {
    const one = documentOf("overrides: [{when: {model: X}, rules: [{tag: StudyDescription, action: empty}]}]\n");
    expect(diffProfiles(documentOf(""), one).attributes).toEqual([
      { tag: "(0008,1030)", keyword: "StudyDescription", a: "removed", b: "removed | model X: emptied" },
    ]);
    expect(diffProfiles(one, one)).toEqual({ attributes: [], settings: [] });
  });
});

describe("lint", () => {
  it("finds nothing in a plain profile", () => {
    expect(lintProfile(HEAD)).toEqual({ problems: [], warnings: [] });
  });

  it.each([
    ["rules: [{tag: StudyDescription, action: empty}, {tag: '(0008,1030)', action: replace}]", "rule-unreachable"],
    ["rules: [{tag: StudyDescription, action: remove}]", "rule-without-effect"],
    ["rules: [{tag: StudyComments, action: keep, review: board}]", "text-without-form"],
    ["rules: [{tag: StudyDate, action: replace, with: '00010101'}]", "dates-constant"],
    // Its values are no closed list: whatever a modality writes stays.
    ["rules: [{tag: ContentLabel, action: keep, review: board}]", "text-without-form"],
    [
      `rules: [{tag: '(0019,"X",0C)', action: keep, vr: CS, review: board}]\noptions: [retain-safe-private]`,
      "text-without-form",
    ],
    [
      "rules: [{tag: TextValue, action: empty, path: 0040A730/*/0040A160}, {tag: TextValue, action: remove, path: '**/0040A160'}]",
      "rule-unreachable",
    ],
    [
      "rules: [{tag: TextValue, action: empty, path: ContentSequence/*/TextValue}, {tag: TextValue, action: remove, path: 0040A730/*/0040A160}]",
      "rule-unreachable",
    ],
    [
      "rules: [{tag: TextValue, action: empty, path: '**/0040A730/*/0040A730/*/0040A160'}, {tag: TextValue, action: remove, path: '**/0040A730/*/0040A160'}]",
      "rule-unreachable",
    ],
  ])("finds %s", (text, code) => {
    const { warnings } = lintProfile(`${HEAD}${text}\n`);
    expect(warnings).toEqual([expect.objectContaining({ code, path: "rules[0]", line: 4 })]);
  });

  const rule = "rules: [{tag: StudyDescription, action: empty}]";
  const other = "rules: [{tag: StudyDescription, action: replace, with: MRI}]";

  it.each([
    ["the same devices", "{manufacturer: '/acme/i', model: '/x/'}", "{model: '/x/', manufacturer: '/acme/i'}"],
    ["these devices and more", "{manufacturer: '/acme/i', model: '/x/'}", "{manufacturer: '/acme/i'}"],
  ])("finds a rule that a later override for %s decides over", (_name, first, later) => {
    const { warnings } = lintProfile(
      `${HEAD}overrides:\n  - {when: ${first}, ${rule}}\n  - {when: ${later}, ${other}}\n`,
    );
    const message = "overrides[1].rules[0] decides over (0008,1030).";
    expect(warnings).toEqual([
      expect.objectContaining({ code: "rule-unreachable", path: "overrides[0].rules[0]", line: 5, message }),
    ]);
  });

  it.each([
    [
      `overrides:\n  - {when: {manufacturer: '/acme/i'}, ${rule}}\n  - {when: {manufacturer: '/acme/i', model: X}, ${other}}`,
    ],
    [`overrides:\n  - {when: {model: Y}, ${rule}}\n  - {when: {model: X}, ${other}}`],
    [
      "rules: [{tag: TextValue, action: empty, path: '**/0040A160'}, {tag: TextValue, action: remove, path: 0040A730/*/0040A160}]",
    ],
    [
      "rules: [{tag: TextValue, action: empty, path: '**/0040A730/*/0040A160'}, {tag: TextValue, action: remove, path: 0040A730/*/0040A160}]",
    ],
  ])("finds nothing in rules that hold somewhere: %s", (text) => {
    expect(lintProfile(`${HEAD}${text}\n`)).toEqual({ problems: [], warnings: [] });
  });

  it.each([
    ["retain-uids, retain-longitudinal-modified-dates", ["uids-tell-dates"]],
    ["retain-uids", ["uids-tell-dates"]],
    ["retain-uids, retain-longitudinal-full-dates", []],
  ])("finds what UIDs that stay tell beside dates that do not: %s", (options, codes) => {
    const { problems, warnings } = lintProfile(`${HEAD}options: [${options}]\n`);
    expect(problems).toEqual([]);
    expect(warnings.map(({ code, path, line }) => ({ code, path, line }))).toEqual(
      codes.map((code) => ({ code, path: "options[0]", line: 4 })),
    );
  });

  it.each([
    ["sr", "sr: keep\noptions: [clean-structured-content]\nfilters: {modality: {allow: [CT]}}"],
    ["sr", "sr: skeleton\nfilters: {modality: {deny: [SR]}}"],
    ["documents", "documents: replace\nfilters: {modality: {allow: [CT, DX]}}"],
    ["pixels.allow_absent", "pixels: {allow_absent: {signed_off: board}}\nfilters: {modality: {allow: [MR]}}"],
    ["filters.min_instances_per_series", "filters: {min_instances_per_series: 1}"],
    ["pseudonyms.date_shift", "pseudonyms: {date_shift: {days: 90}}"],
    ["pseudonyms.derive_age", "pseudonyms: {derive_age: true}"],
    ["vocabulary", "vocabulary: [haifisch]"],
    ["pseudonyms.prefix", "pseudonyms: {mode: pixl, prefix: A-}"],
    ["pseudonyms.issuer", "pseudonyms: {mode: pixl, issuer: include}"],
  ])("finds that %s changes nothing", (path, text) => {
    const { problems, warnings } = lintProfile(`${HEAD}${text}\n`);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([expect.objectContaining({ code: "setting-without-effect", path, line: 4 })]);
  });

  it.each([
    "sr: keep\noptions: [clean-structured-content]\nfilters: {modality: {allow: [CT, SR]}}",
    "pixels: {allow_absent: {signed_off: board}}\nfilters: {modality: {deny: [DX]}}",
    "pixels: {allow_absent: {signed_off: board}}\nfilters: {modality: {allow: [PX]}}",
    "options: [retain-longitudinal-modified-dates]\npseudonyms: {date_shift: {days: 90}}",
    "filters: {min_instances_per_series: 2}",
    "vocabulary: [haifisch]\noptions: [clean-descriptors]",
  ])("finds nothing in settings that matter: %s", (text) => {
    expect(lintProfile(`${HEAD}${text}\n`)).toEqual({ problems: [], warnings: [] });
  });

  it("finds an option that changes nothing", () => {
    const text = "options: [retain-patient-characteristics]\nunlisted: remove\nrules:\n";
    const tags = ["PatientSex", "PatientAge", "PatientSize", "PatientWeight"];
    const every = explainProfile(documentOf("options: [retain-patient-characteristics]\n"))
      .filter(({ because }) => because.includes("retain-patient-characteristics"))
      .map(({ keyword }) => keyword);
    const rules = [...new Set([...tags, ...every])].map((tag) => `  - {tag: ${tag}, action: replace}\n`);
    const { warnings } = lintProfile(HEAD + text + rules.join(""));
    expect(warnings.map(({ code }) => code)).toEqual(["option-without-effect"]);
  });

  it.each([
    ["options: [clean-pixel-data]", 1],
    ["options: [clean-pixel-data]\npixels: {masks: [us.yaml]}", 0],
    ["options: [retain-safe-private]\nunlisted: remove", 1],
    ["options: [retain-safe-private]", 0],
    [`options: [retain-safe-private]\nunlisted: remove\nrules: [{tag: '(0019,"X",0C)', action: keep, vr: IS}]`, 0],
    ["options: [clean-graphics]\nunlisted: remove", 1],
    ["options: [clean-graphics]", 0],
  ])("finds out whether an option of more than attributes changes anything: %s", (text, count) => {
    const { problems, warnings } = lintProfile(`${HEAD}${text}\n`);
    expect(problems).toEqual([]);
    const told = expect.objectContaining({ code: "option-without-effect", path: "options[0]", line: 4 });
    expect(warnings).toEqual(Array.from({ length: count }, () => told));
  });

  it("reports what keeps a profile from being used", () => {
    const { problems } = lintProfile(`${HEAD}colour: blue\n`);
    expect(problems).toEqual([
      expect.objectContaining({ code: "PROFILE_KEY_UNKNOWN", path: "colour", line: 4, column: 1 }),
    ]);
  });
});
