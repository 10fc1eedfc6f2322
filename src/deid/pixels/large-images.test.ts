import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DataElement } from "../../dicom/data-set.ts";
import { EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier } from "../deidentifier.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put, SOP_CLASSES, text, unsigned, without } from "../testing/objects.ts";
import { type PixelSettings, USUAL_PIXELS } from "./pixel-settings.ts";

/** A megabyte and more: twice what is composed at a time, which ends wherever the elements before leave off, in the middle of a word too. */
const SIZE = 600;
const PIXELS = SIZE * SIZE;
const [PIXEL_DATA, DOUBLE_PIXEL_DATA] = [tagOf(0x7fe00010), tagOf(0x7fe00009)];
const WORDS = Uint32Array.from({ length: PIXELS }, (_, index) => Math.imul(index, 2_654_435_761) >>> 0);

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "large-images-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** The pixels of four outputs, before which there is more and more. */
async function outputsOf(
  transferSyntaxUid: string,
  pixels: DataElement,
  bitsStored = 32,
  settings: Partial<PixelSettings> = {},
): Promise<readonly Buffer[]> {
  const profile = { ...loadProfile("research"), pixels: { ...USUAL_PIXELS, ...settings } };
  const outputs: Buffer[] = [];
  for (const thickness of ["1", "1.5", "1.125", "1.12345"]) {
    const changes = [0x00280010, 0x00280011].map((tag) => unsigned(tag, SIZE));
    const bits = [32, bitsStored, bitsStored - 1].map((value, index) => unsigned(0x00280100 + index, value));
    const image = without(ctImage([...changes, ...bits, text(0x00180050, thickness)]), PIXEL_DATA);
    const bytes = await part10Bytes(dataSetOf([...image.values(), pixels]), { transferSyntaxUid });
    const [path, outputPath] = [await put(join(folder, "in.dcm"), bytes), join(folder, "out.dcm")];
    const engine = createDeidentifier({ profile, key: projectKeyOf(Buffer.alloc(32, 23)), filters: {} });
    const task = { path, outputPath, participantId: undefined, seriesInstanceCount: 1 };
    expect(await engine.instance(task, neverAborted())).toMatchObject({ kind: "deidentified" });
    await using file = await readPart10File(outputPath);
    const value = file.dataSet.get(pixels.tag)?.value;
    if (value?.kind !== "range") throw new Error("no native pixels");
    outputs.push(Buffer.from(await file.source.read(value.range.offset, value.range.length)));
  }
  return outputs;
}

const MASK = {
  name: "banner",
  when: { rows: SIZE, columns: SIZE, sopClassUids: [SOP_CLASSES.ct] },
  area: { kind: "rectangles", rectangles: [{ x: 3, y: 0, width: SIZE - 3, height: SIZE - 1 }] },
} as const;
const isMasked = (index: number): boolean => index % SIZE >= 3 && index < SIZE * (SIZE - 1);

describe("an image larger than what is composed at a time", () => {
  it.each<[string, number, Partial<PixelSettings>, (word: number, index: number) => number]>([
    ["as it is", 32, {}, (word) => word],
    ["with unused bits cleared", 24, { clearHighBits: "always" }, (word) => word & 0xffffff],
    ["masked", 32, { masks: [MASK] }, (word, index) => (isMasked(index) ? 0 : word)],
    [
      "masked, with unused bits cleared",
      ...([24, { masks: [MASK], clearHighBits: "always" }] as const),
      (word, index) => (isMasked(index) ? 0 : word & 0xffffff),
    ],
  ])("%s", async (_name, bitsStored, settings, expected) => {
    const input = element(PIXEL_DATA, "OW", Buffer.from(WORDS.buffer));
    const pixels = Buffer.from(WORDS.map(expected).buffer);
    for (const output of await outputsOf(EXPLICIT_VR_LITTLE_ENDIAN, input, bitsStored, settings))
      expect(output.equals(pixels)).toBe(true);
  });

  it("of long words in big endian order", async () => {
    const doubles = Buffer.from(Float64Array.from(WORDS, (word) => word / 3).buffer);
    const input = element(DOUBLE_PIXEL_DATA, "OD", doubles);
    for (const output of await outputsOf(EXPLICIT_VR_BIG_ENDIAN, input)) expect(output.equals(doubles)).toBe(true);
  });
});
