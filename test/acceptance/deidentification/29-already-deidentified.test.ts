import { describe, expect, it } from "vitest";
import { loadProfile } from "../../../src/deid/profiles/load-profile.ts";
import { text } from "../../../src/deid/testing/objects.ts";
import { code } from "../../../src/deid/testing/reports.ts";
import type { DataSet } from "../../../src/dicom/data-set.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { itemsOf, sequenceElement, textOf, textsOf } from "../../../src/dicom/values.ts";
import { deidentified, deidentifiedFiles, slice, studyIdentity } from "./support/studies.ts";
import { createTokens } from "./support/tokens.ts";
import { tracesOf } from "./support/traces.ts";

const METHOD = tagOf(0x00120063);
const METHOD_CODES = tagOf(0x00120064);

const codesOf = (dataSet: DataSet): string[] =>
  itemsOf(dataSet, METHOD_CODES).map((item) =>
    [0x00080100, 0x00080102].map((tag) => textOf(item.dataSet, tagOf(tag)) ?? "").join(" "),
  );

describe("given an object that says it is de-identified, by a method and codes of its own", async () => {
  const tokens = createTokens(29);
  const claims = [
    text(0x00120062, "YES"),
    text(0x00120063, `${tokens.text()}\\by ${tokens.text()}`),
    sequenceElement(METHOD_CODES, [code("113100 DCM"), code("113106 DCM"), code("113100 DCM"), code("X1 99LOCAL")]),
    text(0x00280303, "UNMODIFIED"),
  ];
  const source = slice(studyIdentity(tokens), 1, tokens, claims);
  const [first] = (await deidentified([source], { profile: "basic" })).files;
  const output = first?.dataSet ?? new Map();

  it("when it is de-identified, then no identifier is left", () => {
    expect(first === undefined ? ["nothing"] : tracesOf(first.bytes, tokens.marks)).toEqual([]);
  });

  it("then the method is one value: program, version, profile and hash", () => {
    const { hash } = loadProfile("basic");
    expect(textsOf(output, METHOD)).toEqual([
      expect.stringMatching(new RegExp(`^\\S+ \\S+ profile basic ${hash.slice(0, 12)}$`)),
    ]);
    expect(textOf(output, tagOf(0x00120062))).toBe("YES");
    expect(textOf(output, tagOf(0x00280303))).toBe("REMOVED");
  });

  it("then the codes are those of what was done, each once", () => {
    expect(codesOf(output)).toEqual(["113100 DCM"]);
  });

  it("when the output goes through another project, then its codes and method are replaced again", async () => {
    const [again] = (
      await deidentifiedFiles(new Map([["again", first?.bytes ?? Buffer.alloc(0)]]), {
        profile: "research",
        keyByte: 2,
      })
    ).files;
    const codes = codesOf(again?.dataSet ?? new Map());
    expect(codes[0]).toBe("113100 DCM");
    expect(new Set(codes).size).toBe(codes.length);
    expect(textsOf(again?.dataSet ?? new Map(), METHOD)).toEqual([expect.stringContaining("profile research")]);
  });
});
