import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeText, decodeWithProblem, type TextProblem } from "./character-sets.ts";
import { encodeText } from "./character-sets-encode.ts";
import { CHARACTER_SETS, declaredSets } from "./character-sets-table.ts";
import {
  bytesOf,
  hex,
  TEXT_EXAMPLES,
  TO_ASCII,
  TO_CYRILLIC,
  TO_KANJI,
  TO_KATAKANA,
  TO_KOREAN,
  TO_LATIN_9,
} from "./testing/text-examples.ts";
import type { Vr } from "./vr.ts";

describe("text", () => {
  it.each(TEXT_EXAMPLES)("of $of", ({ characterSet, vr = "PN", bytes, text }) => {
    expect(decodeWithProblem(bytes, vr, characterSet)).toEqual({ text });
    expect(declaredSets(characterSet).isSound).toBe(true);
  });

  it.each([
    ["LF", "0a"],
    ["FF", "0c"],
    ["CR", "0d"],
    ["TAB", "09"],
  ])("goes back to the first set behind %s", (_name, control) => {
    const bytes = bytesOf(TO_CYRILLIC, hex(`bb ${control} c4`));
    const text = `Л${String.fromCharCode(Number.parseInt(control, 16))}Ä`;
    expect(decodeText(bytes, "LT", "ISO 2022 IR 100\\ISO 2022 IR 144")).toBe(text);
  });

  it.each<[Vr, string]>([
    ["PN", "^="],
    ["LO", "\\"],
  ])("goes back to the first set behind the delimiters of %s, and of no other VR", (vr, delimiters) => {
    for (const delimiter of "\\^=") {
      const isReset = delimiters.includes(delimiter) || delimiter === "\\";
      const bytes = bytesOf(TO_CYRILLIC, hex("bb"), delimiter, hex("c4"));
      expect(decodeText(bytes, vr, "ISO 2022 IR 100\\ISO 2022 IR 144")).toBe(`Л${delimiter}${isReset ? "Ä" : "Ф"}`);
    }
  });
});

describe("text that is not as (0008,0005) says", () => {
  it.each<[string, string | undefined, Uint8Array, string, TextProblem | undefined]>([
    ["an unknown term", "KLINGON", bytesOf("A", hex("e9")), "Aé", "TEXT_UNDECLARED"],
    ["an unknown term besides a known one", "ISO_IR 144\\KLINGON", bytesOf(hex("bb")), "Л", undefined],
    ["kanji first", "ISO 2022 IR 87", bytesOf("Yamada=", TO_KANJI, hex("3b33"), TO_ASCII), "Yamada=山", undefined],
    [
      "a set that only has escape sequences",
      "ISO_IR 87",
      bytesOf("Y=", TO_KANJI, hex("3b33"), TO_ASCII),
      "Y=山",
      undefined,
    ],
    ["Korean first, not designated", "ISO 2022 IR 149", bytesOf("Hong=", hex("fbf3")), "Hong=洪", undefined],
    ["UTF-8 with a second value", "ISO_IR 192\\ISO 2022 IR 87", bytesOf(hex("c3a9")), "é", undefined],
    [
      "an undeclared escape sequence",
      "ISO_IR 100",
      bytesOf(TO_KANJI, hex("3b33"), TO_ASCII, hex("e9")),
      "山é",
      "TEXT_UNDECLARED",
    ],
    ["escape sequences without any set", undefined, bytesOf(TO_KANJI, hex("3b33"), TO_ASCII), "山", "TEXT_UNDECLARED"],
    ["UTF-8 without any set", undefined, bytesOf(hex("c3a9")), "é", "TEXT_UNDECLARED"],
    ["Latin-1 without any set", "", bytesOf(hex("e9")), "é", "TEXT_UNDECLARED"],
    ["Latin-1 in the default repertoire", "ISO_IR 6", bytesOf(hex("e9")), "é", "TEXT_UNDECODABLE"],
    [
      "Latin-1 declared as UTF-8",
      "ISO_IR 192",
      bytesOf("J", hex("e9"), "r", hex("f4"), "me"),
      "Jérôme",
      "TEXT_UNDECODABLE",
    ],
    ["UTF-8 cut within a character", "ISO_IR 192", bytesOf(hex("e78e8b e5b0"), " "), "王å° ", "TEXT_UNDECODABLE"],
    ["kanji cut within a character", "\\ISO 2022 IR 87", bytesOf(TO_KANJI, hex("3b33 45")), "山E", "TEXT_UNDECODABLE"],
    [
      "kanji cut within an escape sequence",
      "\\ISO 2022 IR 87",
      bytesOf(TO_KANJI, hex("3b33 1b 28")),
      "山\x1b(",
      "TEXT_UNDECODABLE",
    ],
    [
      "an escape sequence of no set",
      "\\ISO 2022 IR 87",
      bytesOf(hex("1b 7a 7a"), "abcdef"),
      "\x1bzzabcdef",
      "TEXT_UNDECODABLE",
    ],
    ["Shift-JIS where kanji need an escape", "\\ISO 2022 IR 87", bytesOf(hex("8e52")), "\x8eR", "TEXT_UNDECODABLE"],
    ["a code of no character", "ISO_IR 138", bytesOf(hex("f9 bf f8")), "ש¿ø", "TEXT_UNDECODABLE"],
  ])("is shown, and flagged where it is wrong: %s", (_what, characterSet, bytes, text, problem) => {
    expect(decodeWithProblem(bytes, "PN", characterSet)).toEqual(problem === undefined ? { text } : { text, problem });
  });

  it.each([
    ["KLINGON", false],
    ["ISO-IR 100", false],
    ["ISO_IR_192", false],
    ["ISO 2022 IR 192", false],
    ["gbk", false],
    ["ISO_IR 100\\ISO 2022 IR 87", false],
    ["ISO 2022 IR 87", false],
    ["ISO_IR 192\\ISO 2022 IR 87", false],
    ["ISO 2022 IR 6\\ISO_IR 192", false],
    ["ISO 2022 IR 6\\ISO 2022 IR 87\\ISO 2022 IR 159", true],
    ["ISO 2022 IR 100", true],
    ["ISO_IR 100 ", true],
    ["", true],
    [undefined, true],
  ])("a declaration is looked at by itself: %s", (characterSet, isSound) => {
    expect(declaredSets(characterSet).isSound).toBe(isSound);
  });

  it("never throws, and says so whenever what it shows is not the text", () => {
    const terms = CHARACTER_SETS.flatMap(({ term, extensionTerm }) => [term ?? "", extensionTerm ?? ""]);
    const anyTerms = fc.array(fc.oneof(fc.constantFrom(...terms), fc.string()), { maxLength: 4 });
    const escapes = fc.constantFrom(TO_KANJI, TO_KOREAN, TO_LATIN_9, TO_KATAKANA, TO_ASCII, hex("1b"), hex("1b 24"));
    const pieces = fc.array(
      fc.oneof(
        escapes,
        fc.string(),
        fc.uint8Array().map((bytes) => hex(Buffer.from(bytes).toString("hex"))),
      ),
    );
    fc.assert(
      fc.property(anyTerms, pieces, fc.constantFrom<Vr>("PN", "LT", "LO", "CS"), (named, fields, vr) => {
        const { text, problem } = decodeWithProblem(bytesOf(...fields), vr, named.join("\\"));
        if (text.includes("\ufffd")) expect(named).toContain("ISO_IR 192");
        const { first } = declaredSets(named.join("\\"));
        const isAlone = first !== undefined && first.extensionTerm === undefined;
        if (text.includes("\x1b") && vr !== "CS" && !isAlone) expect(problem).toBeDefined();
      }),
    );
  });

  it("an escape is a character like others where no set knows code extensions", () => {
    const bytes = bytesOf(hex("c3a9"), TO_KANJI);
    expect(decodeWithProblem(bytes, "PN", "ISO_IR 192")).toEqual({ text: "é\x1b$B" });
    expect(encodeText("é\x1b$B", "PN", "ISO_IR 192")).toEqual(bytes);
  });

  it("a byte order mark stays", () => {
    expect(decodeText(bytesOf(hex("efbbbf"), "A"), "PN", "ISO_IR 192")).toBe("\ufeffA");
  });
});

describe("text to be written", () => {
  it.each(
    TEXT_EXAMPLES.filter(
      ({ characterSet }) => declaredSets(characterSet).first?.encoding !== undefined && !characterSet.includes("\\"),
    ),
  )("has the bytes it was read from: $of", ({ characterSet, vr = "PN", bytes, text }) => {
    expect(Buffer.from(encodeText(text, vr, characterSet) ?? [])).toEqual(bytes);
  });

  it("is UTF-8 where that is declared", () => {
    expect(encodeText("王", "PN", "ISO_IR 192")).toEqual(Buffer.from("王"));
  });

  it.each<[string, Vr, string | undefined]>([
    ["王", "PN", "ISO_IR 100"],
    ["王", "PN", "\\ISO 2022 IR 58"],
    ["王", "PN", "GB18030"],
    ["é", "PN", undefined],
    ["é", "PN", "ISO_IR 6"],
    ["王", "CS", "ISO_IR 192"],
    ["a~b", "LO", "ISO_IR 13"],
    ["a¥b", "LO", "ISO_IR 13"],
  ])("has none where the set cannot say it: %s as %s in %s", (text, vr, characterSet) => {
    expect(encodeText(text, vr, characterSet)).toBeUndefined();
  });

  it("reads as it was written, in every set", () => {
    const sets = fc.constantFrom(...CHARACTER_SETS.flatMap(({ term, extensionTerm }) => term ?? `\\${extensionTerm}`));
    fc.assert(
      fc.property(sets, fc.string({ unit: "grapheme" }), fc.constantFrom<Vr>("PN", "LT", "LO"), (set, text, vr) => {
        const bytes = encodeText(text, vr, set);
        if (bytes !== undefined) expect(decodeWithProblem(bytes, vr, set)).toEqual({ text });
        else expect(set === "ISO_IR 192" && text.isWellFormed()).toBe(false);
      }),
    );
  });
});
