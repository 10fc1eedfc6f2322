import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../../../test/peers/process.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { seededRandom } from "../../units/random.ts";
import { tags } from "../dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "../dictionary/transfer-syntaxes.ts";
import { parseDataSet, readPart10File } from "../reader.ts";
import { tagOf } from "../tag.ts";
import { dataSetOf, element, numberOf, textElement, textOf } from "../values.ts";
import { encodeDataSet, encodeFileMeta } from "../writer.ts";
import { transcodedDataSet, transcodingOf } from "./transcode.ts";

const MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.7.2";

interface ImagePlan {
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly frames: number;
  /** Noise is the worst there is to compress; else runs and slopes. */
  readonly isNoise?: boolean;
  readonly isSigned?: boolean;
}

const [ROWS, COLUMNS] = [37, 45];

/** Samples of a plan, native. */
function pixelsOf({ samplesPerPixel, bitsAllocated, bitsStored, frames, isNoise = false }: ImagePlan): Buffer {
  const random = seededRandom(7);
  const count = ROWS * COLUMNS * samplesPerPixel * frames;
  const pixels = Buffer.alloc((count * bitsAllocated) / 8 + (((count * bitsAllocated) / 8) % 2));
  for (let index = 0; index < count; index += 1) {
    const smooth = index % 1000 < 400 ? 0 : index * 3;
    const sample = (isNoise ? Math.floor(random.next() * 65536) : smooth) & (2 ** bitsStored - 1);
    if (bitsAllocated === 8) pixels[index] = sample;
    else pixels.writeUInt16LE(sample, index * 2);
  }
  return pixels;
}

function fileOf(plan: ImagePlan): Buffer {
  const short = (tag: number, value: number) => element(tagOf(tag), "US", Uint8Array.of(value & 0xff, value >>> 8));
  const { samplesPerPixel, bitsAllocated, bitsStored, frames } = plan;
  const dataSet = dataSetOf([
    textElement(tags.SOPClassUID, MULTI_FRAME),
    textElement(tags.SOPInstanceUID, "2.25.5"),
    textElement(tags.StudyInstanceUID, "2.25.6"),
    textElement(tags.SeriesInstanceUID, "2.25.7"),
    textElement(tags.PatientID, "P1"),
    short(0x00280002, samplesPerPixel),
    textElement(tagOf(0x00280004), samplesPerPixel === 3 ? "RGB" : "MONOCHROME2"),
    ...(samplesPerPixel === 3 ? [short(0x00280006, 0)] : []),
    textElement(tags.NumberOfFrames, `${frames}`),
    short(0x00280010, ROWS),
    short(0x00280011, COLUMNS),
    short(0x00280100, bitsAllocated),
    short(0x00280101, bitsStored),
    short(0x00280102, bitsStored - 1),
    short(0x00280103, plan.isSigned ? 1 : 0),
    element(tags.PixelData, bitsAllocated === 8 ? "OB" : "OW", pixelsOf(plan)),
  ]);
  const facts = { sopClassUid: MULTI_FRAME, sopInstanceUid: "2.25.5", transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN };
  return Buffer.concat([encodeFileMeta(facts), encodeDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN)]);
}

const NOISE_IN_COLOURS = { samplesPerPixel: 3, bitsAllocated: 8, bitsStored: 8, frames: 2, isNoise: true };

const PLANS: Readonly<Record<string, ImagePlan>> = {
  "12 of 16 bits": { samplesPerPixel: 1, bitsAllocated: 16, bitsStored: 12, frames: 1 },
  "16 bits of noise with a sign": {
    samplesPerPixel: 1,
    bitsAllocated: 16,
    bitsStored: 16,
    frames: 1,
    isNoise: true,
    isSigned: true,
  },
  "8 bits, three frames": { samplesPerPixel: 1, bitsAllocated: 8, bitsStored: 8, frames: 3 },
  "colours, two frames of noise": NOISE_IN_COLOURS,
};

/** Programs that compress without loss, or write another byte order. */
const ENCODERS = [
  ["dcmtk's RLE", "dcmcrle", ["IN", "OUT"]],
  ["dcmtk's RLE in fragments", "dcmcrle", ["+fs", "1", "IN", "OUT"]],
  ["dcmtk's JPEG", "dcmcjpeg", ["+e1", "IN", "OUT"]],
  ["gdcm's RLE", "gdcmconv", ["--rle", "IN", "OUT"]],
  ["gdcm's JPEG", "gdcmconv", ["--jpeg", "IN", "OUT"]],
  ["a deflated data set", "dcmconv", ["+td", "IN", "OUT"]],
  ["big endian", "dcmconv", ["+tb", "IN", "OUT"]],
  ["implicit VR", "dcmconv", ["+ti", "IN", "OUT"]],
] as const;

/** The samples of each kind together, frame by frame. PS3.3 C.7.6.3.1.3. */
function inPlanes(pixels: Buffer, { samplesPerPixel, frames }: ImagePlan): Buffer {
  const planes = Buffer.alloc(pixels.length);
  const perPlane = ROWS * COLUMNS;
  const perFrame = perPlane * samplesPerPixel;
  for (let index = 0; index < perFrame * frames; index += 1) {
    const within = index % perFrame;
    const plane = within % samplesPerPixel;
    planes[index - within + plane * perPlane + Math.floor(within / samplesPerPixel)] = pixels[index] ?? 0;
  }
  return planes;
}

let opened: AsyncDisposableStack;
let folder = "";
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  folder = opened.use(await temporaryFolder()).path;
});
afterAll(() => opened.disposeAsync());

async function run(program: string, args: readonly string[]): Promise<void> {
  const { exitCode, output } = await runProgram(program, args, folder);
  if (exitCode !== 0) throw new Error(`${program}: ${output}`);
}

async function transcoded(path: string, target = EXPLICIT_VR_LITTLE_ENDIAN) {
  await using file = await readPart10File(path);
  const bytes = Buffer.concat(await Array.fromAsync(transcodedDataSet(file, target)));
  const dataSet = parseDataSet(bytes, target);
  const value = dataSet.get(tags.PixelData)?.value;
  if (value?.kind !== "range") throw new Error("no native pixels");
  return { dataSet, pixels: bytes.subarray(value.range.offset, value.range.offset + value.range.length) };
}

async function compressed(plan: ImagePlan, program: string, args: readonly string[]): Promise<string> {
  const [input, output] = [join(folder, "in.dcm"), join(folder, "out.dcm")];
  await writeFile(input, fileOf(plan));
  await run(
    program,
    args.map((arg) => (arg === "IN" ? input : arg === "OUT" ? output : arg)),
  );
  return output;
}

describe.each(Object.entries(PLANS))("an image of %s", (_, plan) => {
  it.skipIf(!requirePeer("dcmdrle") || !requirePeer("gdcmconv")).each(ENCODERS)(
    "comes out as it was: %s",
    async (_name, program, args) => {
      const path = await compressed(plan, program, args);
      const { dataSet, pixels } = await transcoded(path);
      // gdcm lays colours in planes when it makes RLE, and says so.
      const isPlanar = numberOf(dataSet, tagOf(0x00280006)) === 1;
      expect(pixels.equals(isPlanar ? inPlanes(pixelsOf(plan), plan) : pixelsOf(plan))).toBe(true);
      expect(textOf(dataSet, tags.SOPInstanceUID)).toBe("2.25.5");
      expect(textOf(dataSet, tags.PatientID)).toBe("P1");
      const implicit = await transcoded(path, IMPLICIT_VR_LITTLE_ENDIAN);
      expect(implicit.pixels.equals(pixels)).toBe(true);
    },
  );
});

it.skipIf(!requirePeer("dcmdrle")).each([1, 2, 3, 4, 5, 6, 7])(
  "JPEG of predictor %i comes out as it was",
  async (predictor) => {
    const path = await compressed(NOISE_IN_COLOURS, "dcmcjpeg", ["+el", "+sv", `${predictor}`, "IN", "OUT"]);
    expect((await transcoded(path)).pixels.equals(pixelsOf(NOISE_IN_COLOURS))).toBe(true);
  },
);

describe.skipIf(!requirePeer("dcmdrle"))("what others decode", () => {
  it.each([
    ["dcmcrle", ["IN", "OUT"], "dcmdrle"],
    ["dcmcjpeg", ["+e1", "IN", "OUT"], "dcmdjpeg"],
    ["gdcmconv", ["--jpeg", "IN", "OUT"], "dcmdjpeg"],
  ] as const)("is the same, element by element: %s %s", async (encoder, args, decoder) => {
    for (const plan of Object.values(PLANS)) {
      const path = await compressed(plan, encoder, args);
      await run(decoder, [path, join(folder, "theirs.dcm")]);
      const ours = await transcoded(path);
      const theirs = await transcoded(join(folder, "theirs.dcm"));
      expect(ours.pixels.equals(theirs.pixels)).toBe(true);
      const told = ({ dataSet }: typeof ours) =>
        [...dataSet.values()].filter(({ tag }) => tag !== tags.PixelData).map(({ tag, vr, value }) => [tag, vr, value]);
      expect(told(ours)).toEqual(told(theirs));
      expect(ours.dataSet.get(tags.PixelData)?.vr === "OB").toBe(plan.bitsAllocated === 8);
    }
  });
});

it.skipIf(!requirePeer("dcmdrle"))(
  "what says how long frames were when they were compressed goes with them",
  async () => {
    const path = await compressed(NOISE_IN_COLOURS, "dcmcrle", ["IN", "OUT"]);
    await using file = await readPart10File(path);
    const told = [0x7fe00001, 0x7fe00002, 0x7fe00003].map((tag) => element(tagOf(tag), "OV", Buffer.alloc(8, 1)));
    const telling = { ...file, dataSet: dataSetOf([...file.dataSet.values(), ...told]) };
    const bytes = Buffer.concat(await Array.fromAsync(transcodedDataSet(telling, EXPLICIT_VR_LITTLE_ENDIAN)));
    const left = parseDataSet(bytes, EXPLICIT_VR_LITTLE_ENDIAN);
    expect([...left.keys()].filter((tag) => tag >>> 16 === 0x7fe0)).toEqual([tags.PixelData]);
  },
);

describe("what is not decoded", () => {
  it.each([
    ["1.2.840.10008.1.2.5", "possible"],
    ["1.2.840.10008.1.2.1.99", "possible"],
    ["1.2.840.10008.1.2.4.50", "TRANSCODING_LOSSY"],
    ["1.2.840.10008.1.2.4.81", "TRANSCODING_LOSSY"],
    ["1.2.840.10008.1.2.4.91", "TRANSCODING_LOSSY"],
    ["1.2.840.10008.1.2.4.90", "TRANSCODING_UNSUPPORTED"],
    ["1.2.840.10008.1.2.4.80", "TRANSCODING_UNSUPPORTED"],
    ["1.2.3.4", "TRANSCODING_UNSUPPORTED"],
  ] as const)("%s: %s", (uid, answer) => {
    expect(transcodingOf(uid)).toBe(answer);
  });

  it.skipIf(!requirePeer("dcmdrle")).each([
    ["dcmcrle", ["IN", "OUT"]],
    ["dcmcjpeg", ["+e1", "IN", "OUT"]],
  ] as const)("are frames that are cut or not what they should be: %s", async (program, args) => {
    const path = await compressed(
      { samplesPerPixel: 1, bitsAllocated: 16, bitsStored: 16, frames: 1, isNoise: true },
      program,
      args,
    );
    await using file = await readPart10File(path);
    const value = file.dataSet.get(tags.PixelData)?.value;
    const [table, frame] = value?.kind === "fragments" ? value.fragments : [];
    if (table === undefined || frame === undefined) throw new Error("no frame");
    for (const [offset, length] of [
      [frame.offset, frame.length >> 1],
      [frame.offset + 10, frame.length - 10],
      [frame.offset, 3],
      [frame.offset, 0],
    ] as const) {
      const fragments = [table, { offset, length }];
      const pixels = {
        tag: tags.PixelData,
        vr: "OB",
        undefinedLength: true,
        value: { kind: "fragments", fragments },
      } as const;
      const harmed = { ...file, dataSet: new Map([...file.dataSet, [tags.PixelData, pixels]]) };
      const decoding = Array.fromAsync(transcodedDataSet(harmed, EXPLICIT_VR_LITTLE_ENDIAN));
      await expect(decoding).rejects.toMatchObject({ code: "TRANSCODING_DAMAGED" });
    }
    expect(numberOf(file.dataSet, tagOf(0x00280100))).toBe(16);
  });
});
