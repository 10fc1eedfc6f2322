import { describe, expect, it } from "vitest";
import { tagOf } from "../tag.ts";
import { isUid } from "../uid.ts";
import { lookupElement, tagOfKeyword, vrOf } from "./dictionary.ts";
import { isStorageSopClass, storageSopClasses } from "./sop-classes.ts";
import { tags } from "./tags.ts";
import { transferSyntaxes } from "./transfer-syntaxes.ts";

describe("the dictionary", () => {
  it.each([
    [0x00100010, "PatientName", "PN", "1"],
    [0x00080008, "ImageType", "CS", "2-n"],
    [0x60023000, "OverlayData", "OB or OW", "1"],
    [0x50042000, "AudioType", "US", "1"],
    [0x00203105, "SourceImageIDs", "CS", "1-n"],
    [0x00280412, "CoefficientCoding", "LO", "1-n"],
  ])("knows %s", (tag, keyword, vr, vm) => {
    expect(lookupElement(tagOf(tag))).toEqual({ keyword, vr, vm });
  });

  it("knows no private element", () => {
    expect(lookupElement(tagOf(0x00090010))).toBeUndefined();
  });

  it("agrees with every tag that code speaks of", () => {
    for (const [keyword, tag] of Object.entries(tags)) expect(tagOfKeyword(keyword), keyword).toBe(tag);
  });
});

describe("the VR an element has where the file does not say", () => {
  it.each([
    [0x00100010, {}, "PN"],
    [0x00280106, {}, "US"],
    [0x00280106, { pixelRepresentation: 1 }, "SS"],
    [0x7fe00010, {}, "OW"],
    [0x00090010, {}, "LO"],
    [0x00091001, {}, "UN"],
    [0x00080000, {}, "UL"],
    [0x0008fff0, {}, "UN"],
  ])("of %s with %o is %s", (tag, context, vr) => {
    expect(vrOf(tagOf(tag), context)).toBe(vr);
  });
});

it("has every transfer syntax under its own UID", () => {
  for (const [uid, syntax] of transferSyntaxes) {
    expect(syntax.uid).toBe(uid);
    expect(uid).toMatch(/^1\.2\.840\.10008\.1\.2(\.\d+)*$/);
  }
});

it("has every storage SOP class once, the common ones among the 126 that one association has room for", () => {
  const uids = Object.values(storageSopClasses);
  expect(new Set(uids).size).toBe(uids.length);
  for (const uid of uids) expect(isStorageSopClass(uid) && isUid(uid)).toBe(true);
  const { CTImageStorage, RTStructureSetStorage, UltrasoundImageStorageRetired } = storageSopClasses;
  expect(uids.slice(0, 126)).toEqual(
    expect.arrayContaining([CTImageStorage, RTStructureSetStorage, UltrasoundImageStorageRetired]),
  );
  expect(isStorageSopClass("1.2.840.10008.5.1.4.1.2.2.1")).toBe(false);
});
