import { describe, expect, it } from "vitest";
import type { FrameScan } from "./frame-scan.ts";
import { scanJpegFrame } from "./jpeg-frame.ts";
import { scanJpeg2000Frame } from "./jpeg2000-frame.ts";
import type { PixelLayout } from "./pixel-layout.ts";
import { scanRleFrame } from "./rle-frame.ts";

/** What stays of the frame: "whole", its bytes in hexadecimal, or why it cannot be read. */
function outcomeOf(frame: Buffer, scan: FrameScan): readonly [kept: Buffer | string, ...removed: string[]] {
  if (scan.kind === "unreadable") return [scan.finding];
  const kept = Buffer.concat(
    scan.pieces.map((piece) => ("from" in piece ? frame.subarray(piece.from, piece.to) : piece)),
  );
  return [kept, ...scan.removed];
}

const segment = (marker: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.of(0xff, marker, (body.length + 2) >>> 8, (body.length + 2) & 0xff), body]);
const SOI = Buffer.of(0xff, 0xd8);
const EOI = Buffer.of(0xff, 0xd9);
/** Start of scan, two bytes of entropy-coded data, one of them a stuffed FF. */
const SCAN = Buffer.concat([segment(0xda, Buffer.alloc(8)), Buffer.of(0x12, 0xff, 0x00, 0x34)]);
const TABLES = segment(0xdb, Buffer.alloc(65));
const JFIF = segment(0xe0, Buffer.from("JFIF\0\x01\x01\0\0\x01\0\x01\0\0", "latin1"));
const frame = (...parts: Buffer[]): Buffer => Buffer.concat([SOI, ...parts, SCAN, EOI]);

describe("a JPEG frame", () => {
  const ADOBE = segment(0xee, Buffer.from("Adobe\0\x64\0\0\0\0\x01", "latin1"));
  /** JFIF with a thumbnail of 1 by 1 pixel of 3 bytes. */
  const THUMBNAIL = segment(0xe0, Buffer.from("JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01abc", "latin1"));
  const EXIF = segment(0xe1, Buffer.from("Exif\0\0MM\0*Brandybuck", "latin1"));
  const XMP = segment(0xe1, Buffer.from("http://ns.adobe.com/xap/1.0/\0<x>Brandybuck</x>", "latin1"));
  const signature = segment(0xfe, Buffer.from("LEAD Technologies Inc. V1.01\0"));
  const comment = segment(0xfe, Buffer.from("Brandybuck"));
  const table = segment(0xf8, Buffer.of(1, 0, 255, 0, 3, 0, 7, 0, 21, 0, 64));
  /** The colour transform of HP's JPEG-LS. */
  const transform = segment(0xe8, Buffer.from("mrfx\x01", "latin1"));
  it.each<[string, Buffer, ...ReturnType<typeof outcomeOf>]>([
    ["of tables and a scan stays whole", frame(TABLES), frame(TABLES)],
    ["loses its padding", Buffer.concat([frame(JFIF, TABLES), Buffer.of(0)]), frame(JFIF, TABLES)],
    ["keeps its encoder's signature", frame(signature), frame(signature)],
    ["keeps what tells its colours", frame(ADOBE, transform, table), frame(ADOBE, transform, table)],
    ["loses a comment", frame(TABLES, comment), frame(TABLES), "comment"],
    ["loses EXIF and XMP", frame(EXIF, XMP, TABLES), frame(TABLES), "application-segment", "application-segment"],
    ["loses a thumbnail, not its JFIF", frame(THUMBNAIL), frame(JFIF), "application-segment"],
    [
      "loses what is behind its end",
      Buffer.concat([frame(TABLES), Buffer.from("Brandybuck")]),
      frame(TABLES),
      "trailing-bytes",
    ],
    ["loses zeros behind its end", Buffer.concat([frame(TABLES), Buffer.alloc(6)]), frame(TABLES)],
    ["without an end is refused", Buffer.concat([SOI, TABLES, SCAN]), "truncated"],
    ["that is none is refused", Buffer.from("Brandybuck"), "no-start-of-image"],
    ["with bytes between segments is refused", Buffer.concat([SOI, Buffer.from("hi"), TABLES, SCAN, EOI]), "marker"],
    ["with a segment nobody knows is refused", frame(segment(0xf0, Buffer.from("Brandybuck"))), "marker"],
  ])("%s", (_name, bytes, ...expected) => {
    expect(outcomeOf(bytes, scanJpegFrame(bytes))).toEqual(expected);
  });
});

describe("a JPEG 2000 frame", () => {
  const SOC = Buffer.of(0xff, 0x4f);
  const SIZ = segment(0x51, Buffer.alloc(39));
  /** Tile-part: index 0, length of 12 + the header's segments + 2 + 3 bytes, part 0 of 1; start of data; three bytes. */
  const tile = (...header: Buffer[]): Buffer => {
    const inner = Buffer.concat(header);
    const start = segment(0x90, Buffer.of(0, 0, 0, 0, 0, 17 + inner.length, 0, 1));
    return Buffer.concat([start, inner, Buffer.of(0xff, 0x93, 1, 2, 3)]);
  };
  const comment = (body: string): Buffer => segment(0x64, Buffer.from(`\0\x01${body}`, "latin1"));
  const signed = comment("Created by OpenJPEG version 2.5.0");
  const named = comment("Brandybuck");
  /** Tile-part lengths: index 0, no tile indexes, 32 bits each. */
  const lengths = segment(0x55, Buffer.of(0, 0x40, 0, 0, 0, 31));
  const codestream = (...parts: Buffer[]): Buffer => Buffer.concat([SOC, SIZ, ...parts, EOI]);
  const box = (type: string, ...content: Buffer[]): Buffer => {
    const body = Buffer.concat(content);
    const header = Buffer.alloc(8);
    header.writeUInt32BE(8 + body.length);
    header.write(type, 4, "latin1");
    return Buffer.concat([header, body]);
  };
  const SIGNATURE = box("jP  ", Buffer.of(0x0d, 0x0a, 0x87, 0x0a));
  const file = (...boxes: Buffer[]): Buffer => Buffer.concat([SIGNATURE, ...boxes]);
  it.each<[string, Buffer, ...ReturnType<typeof outcomeOf>]>([
    ["of headers and a tile stays whole", codestream(tile()), codestream(tile())],
    ["keeps its encoder's signature", codestream(signed, tile()), codestream(signed, tile())],
    ["loses a comment", codestream(named, tile()), codestream(tile()), "comment"],
    [
      "loses a comment of a tile-part, whose length is told anew",
      codestream(tile(named)),
      codestream(tile()),
      "comment",
    ],
    ["whose tile-part lengths stand elsewhere too is refused", codestream(lengths, tile(named)), "comment"],
    [
      "loses what is behind its end",
      Buffer.concat([codestream(tile()), Buffer.from("Brandybuck")]),
      codestream(tile()),
      "trailing-bytes",
    ],
    [
      "loses the file around it",
      file(box("xml ", Buffer.from("Brandybuck")), box("jp2c", codestream(tile()))),
      codestream(tile()),
      "file-format",
    ],
    [
      "with a palette in its file is refused",
      file(box("jp2h", box("pclr")), box("jp2c", codestream(tile()))),
      "file-format",
    ],
    ["with a segment nobody knows is refused", codestream(segment(0x30, Buffer.from("Brandybuck")), tile()), "marker"],
    ["that is none is refused", Buffer.from("Brandybuck"), "no-start-of-image"],
  ])("%s", (_name, bytes, ...expected) => {
    expect(outcomeOf(bytes, scanJpeg2000Frame(bytes))).toEqual(expected);
  });
});

describe("an RLE frame", () => {
  /** Number of segments, then the offset of each; 15 offsets, unused ones zero. */
  const rle = (...segments: Buffer[]): Buffer => {
    const header = Buffer.alloc(64);
    header.writeUInt32LE(segments.length, 0);
    let offset = 64;
    for (const [index, { length }] of segments.entries()) {
      header.writeUInt32LE(offset, 4 + 4 * index);
      offset += length;
    }
    return Buffer.concat([header, ...segments]);
  };
  const layout = (bitsAllocated: number): PixelLayout => ({
    ...{
      rows: 2,
      columns: 3,
      samplesPerPixel: 1,
      bitsAllocated,
      bitsStored: bitsAllocated,
      highBit: bitsAllocated - 1,
    },
    ...{ isSigned: false, planarConfiguration: undefined, frames: 1, photometricInterpretation: "MONOCHROME2" },
  });
  /** Six bytes: five times 7, then 9. */
  const SEGMENT = Buffer.of(0xfc, 7, 0, 9);
  /** Six bytes: six times 7; the run of three bytes is odd with its no-operation. */
  const ODD = Buffer.of(0x80, 0xfb, 7);
  const NAME = Buffer.from("name");
  it.each<[string, Buffer, number, ...ReturnType<typeof outcomeOf>]>([
    ["of one segment stays whole", rle(SEGMENT), 8, rle(SEGMENT)],
    ["of two segments stays whole", rle(SEGMENT, SEGMENT), 16, rle(SEGMENT, SEGMENT)],
    [
      "loses what is behind a segment",
      rle(Buffer.concat([SEGMENT, NAME]), SEGMENT),
      16,
      rle(SEGMENT, SEGMENT),
      "trailing-bytes",
    ],
    [
      "pads a segment with zero",
      rle(Buffer.concat([ODD, Buffer.from("n")]), SEGMENT),
      16,
      rle(Buffer.concat([ODD, Buffer.of(0)]), SEGMENT),
      "trailing-bytes",
    ],
    [
      "with text in unused offsets is refused",
      Buffer.concat([rle(SEGMENT).subarray(0, 60), NAME, SEGMENT]),
      8,
      "marker",
    ],
    ["with a segment too many is refused", rle(SEGMENT, SEGMENT), 8, "marker"],
    ["that is too short is refused", rle(SEGMENT.subarray(0, 2)), 8, "truncated"],
    ["that runs over its end is refused", rle(Buffer.of(0xfa, 7)), 8, "truncated"],
  ])("%s", (_name, bytes, bitsAllocated, ...expected) => {
    expect(outcomeOf(bytes, scanRleFrame(bytes, layout(bitsAllocated)))).toEqual(expected);
  });
});
