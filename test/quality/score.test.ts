import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { editPart10File } from "../../src/dicom/edit.ts";
import { bytesSource, readPart10 } from "../../src/dicom/reader.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { textElement } from "../../src/dicom/values.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import type { Category } from "./fields.ts";
import { type PlantedSet, plantedSet } from "./planted-set.ts";
import { writePlanted } from "./radferry.ts";
import { percent, type Score, score } from "./score.ts";
import { createTokenSearch } from "./token-search.ts";
import { createTokens, FOREIGN_SETS } from "./tokens.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let set: PlantedSet;
let paths: ReadonlyMap<string, string>;
beforeAll(async () => {
  folder = await temporaryFolder();
  set = await plantedSet({ seed: 2, patients: 2, visitsPerPatient: 2 });
  const input = await writePlanted(set, join(folder.path, "in"));
  paths = new Map(set.files.map(({ name }) => [name, join(input, name)]));
});
afterAll(() => folder[Symbol.asyncDispose]());

const share = ({ categories }: Score, category: Category): number =>
  percent(categories.get(category) ?? { points: 0, of: 1 });

it("makes the same set from the same seed, and shares no identifier with another", async () => {
  const plan = { seed: 3, patients: 1, visitsPerPatient: 1 };
  const [first, again, other] = [
    await plantedSet(plan),
    await plantedSet(plan),
    await plantedSet({ ...plan, seed: 4 }),
  ];
  expect(again.files).toEqual(first.files);
  const texts = new Set(first.tokens.map(({ text }) => text));
  expect(other.tokens.filter(({ text }) => texts.has(text))).toEqual([]);
});

it("writes files that read back", async () => {
  for (const { bytes, name } of set.files) {
    const { findings, dataSet } = await readPart10(bytesSource(bytes));
    expect(findings.map(({ code }) => `${name} ${code}`)).toEqual([]);
    expect(dataSet.size).toBeGreaterThan(60);
  }
});

describe("what was not de-identified at all", () => {
  it("keeps everything and leaks every token", async () => {
    const scored = await score(set, { paths });
    expect(scored.leaked.size).toBe(set.tokens.length);
    for (const category of ["tag retained", "text not null", "text retained", "pixels retained"] as const)
      expect(`${category} ${share(scored, category)}`).toBe(`${category} 100`);
    for (const category of [
      "uid changed",
      "uid consistent",
      "date shifted",
      "patient id consistent",
      "pixels hidden",
    ] as const)
      expect(`${category} ${share(scored, category)}`).toBe(`${category} 0`);
    // Nothing to find where a text stands in an encoding of its own, or is read to its first NUL.
    expect(share(scored, "text removed")).toBeLessThan(5);
  });
});

describe("what did not come out", () => {
  it("passes removals, fails the rest, leaks nothing", async () => {
    const scored = await score(set, { paths: new Map() });
    expect(scored).toMatchObject({ leaked: new Set(), misses: [], files: { points: 0 } });
    for (const category of ["text removed", "uid changed", "date shifted", "pixels hidden"] as const)
      expect(share(scored, category)).toBe(100);
    for (const category of [
      "text retained",
      "tag retained",
      "uid consistent",
      "patient id consistent",
      "pixels retained",
    ] as const)
      expect(share(scored, category)).toBe(0);
  });
});

describe("one thing of one object", () => {
  const CT_KVP = tagOf(0x00180060);
  /** The first CT image, changed. */
  async function scoreOfChanged(change: Parameters<typeof editPart10File>[2]): Promise<Score> {
    const [file] = set.files.filter(({ modality }) => modality === "CT");
    const name = file?.name ?? "";
    const changed = join(folder.path, name);
    await editPart10File(paths.get(name) ?? "", changed, change);
    return score(set, { paths: new Map([...paths, [name, changed]]) });
  }
  const missed = (scored: Score, category: Category): readonly string[] =>
    scored.misses.filter((miss) => miss.category === category).map(({ modality, path }) => `${modality} ${path}`);

  it("that is lost is one point lost, and named", async () => {
    const scored = await scoreOfChanged(() => ({ dataSet: new Map([[CT_KVP, undefined]]) }));
    expect(missed(scored, "text retained")).toEqual(["CT (0018,0060)"]);
  });

  it("that is another value is lost too", async () => {
    const scored = await scoreOfChanged(() => ({ dataSet: new Map([[CT_KVP, textElement(CT_KVP, "140")]]) }));
    expect(missed(scored, "text retained")).toEqual(["CT (0018,0060)"]);
  });
});

it.each([
  ["as it is, in the midst of other text", (word: string) => Buffer.from(`a${word}b`)],
  ["in UTF-16, little endian", (word: string) => Buffer.from(word, "utf16le")],
  ["in UTF-16, big endian", (word: string) => Buffer.from(word, "utf16le").swap16()],
  ["with its bytes swapped, from an even place", (word: string) => Buffer.from(word).swap16()],
  ["with its bytes swapped, from an odd place", (word: string) => Buffer.from(`x${word}y`).swap16()],
])("finds a word %s", (_how, spelt) => {
  const token = set.tokens.find(({ text }) => /^[A-Z]{10}$/.test(text));
  const bytes = Buffer.concat([Buffer.from("\0\x01 "), spelt(token?.text ?? ""), Buffer.from("\0")]);
  expect([...createTokenSearch(set.tokens).foundIn(bytes)]).toEqual([token]);
});

it.each(FOREIGN_SETS)("finds a word of %s in its bytes, in UTF-8 and in UTF-16", (characterSet) => {
  const tokens = createTokens(1);
  const { text, bytes } = tokens.foreign(characterSet);
  const search = createTokenSearch(tokens.all);
  for (const spelt of [bytes, Buffer.from(text), Buffer.from(text, "utf16le")])
    expect(search.foundIn(Buffer.concat([Buffer.from("ab"), spelt])).size).toBe(1);
});
