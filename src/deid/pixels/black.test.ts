import { expect, it } from "vitest";
import type { DataSet } from "../../dicom/data-set.ts";
import { bytesSource } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element } from "../../dicom/values.ts";
import { composeSource } from "../engine/composed-source.ts";
import { text, unsigned } from "../testing/objects.ts";
import { blackSamples } from "./black.ts";
import { pixelLayoutOf } from "./pixel-layout.ts";

/** @param bits allocated, stored and the high bit */
async function blackOf(
  photometricInterpretation: string,
  samples: number,
  bits: readonly [number, number, number],
  changes: DataSet = new Map(),
): Promise<readonly number[] | undefined> {
  const dataSet = dataSetOf([
    ...[text(0x00280004, photometricInterpretation), unsigned(0x00280002, samples)],
    ...[
      unsigned(0x00280010, 2),
      unsigned(0x00280011, 2),
      ...bits.map((value, index) => unsigned(0x00280100 + index, value)),
    ],
    ...changes.values(),
  ]);
  const layout = pixelLayoutOf(dataSet, false);
  const source = composeSource(bytesSource(new Uint8Array()));
  return layout && (await blackSamples(dataSet, layout, { source, bigEndian: false }));
}

const SIGNED = dataSetOf([unsigned(0x00280103, 1)]);

it.each<[string, number, readonly [number, number, number], readonly number[]]>([
  ["MONOCHROME2", 1, [16, 12, 11], [0]],
  ["MONOCHROME1", 1, [8, 8, 7], [255]],
  ["MONOCHROME1", 1, [16, 12, 11], [4095]],
  ["MONOCHROME1", 1, [16, 12, 15], [0xfff0]],
  ["RGB", 3, [8, 8, 7], [0, 0, 0]],
  ["YBR_FULL", 3, [8, 8, 7], [0, 128, 128]],
  ["YBR_FULL_422", 3, [8, 8, 7], [0, 128, 128]],
  ["YBR_PARTIAL_422", 3, [8, 8, 7], [16, 128, 128]],
])("black of %s with %i samples of %j bits", async (photometric, samples, bits, expected) => {
  expect(await blackOf(photometric, samples, bits)).toEqual(expected);
});

it("the least and the greatest of numbers with a sign are black", async () => {
  expect(await blackOf("MONOCHROME2", 1, [16, 16, 15], SIGNED)).toEqual([0x8000]);
  expect(await blackOf("MONOCHROME2", 1, [16, 12, 11], SIGNED)).toEqual([0xf800]);
  expect(await blackOf("MONOCHROME1", 1, [16, 12, 11], SIGNED)).toEqual([0x07ff]);
});

it("what is black is not known of colours with a sign, of samples too many, of no palette", async () => {
  expect(await blackOf("RGB", 3, [8, 8, 7], SIGNED)).toBeUndefined();
  expect(await blackOf("MONOCHROME2", 3, [8, 8, 7])).toBeUndefined();
  expect(await blackOf("PALETTE COLOR", 1, [8, 8, 7])).toBeUndefined();
});

it("an index of a palette stands where the stored bits do", async () => {
  const palette = [0x1101, 0x1102, 0x1103].map((tag) =>
    element(tagOf(0x00280000 + tag), "US", Uint8Array.of(4, 0, 0, 0, 16, 0)),
  );
  const colours = [0x1201, 0x1202, 0x1203].map((tag) =>
    element(tagOf(0x00280000 + tag), "OW", Buffer.from(Uint16Array.of(900, 500, 2, 700).buffer)),
  );
  const described = dataSetOf([...palette, ...colours]);
  expect(await blackOf("PALETTE COLOR", 1, [8, 8, 7], described)).toEqual([2]);
  expect(await blackOf("PALETTE COLOR", 1, [16, 12, 15], described)).toEqual([0x20]);
});
