import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newDciodvfyErrors } from "../../test/peers/dciodvfy.ts";
import { requirePeer } from "../../test/peers/require-peer.ts";
import type { Category } from "../../test/quality/fields.ts";
import { ALL_MUST_KEEP, MUST_STAY } from "../../test/quality/must-stay.ts";
import { MODALITIES, type PlantedSet, plantedSet } from "../../test/quality/planted-set.ts";
import { deidentifyPlanted, type PlantedRun, researchWithMasks } from "../../test/quality/radferry.ts";
import { byPlace, type Score, score } from "../../test/quality/score.ts";
import type { DataElement, DataSet } from "../dicom/data-set.ts";
import { lookupElement } from "../dicom/dictionary/dictionary.ts";
import { ELEMENT_LINES } from "../dicom/dictionary/elements.generated.ts";
import { formatTag, tagOf } from "../dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../dicom/values.ts";
import type { Vr } from "../dicom/vr.ts";
import { neverAborted } from "../units/abort.ts";
import { createDeidentifier } from "./deidentifier.ts";
import { loadProfile } from "./profiles/load-profile.ts";
import { projectKeyOf } from "./pseudonyms/project-key.ts";
import { CONTENT_TABLE } from "./tables/content-table.generated.ts";
import { SAFE_PRIVATE } from "./tables/safe-private.generated.ts";
import { ctImage, part10Bytes, put, SOP_CLASSES, text, unsigned, without } from "./testing/objects.ts";

/** Every token of a text begins with this, every token of a UID with that; nothing else of the objects does. */
const TEXT_MARK = "ZQJX";
const UID_MARK = "1.2.826.0.1.3680043.9.987654";
/** Below the root of DICOM, though nobody registered it. */
const MADE_UP_MARK = "1.2.840.10008.9.9.9.8765";
const UID_MARKS = [UID_MARK, MADE_UP_MARK];
const IMAGES = new Set(["CT", "MR", "SEG"]);
const TEXT_VRS = new Set([
  "AE",
  "AS",
  "CS",
  "DS",
  "DT",
  "IS",
  "LO",
  "LT",
  "OB",
  "PN",
  "SH",
  "ST",
  "TM",
  "UC",
  "UN",
  "UR",
  "UT",
]);
/** What decides whether the object may leave at all, and how its pixels are laid out. */
const DECIDING = new Set([
  0x00080008, 0x00080016, 0x00080060, 0x00280004, 0x00280008, 0x00280301, 0x00280302, 0x00420011, 0x00080005,
  0x7fe00010,
]);

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "leak-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Tokens {
  count: number;
  text(): string;
  uid(): string;
}

function createTokens(): Tokens {
  return {
    count: 0,
    text() {
      this.count += 1;
      return `${TEXT_MARK}${this.count.toString(36).toUpperCase().padStart(4, "0")}`;
    },
    uid() {
      this.count += 1;
      return `${this.count % 2 === 0 ? UID_MARK : MADE_UP_MARK}.${this.count}`;
    },
  };
}

/** Every attribute of the registry that can hold text, each with a token of its own. */
function everyTextAttribute(tokens: Tokens, from: number): DataElement[] {
  return ELEMENT_LINES.split("\n").flatMap((line) => {
    const [pattern = "", , vr = ""] = line.split(" ");
    if (pattern === "") return [];
    const tag = Number.parseInt(pattern.replaceAll("x", "0"), 16);
    const usedVr = vr === "OB_or_OW" ? "OB" : vr;
    if (tag < from || DECIDING.has(tag) || pattern.startsWith("FFFE")) return [];
    if (usedVr === "UI") return [text(tag, tokens.uid())];
    return TEXT_VRS.has(usedVr) ? [element(tagOf(tag), usedVr as Vr, Buffer.from(tokens.text()))] : [];
  });
}

function privateBlock(tokens: Tokens): DataElement[] {
  const inner = dataSetOf([text(0x00100010, tokens.text()), text(0x00080080, tokens.text())]);
  return [
    element(tagOf(0x00290010), "LO", Buffer.from(tokens.text())),
    element(tagOf(0x00291001), "LO", Buffer.from(tokens.text())),
    element(tagOf(0x00291002), "UN", Buffer.from(tokens.text())),
    element(tagOf(0x00291003), "OB", Buffer.from(tokens.text())),
    sequenceElement(tagOf(0x00291004), [inner]),
    element(tagOf(0x00311001), "PN", Buffer.from(tokens.text())),
    ...safePrivateBlock(tokens),
  ];
}

/** Creators that are safe, with a token in every element they are known for, in its own VR where that can hold text. */
function safePrivateBlock(tokens: Tokens): DataElement[] {
  return Object.entries(SAFE_PRIVATE).flatMap(([creator, list], index) => {
    const block = 0x20 + index;
    const elements = list.split(",").map((entry) => {
      const [key = "", vr = ""] = entry.split(" ");
      const group = Number.parseInt(key.slice(0, 4), 16);
      const tag = tagOf(group * 0x10000 + block * 0x100 + Number.parseInt(key.slice(4), 16));
      if (vr === "SQ") return sequenceElement(tag, [dataSetOf([text(0x00100010, tokens.text())])]);
      return vr === "UI"
        ? element(tag, "UI", Buffer.from(tokens.uid()))
        : element(tag, vr as Vr, Buffer.from(tokens.text()));
    });
    const groups = new Set(elements.map(({ tag }) => tag >>> 16));
    const creators = [...groups].map((group) => element(tagOf(group * 0x10000 + block), "LO", Buffer.from(creator)));
    return [...creators, ...elements.filter(({ vr }) => TEXT_VRS.has(vr) || vr === "UI" || vr === "SQ")];
  });
}

/** A content item of every value type under every concept of PS3.15 Table E.3.4-1, and their like under a concept of no scheme. */
function contentItems(tokens: Tokens): DataSet[] {
  const concepts = [...CONTENT_TABLE.map(({ concept, valueType }) => ({ concept, valueType })), ...STRANGE_ITEMS];
  return concepts.map(({ concept, valueType }) => {
    const [value = "", scheme = ""] = concept.split(" ");
    const name = dataSetOf([text(0x00080100, value), text(0x00080102, scheme), text(0x00080104, tokens.text())]);
    return dataSetOf([
      text(0x0040a010, "CONTAINS"),
      text(0x0040a040, valueType),
      sequenceElement(tagOf(0x0040a043), [name]),
      text(0x0040a123, tokens.text()),
      text(0x0040a160, `Mass of ${tokens.text()} in the lung, Dr ${tokens.text()}`),
      sequenceElement(tagOf(0x0040a168), [
        dataSetOf([text(0x00080100, "39607008"), text(0x00080102, "SCT"), text(0x00080104, tokens.text())]),
      ]),
      sequenceElement(tagOf(0x00081199), [
        dataSetOf([text(0x00081150, SOP_CLASSES.ct), text(0x00081155, tokens.uid())]),
      ]),
      text(0x0040a124, tokens.uid()),
    ]);
  });
}

const STRANGE_ITEMS = ["TEXT", "PNAME", "CODE", "TABLE", "CONTAINER", "UIDREF"].flatMap((valueType) => [
  { concept: "121071 DCM", valueType },
  { concept: "X1 99LOCAL", valueType },
]);

/** What people write on images and beside them. */
function writtenOn(tokens: Tokens): DataElement[] {
  const words = dataSetOf([text(0x00700006, tokens.text())]);
  const graphic = dataSetOf([text(0x00700023, "POINT"), text(0x00700227, tokens.text())]);
  const annotation = dataSetOf([
    text(0x00700002, tokens.text()),
    sequenceElement(tagOf(0x00700008), [words]),
    sequenceElement(tagOf(0x00700009), [graphic]),
  ]);
  const segment = [0x00620005, 0x00620006, 0x00620020].map((tag) => text(tag, `Lung ${tokens.text()}`));
  const roi = [0x30060026, 0x30060028, 0x30060038].map((tag) => text(tag, `PTV_${tokens.text()}`));
  const channel = [0x003a0203, 0x003a020c].map((tag) => text(tag, tokens.text()));
  const described = [0x00081030, 0x0008103e, 0x00181030, 0x00324000, 0x00400254];
  return [
    ...described.map((tag) => text(tag, `CT ${tokens.text()} chest 5 mm`)),
    sequenceElement(tagOf(0x0040a730), contentItems(tokens)),
    sequenceElement(tagOf(0x00400555), contentItems(tokens)),
    sequenceElement(tagOf(0x0040b020), [dataSetOf([text(0x00700006, tokens.text())])]),
    sequenceElement(tagOf(0x00700001), [annotation]),
    sequenceElement(tagOf(0x00700060), [dataSetOf([text(0x00700002, tokens.text()), text(0x00700068, tokens.text())])]),
    sequenceElement(tagOf(0x00620002), [dataSetOf([unsigned(0x00620004, 1), ...segment])]),
    sequenceElement(tagOf(0x30060020), [dataSetOf([text(0x30060022, "1"), ...roi])]),
    sequenceElement(tagOf(0x003a0200), [dataSetOf(channel)]),
    element(tagOf(0x60003000), "OW", Buffer.from(tokens.text())),
    element(tagOf(0x60004000), "LT", Buffer.from(tokens.text())),
    element(tagOf(0x50003000), "OW", Buffer.from(tokens.text())),
  ];
}

function object(sopClassUid: string, modality: string, tokens: Tokens): DataSet {
  const nested = (depth: number): DataElement => {
    let elements = [...everyTextAttribute(tokens, 0x00080000), ...privateBlock(tokens)];
    for (let level = 1; level < depth; level += 1) {
      elements = [sequenceElement(tagOf(0x52009230), [dataSetOf(elements)])];
    }
    return sequenceElement(tagOf(0x52009230), [dataSetOf(elements)]);
  };
  const asUnknown = element(tagOf(0x00104000), "UN", Buffer.from(tokens.text()));
  const lying = element(tagOf(0x00180050), "LO", Buffer.from(tokens.text()));
  const written = writtenOn(tokens);
  const taken = new Set<number>(written.map(({ tag }) => tag));
  return ctImage([
    ...everyTextAttribute(tokens, 0x00080000).filter(({ tag }) => !taken.has(tag)),
    ...privateBlock(tokens),
    ...written,
    asUnknown,
    lying,
    text(0x00080016, sopClassUid),
    text(0x00080060, modality),
    nested(1 + Math.floor(tokens.count / 5000) * 9),
    element(tagOf(0x00080000), "UL", Buffer.from(TEXT_MARK)),
  ]);
}

function expectNoToken(bytes: Buffer): void {
  const wide = Buffer.from(TEXT_MARK, "utf16le");
  for (const needle of [
    Buffer.from(TEXT_MARK),
    wide,
    Buffer.from(wide).swap16(),
    ...UID_MARKS.map((mark) => Buffer.from(mark)),
  ]) {
    const at = bytes.indexOf(needle);
    expect(at < 0 ? "" : bytes.subarray(Math.max(0, at - 12), at + 24).toString("latin1")).toBe("");
  }
}

it.each([
  ["research", "CT", SOP_CLASSES.ct],
  ["research", "MR", SOP_CLASSES.mr],
  ["research", "SR", "1.2.840.10008.5.1.4.1.1.88.33"],
  ["research", "KO", "1.2.840.10008.5.1.4.1.1.88.59"],
  ["research", "PR", "1.2.840.10008.5.1.4.1.1.11.1"],
  ["research", "ECG", "1.2.840.10008.5.1.4.1.1.9.1.1"],
  ["research", "RTSTRUCT", "1.2.840.10008.5.1.4.1.1.481.3"],
  ["research", "SEG", "1.2.840.10008.5.1.4.1.1.66.4"],
  ["basic", "PR", "1.2.840.10008.5.1.4.1.1.11.1"],
  ["basic", "CT", SOP_CLASSES.ct],
  ["pixl", "CT", SOP_CLASSES.ct],
  ["pixl", "SEG", "1.2.840.10008.5.1.4.1.1.66.4"],
])("no token of thousands leaves: %s, %s", async (profile, modality, sopClassUid) => {
  const tokens = createTokens();
  const whole = object(sopClassUid, modality, tokens);
  const dataSet = IMAGES.has(modality) ? whole : without(whole, 0x7fe00010);
  const meta = [0x00020016, 0x00020100, 0x00020102].map((tag) =>
    element(tagOf(tag), lookupElement(tagOf(tag))?.vr as Vr, Buffer.from(tokens.text())),
  );
  const preamble = Buffer.from(tokens.text().repeat(16));
  const input = await part10Bytes(dataSet, { preamble, meta });
  expect(tokens.count).toBeGreaterThan(3000);

  const path = await put(join(folder, "in.dcm"), input);
  const engine = createDeidentifier({
    profile: loadProfile(profile),
    key: projectKeyOf(Buffer.alloc(32, 3)),
    filters: {},
  });
  const outputPath = join(folder, "out.dcm");
  const outcome = await engine.instance(
    { path, outputPath, participantId: undefined, seriesInstanceCount: 1 },
    neverAborted(),
  );
  expect(outcome.kind === "rejected" ? outcome : "").toBe("");
  expect(outcome).toMatchObject({ kind: "deidentified" });
  expectNoToken(await readFile(outputPath));
  if (outcome.kind !== "deidentified") return;
  // What PIXL does not name goes with everything in it.
  const places = profile === "pixl" ? 1 : 2;
  expect(outcome.summary.privateElements.get("(0029,xx01)")).toBe(places);
  expect(outcome.summary.unlisted.size).toBeGreaterThan(500);
  expect(JSON.stringify([...outcome.summary.actions, ...outcome.summary.notes])).not.toContain(TEXT_MARK);
  expect(outcome.summary.actions.get(formatTag(tagOf(0x00100020)))?.pseudonym).toBeGreaterThanOrEqual(places);
  if (profile !== "research") return;
  expect(outcome.summary.actions.get("(0008,1030)")?.cleaned).toBeGreaterThan(0);
  expect(outcome.summary.actions.get("(0099,xx02)")?.uid).toBeGreaterThan(0);
  if (modality === "SR") expect((await readFile(outputPath)).includes("Mass of")).toBe(true);
});

/** A loss to research, where it is not whole. */
const KEPT: ReadonlySet<Category> = new Set<Category>([
  "tag retained",
  "text not null",
  "text retained",
  "uid consistent",
  "patient id consistent",
  "pixels retained",
]);

/** Each attribute is in objects of its own modality, and what describes them is in no list of identifiers. */
describe("studies of every modality", () => {
  /** Free text of any spelling, though the option allows it: the profile's own decision. */
  const ETHNIC_GROUP = "(0010,2160)";
  let set: PlantedSet;
  let run: PlantedRun;
  let scored: Score;
  let place = "";
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "planted-"));
    set = await plantedSet({ seed: 31, patients: 4, visitsPerPatient: 2 });
    run = await deidentifyPlanted(set, place, await researchWithMasks(join(place, "profile")));
    scored = await score(set, run.outputs);
  }, 60_000);
  afterAll(() => rm(place, { recursive: true }));

  it("hold thousands of identifiers, in all places where identifiers hide", () => {
    expect(set.tokens.length).toBeGreaterThan(3000);
    expect([...byPlace(set.tokens).values()].filter((count) => count < 4)).toEqual([]);
    expect(byPlace(set.tokens).size).toBe(16);
    expect(new Set(set.files.map(({ modality }) => modality))).toEqual(new Set(Object.keys(MUST_STAY)));
  });

  it("all leave, without one identifier in any byte in any encoding", () => {
    expect(run.result).toMatchObject({ failures: [], exclusions: {}, instances: { delivered: set.files.length } });
    expect([...scored.leaked].map(({ text: token, place: from }) => `${token} ${from}`)).toEqual([]);
  });

  it("are scored without a miss, but for what the profile decides otherwise", () => {
    const misses = scored.misses.filter(({ path }) => path !== ETHNIC_GROUP);
    expect(misses.map(({ modality, category, path }) => `${modality} ${category} ${path}`)).toEqual([]);
    expect(scored.misses.length).toBeLessThan(10);
  });

  it.each(MODALITIES.map(({ name }) => name))("keep what research needs of %s", (modality) => {
    const planted = set.files.filter((file) => file.modality === modality).flatMap(({ actions }) => actions);
    const asked = planted.filter(({ category }) => KEPT.has(category));
    const kept = new Set(asked.flatMap(({ path }) => path.map(({ tag }) => lookupElement(tag)?.keyword ?? "")));
    const needed = `${ALL_MUST_KEEP} ${MUST_STAY[modality] ?? ""}`.split(" ");
    expect(needed.filter((keyword) => !kept.has(keyword))).toEqual([]);
    const counts = scored.modalities.get(modality);
    for (const category of KEPT) {
      const { points = 0, of = 0 } = counts?.get(category) ?? {};
      const decided = category === "text retained" && modality === "MR" ? planted.filter(isEthnicGroup).length : 0;
      expect(`${category} ${points}`).toBe(`${category} ${of - decided}`);
    }
    expect(asked.length).toBeGreaterThan(60);
  });

  const isEthnicGroup = ({ path }: PlantedSet["files"][number]["actions"][number]): boolean =>
    path.map(({ tag }) => formatTag(tag)).join() === ETHNIC_GROUP;

  it.skipIf(!requirePeer("dciodvfy"))(
    "have no error of dciodvfy that they came without, masked ones included",
    async () => {
      const found: string[] = [];
      for (const [modality, { name }] of new Map(set.files.map((file) => [file.modality, file]))) {
        const added = await newDciodvfyErrors(join(place, "in", name), run.outputs.paths.get(name) ?? "");
        found.push(...added.map((error) => `${modality}: ${error}`));
      }
      expect(found).toEqual([]);
    },
    60_000,
  );
});
