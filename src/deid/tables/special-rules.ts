import type { OptionName } from "../profiles/options.ts";
import type { Rule } from "../rules/rule.ts";

const REMOVE = { optional: "remove", empty: "remove", required: "remove", unknown: "remove" } as const;
const DUMMY = { optional: "dummy", empty: "dummy", required: "dummy", unknown: "dummy" } as const;
const DENY: Partial<Rule> = { treatment: { kind: "none" }, fallback: REMOVE };

const ETHICS_COMMITTEE_APPROVAL_NUMBER = 0x00120082;

/** Tags whose rule is not what the table or their VR would give. */
export const SPECIAL_RULES: ReadonlyMap<number, Partial<Rule>> = new Map<number, Partial<Rule>>([
  // Declared where a text that is kept is not ASCII, and nowhere else. PS3.3 C.12.1.1.2.
  [
    0x00080005,
    { treatment: { kind: "terms", terms: new Set(["ISO_IR 192"]), otherwise: undefined }, fallback: REMOVE },
  ],
  // Identity: the pseudonym in the place of both.
  [0x00100010, { treatment: { kind: "pseudonym" } }],
  [0x00100020, { treatment: { kind: "pseudonym" } }],
  // Written anew for every object. PS3.15 E.1.1.
  [0x00120062, { treatment: { kind: "mark" } }],
  [0x00120063, { treatment: { kind: "mark" } }],
  [0x00120064, { treatment: { kind: "mark" } }],
  [0x00280303, { treatment: { kind: "mark" } }],
  // Required, though maybe empty, of whoever is no human. PS3.3 C.7.1.1.
  [0x00102297, { fallback: { ...REMOVE, empty: "empty" } }],
  [0x00102299, { fallback: { ...REMOVE, empty: "empty" } }],
  // Removed by the table, though some IODs cannot be without them: those get dummies. PS3.3 C.11.10, C.8.22.3.
  [0x00181078, { fallback: { ...REMOVE, required: "dummy" } }],
  [0x00700082, { fallback: { ...REMOVE, required: "dummy" } }],
  [0x00700083, { fallback: { ...REMOVE, required: "dummy" } }],
  // Copies and traces of other values. PS3.15 E.1.1, PS3.3 C.12.1.
  [0x04000500, DENY],
  [0x04000550, DENY],
  [0x04000561, DENY],
  [0x00080300, DENY],
  [0x00880200, DENY],
  [ETHICS_COMMITTEE_APPROVAL_NUMBER, DENY],
  // Coded entries are judged whole. PS3.3 8.8.
  [0x00080100, { treatment: { kind: "code" } }],
  [0x00080102, { treatment: { kind: "code" } }],
  [0x00080104, { treatment: { kind: "code" } }],
  [0x00080119, { treatment: { kind: "code" } }],
  [0x00080120, { treatment: { kind: "code" } }],
  // Bulk.
  [0x7fe00010, { treatment: { kind: "pixels" } }],
  [0x7fe00008, { treatment: { kind: "pixels" } }],
  [0x7fe00009, { treatment: { kind: "pixels" } }],
  // Offsets into the fragments are computed anew where they are needed: an empty basic offset table is always right. PS3.5 A.4.
  [0x7fe00001, DENY],
  [0x7fe00002, DENY],
  // The length of what came: not of what was cut or decoded. PS3.3 C.7.6.3.
  [0x7fe00003, DENY],
  [0x00281201, { treatment: { kind: "words" } }],
  [0x00281202, { treatment: { kind: "words" } }],
  [0x00281203, { treatment: { kind: "words" } }],
  [0x00281204, { treatment: { kind: "words" } }],
  [0x00281221, { treatment: { kind: "words" } }],
  [0x00281222, { treatment: { kind: "words" } }],
  [0x00281223, { treatment: { kind: "words" } }],
  [0x00283006, { treatment: { kind: "words" } }],
  // 8 bits of it are a sound, and may be a voice. PS3.3 C.10.9.1.4.
  [0x54001010, { treatment: { kind: "words" } }],
  // Texts and what holds texts: an annotation has its lines without them. PS3.3 C.10.5.
  [0x00700008, DENY],
  [0x00700209, DENY],
  // Layers are known by their names alone. PS3.3 C.10.7.
  [0x00700002, { treatment: { kind: "renamed", prefix: "LAYER_" } }],
  // Needed by every object that has equipment, a frame of reference, graphic layers, content. PS3.3 C.7.5.1, C.7.4.1, C.10.7, 10.9.
  [0x00080070, { fallback: { ...REMOVE, empty: "empty", required: "dummy", unknown: "empty" } }],
  [0x00201040, { fallback: { ...REMOVE, empty: "empty", required: "dummy", unknown: "empty" } }],
  [0x00080105, { dummy: "DCMR", fallback: { ...REMOVE, required: "dummy", unknown: "dummy" } }],
  [0x00700062, { fallback: { ...REMOVE, required: "dummy", unknown: "dummy" } }],
  [0x00700081, { fallback: { ...REMOVE, empty: "empty", required: "dummy", unknown: "empty" } }],
  // Labels a planner typed: numbered anew.
  [0x30060026, { treatment: { kind: "numbered", prefix: "ROI_", numberTag: 0x30060022 } }],
  [0x00620005, { treatment: { kind: "numbered", prefix: "SEGMENT_", numberTag: 0x00620004 } }],
  [0x30060002, { dummy: "LABEL" }],
  [0x300a0002, { dummy: "LABEL" }],
  [0x00700080, { dummy: "LABEL", fallback: { ...REMOVE, required: "dummy", unknown: "dummy" } }],
]);

/** A committee whose name is retained cannot be without a number. PS3.3 C.7.1.3, PS3.15 E.3.11. */
export function specialRule(tag: number, active: ReadonlySet<OptionName>): Partial<Rule> | undefined {
  const special = SPECIAL_RULES.get(tag);
  const isNumbered = tag === ETHICS_COMMITTEE_APPROVAL_NUMBER && active.has("retain-institution-identity");
  return isNumbered ? { ...special, fallback: DUMMY } : special;
}
