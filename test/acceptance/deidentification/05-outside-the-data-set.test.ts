import { describe, expect, it } from "vitest";
import { ctImage, part10Bytes, text } from "../../../src/deid/testing/objects.ts";
import { report } from "../../../src/deid/testing/reports.ts";
import { DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN } from "../../../src/dicom/dictionary/transfer-syntaxes.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { element } from "../../../src/dicom/values.ts";
import { explicit, explicitOfUndefinedLength, item } from "./support/bytes.ts";
import { deidentify, expectGone, expectRefused, type Result } from "./support/engine.ts";
import { fileIn, fileWith, nested, valuesIn } from "./support/objects.ts";
import { createTokens, type Tokens } from "./support/tokens.ts";

/** PS3.10 table 7.1-1: version, class, instance, transfer syntax, implementation; the group's length comes first. */
const FILE_META = [0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013];
const SOP_INSTANCE_UID = 0x00080018;

/** AE titles, private information, addresses, text where a number should be, an unknown element. */
const metaElements = (tokens: Tokens) => [
  ...[0x00020016, 0x00020017, 0x00020018].map((tag) => element(tagOf(tag), "AE", Buffer.from(tokens.text()))),
  element(tagOf(0x00020026), "UR", Buffer.from(tokens.text())),
  element(tagOf(0x00020031), "OB", Buffer.from(tokens.text())),
  element(tagOf(0x00020035), "OB", Buffer.from(tokens.text())),
  element(tagOf(0x00020100), "UI", Buffer.from(tokens.uid())),
  element(tagOf(0x00020102), "OB", Buffer.from(tokens.text())),
  element(tagOf(0x00020013), "SH", Buffer.from(tokens.text())),
  element(tagOf(0x000200f0), "LO", Buffer.from(tokens.text())),
];

function expectNothing(result: Result, tokens: Tokens): void {
  if (result.outcome.kind === "rejected") expectRefused(result, tokens);
  else expectGone(result, tokens);
}

describe("item 5: what is before, between and behind the elements", () => {
  it("preamble: 128 zero bytes, also where it is a TIFF header", async () => {
    const tokens = createTokens(51);
    // Little endian TIFF, its first directory at byte 8.
    const preamble = Buffer.from(`II*\0\x08\0\0\0${tokens.text().repeat(10)}`);
    const result = await deidentify(await part10Bytes(ctImage(), { preamble: preamble.subarray(0, 128) }));
    expectGone(result, tokens);
    expect(result.bytes.subarray(0, 132)).toEqual(Buffer.concat([Buffer.alloc(128), Buffer.from("DICM")]));
  });

  it("file meta: the listed elements and no others", async () => {
    const tokens = createTokens(52);
    const result = await deidentify(await part10Bytes(ctImage(), { meta: metaElements(tokens) }));
    expectGone(result, tokens);
    expect([...result.meta.keys()]).toEqual(FILE_META);
    expect(valuesIn(result.meta, 0x00020003)).toEqual(valuesIn(result.dataSet, SOP_INSTANCE_UID));
    // A length that says where the data set begins: (0008,xxxx).
    expect(result.bytes.readUInt16LE(144 + result.bytes.readUInt32LE(140))).toBe(0x0008);
  });

  it("file meta: no class and no transfer syntax that nobody knows", async () => {
    const tokens = createTokens(58);
    const roots = ["1.2.840.10008.5.1.4.1.1.88.", "1.2.840.10008.5.1.4.1.1.11.", "1.2.840.10008.5.1.4.1.1.2."];
    for (const root of roots) {
      for (const end of [tokens.text(), tokens.digits(), `33\0${tokens.text()}`, `33 ${tokens.text()}`]) {
        const source = report(root + end, []);
        expectNothing(await deidentify(await part10Bytes(source), "research"), tokens);
        expectNothing(await deidentify(await part10Bytes(ctImage([text(0x00080016, root + end)])), "research"), tokens);
      }
    }
    for (const syntax of [`1.2.840.10008.1.2.4.${tokens.digits()}`, `1.2.840.10008.1.2.${tokens.text()}`]) {
      expectNothing(await deidentify(await fileIn(syntax, ctImage()), "research"), tokens);
      const frame = explicitOfUndefinedLength(0x7fe00010, "OB", item(), item(Buffer.from(tokens.text())));
      expectNothing(await deidentify(await fileIn(syntax, ctImage(), frame), "research"), tokens);
    }
  });

  it("group lengths, of every group and within items, and (0008,0001)", async () => {
    const tokens = createTokens(53);
    const lengths = [0x00080000, 0x00080001, 0x00100000, 0x00280000, 0x7fe00000];
    const asText = lengths.map((tag) => element(tagOf(tag), "UL", Buffer.from(tokens.text())));
    const result = await deidentify(await part10Bytes(ctImage([...asText, nested(asText, 2)])));
    expectGone(result, tokens);
    for (const tag of lengths) expect(result.dataSet.has(tagOf(tag))).toBe(false);
  });

  it("groups 0000, 0004, FFFF and 0001 to 0007", async () => {
    const tokens = createTokens(54);
    const tags = [0x00001000, 0x00010010, 0x00030010, 0x00041220, 0x00041500, 0x00050010, 0x00070011, 0xffff0010];
    const result = await deidentify(
      await part10Bytes(ctImage(tags.map((tag) => element(tagOf(tag), "LO", Buffer.from(tokens.text()))))),
    );
    expectGone(result, tokens);
    expect([...result.dataSet.keys()].filter((tag) => tag >>> 16 < 8 || tag >>> 16 === 0xffff)).toEqual([]);
  });

  it("(FFFC,FFFC)", async () => {
    const tokens = createTokens(55);
    const padding = explicit(0xfffcfffc, "OB", tokens.text());
    const result = await deidentify(await fileWith(ctImage(), padding));
    expectGone(result, tokens);
    expect(result.dataSet.has(tagOf(0xfffcfffc))).toBe(false);
  });

  it("bytes behind the data set: gone and counted, or the object is refused", async () => {
    const tokens = createTokens(56);
    const whole = await part10Bytes(ctImage());
    const behind = [
      Buffer.from(tokens.text()),
      Buffer.concat([Buffer.alloc(64), Buffer.from(tokens.text())]),
      await part10Bytes(ctImage([element(tagOf(0x00100010), "PN", Buffer.from(tokens.text()))])),
    ];
    for (const [index, bytes] of behind.entries()) {
      const result = await deidentify(Buffer.concat([whole, bytes]));
      if (result.outcome.kind === "rejected") {
        expect(`${index} ${result.outcome.code}`).toMatch(/ INSTANCE_NOT_PARSABLE$/);
        continue;
      }
      expectGone(result, tokens);
      expect([...(result.summary?.notes.keys() ?? [])], String(index)).not.toEqual([]);
    }
  });

  it("bytes behind a deflated data set", async () => {
    const tokens = createTokens(57);
    const deflated = await part10Bytes(ctImage(), { transferSyntaxUid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN });
    expectGone(await deidentify(Buffer.concat([deflated, Buffer.from(tokens.text())])), tokens);
  });
});
