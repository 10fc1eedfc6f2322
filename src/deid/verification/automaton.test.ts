import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildAutomaton } from "./automaton.ts";

const all = (): boolean => true;

function found(patterns: readonly string[], text: Buffer | string): string | undefined {
  const automaton = buildAutomaton(patterns.map((pattern) => Buffer.from(pattern)));
  const index = automaton.find(Buffer.from(text), automaton.start(), all);
  return index === undefined ? undefined : patterns[index];
}

describe("finds a pattern", () => {
  const wide = Buffer.from("x Brandybuck", "utf16le");
  it.each<[string, Buffer | string]>([
    ["at the start", "brandybuck of"],
    ["at the end", "xbrandybuck"],
    ["in upper case", "xBRANDYBUCK "],
    ["behind a part of itself", "brandbrandybuck"],
    ["in UTF-16, little end first", wide],
    ["in UTF-16, big end first", Buffer.from(wide).swap16()],
    ["in UTF-32", Buffer.concat([...Buffer.from("brandybuck")].map((byte) => Buffer.from([byte, 0, 0, 0])))],
    ["with exchanged bytes", Buffer.from("xxbrandybuck").swap16()],
    ["with exchanged bytes, from the middle of a word", Buffer.from("xbrandybuckx").swap16()],
  ])("%s", (_name, text) => {
    expect(found(["meriadoc", "brandybuck"], text)).toBe("brandybuck");
  });

  it("that ends another one, and one that another one begins with", () => {
    expect(found(["brandybuck", "buckland", "dyb"], "brandybuc")).toBe("dyb");
    expect(found(["brandybuck", "buckland"], "brandybuckland")).toBe("brandybuck");
    expect(found(["brandybucks", "buckland"], "brandybuckland")).toBe("buckland");
  });

  it("that another one hides, when that one does not count", () => {
    const automaton = buildAutomaton([Buffer.from("brandybuck"), Buffer.from("buck")]);
    expect(automaton.find(Buffer.from("brandybuck"), automaton.start(), (pattern) => pattern === 1)).toBe(1);
  });

  it("across pieces", () => {
    const automaton = buildAutomaton([Buffer.from("brandybuck")]);
    const position = automaton.start();
    expect(automaton.find(Buffer.from("xxbrandy"), position, all)).toBeUndefined();
    expect(automaton.find(Buffer.from("buck"), position, all)).toBe(0);
  });
});

it("finds what indexOf finds, and nothing else", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 3, maxLength: 6 });
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "d"), maxLength: 60 });
  fc.assert(
    fc.property(fc.uniqueArray(word, { maxLength: 30 }), text, (words, haystack) => {
      const automaton = buildAutomaton(words.map((each) => Buffer.from(each)));
      const index = automaton.find(Buffer.from(haystack), automaton.start(), all, "straight");
      expect(index !== undefined).toBe(words.some((each) => haystack.includes(each)));
      if (index !== undefined) expect(haystack).toContain(words[index]);
    }),
    { numRuns: 300 },
  );
});

it("refuses more than it can hold", () => {
  const many = Array.from({ length: 40_000 }, (_, index) => Buffer.from(`${index}-`.repeat(6)));
  expect(() => buildAutomaton(many)).toThrow(RangeError);
  expect(() => buildAutomaton([Buffer.from("ab")])).toThrow(RangeError);
});
