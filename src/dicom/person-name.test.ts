import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatPersonName,
  joinNameGroups,
  type NameComponents,
  parsePersonName,
  splitNameGroups,
} from "./person-name.ts";

const NONE: NameComponents = { familyName: "", givenName: "", middleName: "", prefix: "", suffix: "" };

// PS3.5 6.2.1.1 and its examples.
interface Example {
  readonly text: string;
  readonly alphabetic?: Partial<NameComponents>;
  readonly ideographic?: Partial<NameComponents>;
  readonly phonetic?: Partial<NameComponents>;
}

// PS3.5 6.2.1.1 and its examples.
const EXAMPLES: readonly Example[] = [
  {
    text: "Adams^John Robert Quincy^^Rev.^B.A. M.Div.",
    alphabetic: { familyName: "Adams", givenName: "John Robert Quincy", prefix: "Rev.", suffix: "B.A. M.Div." },
  },
  {
    text: "Morrison-Jones^Susan^^^Ph.D., Chief Executive Officer",
    alphabetic: { familyName: "Morrison-Jones", givenName: "Susan", suffix: "Ph.D., Chief Executive Officer" },
  },
  { text: "Doe^John", alphabetic: { familyName: "Doe", givenName: "John" } },
  {
    text: "Yamada^Tarou=山田^太郎=やまだ^たろう",
    alphabetic: { familyName: "Yamada", givenName: "Tarou" },
    ideographic: { familyName: "山田", givenName: "太郎" },
    phonetic: { familyName: "やまだ", givenName: "たろう" },
  },
  { text: "=山田^太郎", ideographic: { familyName: "山田", givenName: "太郎" } },
  { text: "Hong==홍", alphabetic: { familyName: "Hong" }, phonetic: { familyName: "홍" } },
  { text: "" },
  {
    text: "A^B^C^D^E^F",
    alphabetic: { familyName: "A", givenName: "B", middleName: "C", prefix: "D", suffix: "E^F" },
  },
  {
    text: "A=B=C=D",
    alphabetic: { familyName: "A" },
    ideographic: { familyName: "B" },
    phonetic: { familyName: "C=D" },
  },
];

describe("a person name", () => {
  it.each(EXAMPLES)("is three groups of five components: $text", ({ text, alphabetic, ideographic, phonetic }) => {
    const name = parsePersonName(text);
    expect(name).toEqual({
      alphabetic: { ...NONE, ...alphabetic },
      ideographic: { ...NONE, ...ideographic },
      phonetic: { ...NONE, ...phonetic },
    });
    expect(formatPersonName(name)).toBe(text);
  });

  it("is written without delimiters that say nothing, and without the blanks round components", () => {
    expect(formatPersonName(parsePersonName("Doe ^ John^^^="))).toBe("Doe^John");
  });

  it("keeps all else, as groups and as components", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("A", "山", "^", "=", ".") }), (text) => {
        expect(joinNameGroups(splitNameGroups(text))).toBe(text.replace(/=+$/, ""));
        const formatted = formatPersonName(parsePersonName(text));
        expect(formatted.replace(/[\^=]/g, "")).toBe(text.replace(/[\^=]/g, ""));
      }),
    );
  });
});
