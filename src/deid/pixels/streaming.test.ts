import { expect, it } from "vitest";
import type { ByteSource, DataElement } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { composeSource } from "../engine/composed-source.ts";
import { createTally } from "../engine/tally.ts";
import { GREY_8, type ImageShape, ultrasoundImage } from "../testing/images.ts";
import type { PixelDecoder } from "./external-codec.ts";
import { pixelElements } from "./pixel-data.ts";
import type { PixelTreatment } from "./pixel-policy.ts";

const MEBIBYTE = 2 ** 20;
const PIXEL_DATA = tagOf(0x7fe00010);

/** A file of `sizeBytes` that was never written: each read is answered by `fill`, and counted. */
function sparseSource(sizeBytes: number, fill: (bytes: Buffer, offset: number) => void) {
  const reads = { largestBytes: 0, totalBytes: 0 };
  const source: ByteSource = {
    sizeBytes,
    read(offset, length) {
      reads.largestBytes = Math.max(reads.largestBytes, length);
      reads.totalBytes += length;
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, sizeBytes - offset)));
      fill(bytes, offset);
      return Promise.resolve(bytes);
    },
  };
  return { source, reads };
}

const TREATMENT: PixelTreatment = {
  mask: { maskName: "banner", rectangles: [{ x: 0, y: 0, width: 1024, height: 60 }] },
  clearHighBits: false,
  jpegMetadata: "strip",
  replaceDocument: false,
  notes: [],
};

async function maskedSource(
  shape: ImageShape,
  source: ByteSource,
  value: { readonly kind: "range" | "fragments"; readonly transferSyntaxUid: string; readonly decoder?: PixelDecoder },
  treatment = TREATMENT,
) {
  const composed = composeSource(source);
  const frameBytes = source.sizeBytes / shape.frames;
  const fragments = Array.from({ length: shape.frames }, (_, index) => ({
    offset: index * frameBytes,
    length: frameBytes,
  }));
  const pixelData: DataElement = {
    ...{ tag: PIXEL_DATA, vr: "OB", undefinedLength: value.kind === "fragments" },
    value:
      value.kind === "range"
        ? { kind: "range", range: { offset: 0, length: source.sizeBytes } }
        : { kind: "fragments", fragments: [{ offset: 0, length: 0 }, ...fragments] },
  };
  const dataSet = dataSetOf([...ultrasoundImage(shape).values(), pixelData]);
  const context = {
    source: composed,
    bigEndian: false,
    decoder: value.decoder,
    tally: createTally(),
    signal: neverAborted(),
  };
  const { elements } = await pixelElements(dataSet, value.transferSyntaxUid, treatment, context);
  const [, element] = elements[0] ?? [];
  if (element?.value.kind !== "range") throw new Error("no native pixel data");
  return { composed, range: element.value.range };
}

it("masks an object of 10 GiB by the piece that is asked for", async () => {
  const shape = { ...GREY_8, rows: 1024, columns: 1024, frames: 10 * 1024 };
  const { source, reads } = sparseSource(10 * 1024 * MEBIBYTE, (bytes) => bytes.fill(7));
  const { composed, range } = await maskedSource(shape, source, {
    kind: "range",
    transferSyntaxUid: "1.2.840.10008.1.2.1",
  });
  expect(range.length).toBe(10 * 1024 * MEBIBYTE);
  expect(reads.totalBytes).toBe(0);
  for (const frame of [0, 5000, 10 * 1024 - 1]) {
    const bytes = await composed.read(range.offset + frame * MEBIBYTE, MEBIBYTE);
    expect([bytes.indexOf(7), bytes.lastIndexOf(0)]).toEqual([60 * 1024, 60 * 1024 - 1]);
  }
  expect(reads).toEqual({ largestBytes: MEBIBYTE, totalBytes: 3 * MEBIBYTE });
});

it("decodes RLE by the line, 64 KiB of a segment in memory", async () => {
  // Header, then one segment: literal runs of 128 bytes of 7, 129 bytes each.
  const runs = (1024 * 1024) / 128;
  const frameBytes = 64 + runs * 129;
  const shape = { ...GREY_8, rows: 1024, columns: 1024, frames: 4 };
  const frame = Buffer.alloc(frameBytes, 7);
  frame.fill(0, 0, 64);
  frame.writeUInt32LE(1, 0);
  frame.writeUInt32LE(64, 4);
  for (let run = 0; run < runs; run += 1) frame[64 + run * 129] = 127;
  const { source, reads } = sparseSource(4 * frameBytes, (bytes, offset) => {
    for (let done = 0; done < bytes.length; )
      done += frame.copy(
        bytes,
        done,
        (offset + done) % frameBytes,
        Math.min(frameBytes, ((offset + done) % frameBytes) + bytes.length - done),
      );
  });
  const { composed, range } = await maskedSource(shape, source, {
    kind: "fragments",
    transferSyntaxUid: "1.2.840.10008.1.2.5",
  });
  for (let at = 0; at < range.length; at += MEBIBYTE / 2) {
    const bytes = await composed.read(range.offset + at, MEBIBYTE / 2);
    const masked = at % MEBIBYTE === 0 ? 60 * 1024 : 0;
    expect([bytes.indexOf(7), bytes.lastIndexOf(0)]).toEqual([masked, masked - 1]);
  }
  expect(reads.largestBytes).toBe(64 * 1024);
  expect(reads.totalBytes).toBe(4 * frameBytes);
});

it("masks what a codec decoded to nearly 4 GiB by the piece that is asked for", async () => {
  // One frame more, and no length would tell it.
  const frames = 4 * 1024 - 1;
  const shape = { ...GREY_8, rows: 1024, columns: 1024, frames };
  const decoded = sparseSource(frames * MEBIBYTE, (bytes) => bytes.fill(7));
  const range = { offset: 0, length: decoded.source.sizeBytes };
  const decoder: PixelDecoder = {
    knows: () => true,
    decode: ({ layout }) => Promise.resolve({ layout, range, source: decoded.source }),
  };
  const compressed = sparseSource(frames, () => undefined);
  const masked = await maskedSource(shape, compressed.source, {
    kind: "fragments",
    transferSyntaxUid: "1.2.840.10008.1.2.4.90",
    decoder,
  });
  const bytes = await masked.composed.read(masked.range.offset + 4000 * MEBIBYTE, MEBIBYTE);
  expect([bytes.indexOf(7), bytes.lastIndexOf(0)]).toEqual([60 * 1024, 60 * 1024 - 1]);
  expect(decoded.reads).toEqual({ largestBytes: MEBIBYTE, totalBytes: MEBIBYTE });
});

it("does not read a compressed frame that is too large to be gone through", async () => {
  const { source, reads } = sparseSource(65 * MEBIBYTE, () => undefined);
  const value = { kind: "fragments", transferSyntaxUid: "1.2.840.10008.1.2.4.90" } as const;
  const unmasked = { ...TREATMENT, mask: undefined };
  const refusal = { code: "COMPRESSED_PIXEL_METADATA", reason: "frame-too-large" };
  await expect(maskedSource({ ...GREY_8, frames: 1 }, source, value, unmasked)).rejects.toMatchObject(refusal);
  expect(reads.totalBytes).toBe(0);
});
