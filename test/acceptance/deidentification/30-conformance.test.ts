import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { GENERATED_PAGES } from "../../../scripts/generated-pages.ts";
import { PIXEL_CLASSES } from "../../../src/deid/pixels/sop-classes.ts";
import { loadProfileDocument } from "../../../src/deid/profiles/load-profile.ts";
import { OPTIONS, SUPPORTED_OPTIONS } from "../../../src/deid/profiles/options.ts";
import { vocabularyOf } from "../../../src/deid/rules/clean-text.ts";
import { DUMMIES, DUMMY_CODE } from "../../../src/deid/tables/dummies.ts";
import { SAFE_PRIVATE } from "../../../src/deid/tables/safe-private.generated.ts";

const PATH = "docs/conformance.md";

describe("given the conformance statement", async () => {
  const page = await readFile(new URL(`../../../${PATH}`, import.meta.url), "utf8");
  const section = page.slice(page.indexOf("### 10.4 De-identification"), page.indexOf("## 11."));
  const rows = section.split("\n").filter((line) => line.startsWith("| "));
  const rowWith = (...cells: readonly string[]): string | undefined =>
    rows.find((row) => cells.every((cell) => row.split(" | ").some((each) => each.includes(cell))));

  it("when it is generated anew from the tables of the engine, then it is the same", () => {
    expect(GENERATED_PAGES[PATH]?.()).toBe(page);
  });

  it("then it lists every option with its code, and says which are carried out", () => {
    for (const [name, { code, meaning }] of Object.entries(OPTIONS)) {
      const isCarriedOut = [...SUPPORTED_OPTIONS].some((option) => option === name);
      expect(rowWith(meaning, code, isCarriedOut ? "yes" : "refused"), name).toBeDefined();
    }
  });

  it("then it lists the dummy of every VR", () => {
    for (const [vr, value] of Object.entries(DUMMIES)) expect(rowWith(vr, `\`${value}\``), vr).toBeDefined();
    expect(section).toContain(`(${DUMMY_CODE.value}, ${DUMMY_CODE.scheme}, "${DUMMY_CODE.meaning}")`);
  });

  it("then it tells the manner of cleaning: languages, count and hash of the vocabulary", () => {
    const { words, hash } = vocabularyOf();
    for (const told of ["English", String(words.size), hash]) expect(rowWith(told), told).toBeDefined();
  });

  it("then it lists the private elements by creator, and where the list is from", () => {
    for (const [creator, list] of Object.entries(SAFE_PRIVATE)) {
      expect(rowWith(creator, String(list.split(",").length)), creator).toBeDefined();
    }
    expect(rowWith("data/deid-safe-private.tsv", "Table E.3.10-1")).toBeDefined();
  });

  it("then it tells the scope of UIDs, the groups of pixels, and the shipped profiles with their options", () => {
    expect(section).toContain("1.2.840.10008");
    for (const { group } of PIXEL_CLASSES.values()) expect(rowWith(group), group).toBeDefined();
    for (const name of ["basic", "research", "pixl"]) {
      const { options } = loadProfileDocument(name);
      expect(rowWith(`\`${name}\``, options.join(", ")), name).toBeDefined();
    }
  });
});
