import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { maskDocument, masksOf } from "./mask-document.ts";

const MASKS = `
masks:
  - name: sonograph-7
    when: {sop_class: 1.2.840.10008.5.1.4.1.1.6.1, manufacturer: /^acme/i, model: Sonograph 7, rows: 768, columns: 1024, regions: 1}
    rectangles: [[0, 0, 1024, 60], [900, 60, 124, 40]]
  - name: any-sonograph
    when: {model: /sonograph/i, rows: 768, columns: 1024, transfer_syntax: [1.2.840.10008.1.2.1, 1.2.840.10008.1.2.5]}
    outside: regions
`;

describe("a mask file", () => {
  it("as the documentation has it can be used", () => {
    const page = readFileSync(new URL("../../../docs/profiles.md", import.meta.url), "utf8");
    const [, written = ""] = /```yaml\n(masks:.*?)```/s.exec(page) ?? [];
    expect(masksOf(maskDocument.parse(parse(written))).map(({ name }) => name)).toEqual([
      "sonograph-7",
      "other-sonographs",
    ]);
  });

  it("names devices and what is blackened in their images", () => {
    const [first, second] = masksOf(maskDocument.parse(parse(MASKS)));
    expect(first).toMatchObject({
      name: "sonograph-7",
      when: { rows: 768, columns: 1024, regionCount: 1, sopClassUids: ["1.2.840.10008.5.1.4.1.1.6.1"] },
      area: { kind: "rectangles" },
    });
    expect(first?.area).toMatchObject({
      rectangles: [
        { x: 0, y: 0, width: 1024, height: 60 },
        { x: 900, y: 60, width: 124, height: 40 },
      ],
    });
    expect(second?.area).toEqual({ kind: "outside-regions" });
    expect(second?.when.transferSyntaxUids).toHaveLength(2);
  });

  it("looks for patterns, and compares other texts whole", () => {
    const when = masksOf(maskDocument.parse(parse(MASKS)))[0]?.when;
    expect(["ACME Medical", "New Acme"].map((text) => when?.manufacturer?.test(text))).toEqual([true, false]);
    expect(["sonograph 7 ", "Sonograph 70"].map((text) => when?.model?.test(text))).toEqual([true, false]);
  });

  it.each([
    ["no size", { when: { model: "x", rows: 768 } }],
    ["no device", { when: { rows: 768, columns: 1024 } }],
    ["a key nobody knows", { when: { model: "x", rows: 768, columns: 1024, colour: "red" } }],
    ["a pattern that takes its time", { when: { model: "/(a+)+\\1$/", rows: 768, columns: 1024 } }],
    ["a rectangle without width", { rectangles: [[0, 0, 0, 60]] }],
    ["a rectangle of three numbers", { rectangles: [[0, 0, 60]] }],
    ["no area", { rectangles: undefined }],
    ["two areas", { outside: "regions" }],
    ["a name for people", { name: "Sonograph 7" }],
  ])("is refused with %s", (_name, change) => {
    const sound = { name: "m", when: { model: "x", rows: 768, columns: 1024 }, rectangles: [[0, 0, 9, 9]] };
    expect(maskDocument.safeParse({ masks: [sound] }).success).toBe(true);
    expect(maskDocument.safeParse({ masks: [{ ...sound, ...change }] }).success).toBe(false);
  });
});
