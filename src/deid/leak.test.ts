import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
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
import { ctImage, part10Bytes, put, SOP_CLASSES, text } from "./testing/objects.ts";

/** Every token of a text begins with this, every token of a UID with that; nothing else of the objects does. */
const TEXT_MARK = "ZQJX";
const UID_MARK = "1.2.826.0.1.3680043.9.987654";
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
      return `${UID_MARK}.${this.count}`;
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
  return ctImage([
    ...everyTextAttribute(tokens, 0x00080000),
    ...privateBlock(tokens),
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
  for (const needle of [Buffer.from(TEXT_MARK), wide, Buffer.from(wide).swap16(), Buffer.from(UID_MARK)]) {
    const at = bytes.indexOf(needle);
    expect(at < 0 ? "" : bytes.subarray(Math.max(0, at - 12), at + 24).toString("latin1")).toBe("");
  }
}

it.each([
  ["research", "CT", SOP_CLASSES.ct],
  ["research", "MR", SOP_CLASSES.mr],
  ["basic", "CT", SOP_CLASSES.ct],
])("no token of thousands leaves: %s, %s", async (profile, modality, sopClassUid) => {
  const tokens = createTokens();
  const dataSet = object(sopClassUid, modality, tokens);
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
  expect(outcome.summary.privateElements.get("(0029,xx01)")).toBe(2);
  expect(outcome.summary.unlisted.size).toBeGreaterThan(500);
  expect(JSON.stringify([...outcome.summary.actions, ...outcome.summary.notes])).not.toContain(TEXT_MARK);
  expect(outcome.summary.actions.get(formatTag(tagOf(0x00100020)))?.pseudonym).toBe(2);
});
