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
/** Eight bits, 2 lines of 3 samples, one component with the identifier 1. */
const SIZE = Buffer.of(8, 0, 2, 0, 3, 1, 1, 0x11, 0);
const SOF = segment(0xc0, SIZE);
/** Start of scan of that component, two bytes of entropy-coded data, one of them a stuffed FF. */
const SCAN = Buffer.concat([segment(0xda, Buffer.of(1, 1, 0, 0, 63, 0)), Buffer.of(0x12, 0xff, 0x00, 0x34)]);
const TABLES = segment(0xdb, Buffer.alloc(65));
const JFIF = segment(0xe0, Buffer.from("JFIF\0\x01\x01\0\0\x01\0\x01\0\0", "latin1"));
const frame = (...parts: Buffer[]): Buffer => Buffer.concat([SOI, ...parts, SOF, SCAN, EOI]);
const losslessFrame = (marker: number, ...parts: Buffer[]): Buffer =>
  Buffer.concat([SOI, segment(marker, SIZE), ...parts, SCAN, EOI]);

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
  /** Two codes of two bits. */
  const huffman = (values: Buffer): Buffer =>
    segment(0xc4, Buffer.concat([Buffer.of(0, 0, 2), Buffer.alloc(14), values]));
  const notIts = (what: string, marker: number, body: string): [string, Buffer, Buffer, string] => [
    `loses what is ${what} by its name alone: ${JSON.stringify(body)}`,
    frame(segment(marker, Buffer.from(body, "latin1"))),
    frame(),
    "application-segment",
  ];
  it.each<[string, Buffer, ...ReturnType<typeof outcomeOf>]>([
    ["of tables and a scan stays whole", frame(TABLES), frame(TABLES)],
    ["loses its padding", Buffer.concat([frame(JFIF, TABLES), Buffer.of(0)]), frame(JFIF, TABLES)],
    ["keeps its encoder's signature", frame(signature), frame(signature)],
    ["keeps what tells its colours", frame(ADOBE), frame(ADOBE)],
    [
      "of JPEG-LS keeps its transform and parameters",
      losslessFrame(0xf7, transform, table),
      losslessFrame(0xf7, transform, table),
    ],
    ["keeps its Huffman codes", frame(huffman(Buffer.of(0, 5))), frame(huffman(Buffer.of(0, 5)))],
    ["keeps its restart interval", frame(segment(0xdd, Buffer.of(0, 4))), frame(segment(0xdd, Buffer.of(0, 4)))],
    [
      "keeps its number of lines",
      Buffer.concat([SOI, SOF, SCAN, segment(0xdc, Buffer.of(0, 2)), EOI]),
      Buffer.concat([SOI, SOF, SCAN, segment(0xdc, Buffer.of(0, 2)), EOI]),
    ],
    ["loses what claims to be JFIF a second time", frame(JFIF, JFIF), frame(JFIF), "application-segment"],
    [
      "loses what is behind Adobe's part of its segment",
      frame(segment(0xee, Buffer.concat([ADOBE.subarray(4), Buffer.from("Brandybuck")]))),
      frame(ADOBE),
      "application-segment",
    ],
    ...["JFIF\0Brandybuck", "JFXX\0Brandybuck"].map((body) => notIts("JFIF", 0xe0, body)),
    ...["AdobeBrandybuck", "Adobe\0\x64Brandy"].map((body) => notIts("Adobe's", 0xee, body)),
    notIts("a transform", 0xe8, "mrfxB"),
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
    ["without an end is refused", Buffer.concat([SOI, SOF, SCAN]), "truncated"],
    ["that is none is refused", Buffer.from("Brandybuck"), "no-start-of-image"],
    ["with bytes between segments is refused", Buffer.concat([SOI, Buffer.from("hi"), TABLES, SCAN, EOI]), "marker"],
    ["with a segment nobody knows is refused", frame(segment(0xf0, Buffer.from("Brandybuck"))), "marker"],
  ])("%s", (_name, bytes, ...expected) => {
    expect(outcomeOf(bytes, scanJpegFrame(bytes))).toEqual(expected);
  });
});

describe("the size a JPEG frame tells", () => {
  const withoutLines = segment(0xc0, Buffer.of(8, 0, 0, 0, 3, 1, 1, 0x11, 0));
  const lines = (count: number): Buffer => segment(0xdc, Buffer.of(0, count));
  const oversize = segment(0xf8, Buffer.of(4, 2, 0, 2, 0, 3));
  const nothing = segment(0xf7, Buffer.of(8, 0, 0, 0, 0, 1, 1, 0x11, 0));
  it.each<[string, Buffer]>([
    ["in its frame header", frame()],
    ["behind its first scan", Buffer.concat([SOI, withoutLines, SCAN, lines(2), EOI])],
    ["in parameters of JPEG-LS", Buffer.concat([SOI, nothing, oversize, SCAN, EOI])],
  ])("%s", (_name, bytes) => {
    expect(scanJpegFrame(bytes)).toMatchObject({ shape: { rows: 2, columns: 3, samplesPerPixel: 1, bits: 8 } });
  });

  it.each<[string, Buffer]>([
    ["behind its first scan", Buffer.concat([SOI, SOF, SCAN, lines(9), EOI])],
    ["in parameters of JPEG-LS", losslessFrame(0xf7, segment(0xf8, Buffer.of(4, 2, 0, 9, 0, 3)))],
  ])("is not told otherwise %s", (_name, bytes) => {
    expect(outcomeOf(bytes, scanJpegFrame(bytes))).toEqual(["marker"]);
  });
});

describe("a JPEG frame is refused, as what a segment of it holds is not its own:", () => {
  const name = Buffer.from("Brandybuck");
  it.each<[string, Buffer]>([
    ["number of lines", frame(segment(0xdc, name))],
    ["number of lines before the scan", frame(segment(0xdc, Buffer.of(0, 2)))],
    ["restart interval", frame(segment(0xdd, name))],
    ["restart interval of 4 bytes outside JPEG-LS", frame(segment(0xdd, Buffer.from("Bran")))],
    ["frame header", Buffer.concat([SOI, segment(0xc0, Buffer.concat([SIZE, name])), SCAN, EOI])],
    ["frame header of 10 components", Buffer.concat([SOI, segment(0xc0, Buffer.alloc(36, 10)), SCAN, EOI])],
    ["second frame header", frame(SOF)],
    ["frame of a hierarchy", frame(segment(0xc5, SIZE))],
    ["scan header", Buffer.concat([SOI, SOF, segment(0xda, name), EOI])],
    ["scan of no frame", Buffer.concat([SOI, SCAN, SOF, EOI])],
    ["second scan of a component", Buffer.concat([SOI, SOF, SCAN, SCAN, EOI])],
    ["quantization tables", frame(segment(0xdb, name))],
    ["Huffman tables", frame(segment(0xc4, Buffer.concat([Buffer.of(0, 0, 2), Buffer.alloc(14), name])))],
    [
      "Huffman codes",
      frame(
        segment(0xc4, Buffer.concat([Buffer.of(0x10, 0, 0, 0, 13), Buffer.alloc(12), Buffer.from("Peregrin Took")])),
      ),
    ],
    ["conditioning of arithmetic codes", frame(segment(0xcc, name))],
    ["JPEG-LS frame header", losslessFrame(0xf7, segment(0xf7, name))],
    ["JPEG-LS parameters", losslessFrame(0xf7, segment(0xf8, Buffer.concat([Buffer.of(1), Buffer.alloc(10), name])))],
    ["JPEG-LS mapping table", losslessFrame(0xf7, segment(0xf8, Buffer.concat([Buffer.of(2, 1, 1), name])))],
    ["JPEG-LS parameters outside it", frame(segment(0xf8, Buffer.concat([Buffer.of(1), Buffer.alloc(10)])))],
    ["quantization tables of JPEG-LS", losslessFrame(0xf7, TABLES)],
    ["quantization tables of a lossless frame", losslessFrame(0xc3, TABLES)],
    ["entropy-coded data", Buffer.concat([SOI, SOF, SCAN, Buffer.of(0xff, 0x42), name, EOI])],
  ])("%s", (_name, bytes) => {
    expect(outcomeOf(bytes, scanJpegFrame(bytes))).toEqual([expect.stringMatching(/^(?:marker|truncated)$/)]);
  });
});

describe("a JPEG 2000 frame", () => {
  const SOC = Buffer.of(0xff, 0x4f);
  /** 6 by 4 samples in one tile, one component of 8 bits. */
  const SIZ = segment(
    0x51,
    Buffer.from("0000000000060000000400000000000000000000000600000004" + "0000000000000000" + "0001" + "070101", "hex"),
  );
  /** Five levels, code-blocks of 64 by 64. */
  const COD = segment(0x52, Buffer.of(0, 0, 0, 1, 0, 5, 4, 4, 0, 1));
  /** Tile-part: index 0, length of 12 + the header's segments + 2 + 3 bytes, part 0 of 1; start of data; three bytes. */
  const tile = (...header: Buffer[]): Buffer => {
    const inner = Buffer.concat(header);
    const start = segment(0x90, Buffer.of(0, 0, 0, 0, 0, 17 + inner.length, 0, 1));
    return Buffer.concat([start, inner, Buffer.of(0xff, 0x93, 1, 2, 3)]);
  };
  /** A tile-part of other data. */
  const tileOf = (data: Buffer): Buffer =>
    Buffer.concat([segment(0x90, Buffer.of(0, 0, 0, 0, 0, 14 + data.length, 0, 1)), Buffer.of(0xff, 0x93), data]);
  const packet255 = Buffer.of(0xff, 0x91, 0, 4, 0, 0xff, 0xd9, 1, 2, 3);
  const comment = (body: string): Buffer => segment(0x64, Buffer.from(`\0\x01${body}`, "latin1"));
  const signed = comment("Created by OpenJPEG version 2.5.0");
  const named = comment("Brandybuck");
  const name = Buffer.from("Brandybuck");
  /** Tile-part lengths: index 0, no tile indexes, 32 bits each. */
  const lengths = (sizeBytes: number): Buffer => segment(0x55, Buffer.of(0, 0x40, 0, 0, 0, sizeBytes));
  const packets = (...sizes: number[]): Buffer => segment(0x58, Buffer.of(0, ...sizes));
  /** A word of 8 bits of quantization for each of the 16 subbands of five levels. */
  const steps = (count: number): Buffer => segment(0x5c, Buffer.concat([Buffer.of(0x40), Buffer.alloc(count, 72)]));
  const codestream = (...parts: Buffer[]): Buffer => Buffer.concat([SOC, SIZ, COD, ...parts, EOI]);
  /** The last tile-part need not tell its length. */
  const endless = (data: Buffer): Buffer =>
    Buffer.concat([segment(0x90, Buffer.of(0, 0, 0, 0, 0, 0, 0, 1)), Buffer.of(0xff, 0x93), data]);
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
    ["whose tile-part lengths stand elsewhere too is refused", codestream(lengths(31), tile(named)), "comment"],
    [
      "keeps lengths that are true",
      codestream(lengths(24), steps(16), tile(packets(1, 2))),
      codestream(lengths(24), steps(16), tile(packets(1, 2))),
    ],
    [
      "loses what no decoder needs",
      codestream(
        segment(0x63, Buffer.from("Bran")),
        segment(0x56, name),
        segment(0x57, name),
        segment(0x59, name),
        tile(),
      ),
      codestream(tile()),
      ...Array.from({ length: 4 }, () => "informative-segment"),
    ],
    ["may end without a length", codestream(endless(Buffer.of(1, 2, 3))), codestream(endless(Buffer.of(1, 2, 3)))],
    [
      "that ends without a length loses what is behind its first end",
      Buffer.concat([codestream(endless(Buffer.of(1, 2, 3))), name, EOI]),
      codestream(endless(Buffer.of(1, 2, 3))),
      "trailing-bytes",
    ],
    // Packet 255 by its SOP marker, and a packet whose first byte makes EOC of the number's last. ISO 15444-1 A.8.1.
    ["may number its packets", codestream(endless(packet255)), codestream(endless(packet255))],
    ["may number its packets where it tells its length", codestream(tileOf(packet255)), codestream(tileOf(packet255))],
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
    [
      "with another one in its file is refused",
      file(box("jp2c", codestream(tile())), box("jp2c", codestream(tile()))),
      "file-format",
    ],
    ["with a segment nobody knows is refused", codestream(segment(0x30, Buffer.from("Brandybuck")), tile()), "marker"],
    ["that is none is refused", Buffer.from("Brandybuck"), "no-start-of-image"],
  ])("%s", (_name, bytes, ...expected) => {
    expect(outcomeOf(bytes, scanJpeg2000Frame(bytes))).toEqual(expected);
  });

  it("tells its size by its largest component, from where the image begins", () => {
    const size = (hex: string): Buffer => segment(0x51, Buffer.from(hex, "hex"));
    const shapeOf = (siz: Buffer): unknown => {
      const scan = scanJpeg2000Frame(Buffer.concat([SOC, siz, COD, tile(), EOI]));
      return scan.kind === "readable" ? scan.shape : scan.finding;
    };
    expect(shapeOf(SIZ)).toEqual({ rows: 4, columns: 6, samplesPerPixel: 1, bits: 8 });
    const shared = size(
      ["0000", "00000008", "00000006", "00000002", "00000002", "00000009", "00000009"].join("") +
        ["0000000000000000", "0003", "070101", "8b0202", "070202"].join(""),
    );
    expect(shapeOf(shared)).toEqual({ rows: 4, columns: 6, samplesPerPixel: 3, bits: 12 });
    expect(shapeOf(Buffer.concat([SIZ.subarray(0, -1), Buffer.of(0)]))).toBe("marker");
  });

  it.each<[string, Buffer]>([
    ["size", Buffer.concat([SOC, segment(0x51, Buffer.concat([SIZ.subarray(4), name])), COD, tile(), EOI])],
    ["second size", codestream(SIZ, tile())],
    ["size that comes late", Buffer.concat([SOC, COD, SIZ, tile(), EOI])],
    ["capabilities", codestream(segment(0x50, name), tile())],
    ["coding style", codestream(segment(0x52, Buffer.concat([COD.subarray(4), name])), tile())],
    ["coding style of a component", codestream(segment(0x53, name), tile())],
    ["quantization of more subbands than there are", codestream(steps(19), tile())],
    ["quantization", codestream(segment(0x5c, name), tile())],
    ["quantization of a component", codestream(segment(0x5d, name), tile())],
    ["region of interest", codestream(segment(0x5e, name), tile())],
    ["progression", codestream(segment(0x5f, Buffer.from("Brandybuck Bur")), tile())],
    ["packed headers", codestream(segment(0x60, name), tile())],
    ["packed headers of a tile", codestream(tile(segment(0x61, name)))],
    ["lengths of packets", codestream(tile(packets(...name)))],
    ["lengths of packets outside tiles", codestream(packets(3), tile())],
    ["lengths of tile-parts", codestream(segment(0x55, Buffer.from("\0\x40Bran")), tile())],
    ["registration within a tile", codestream(tile(segment(0x63, Buffer.from("Bran"))))],
    ["transform of part 2", codestream(segment(0x74, name), tile())],
    [
      "tile there is not",
      codestream(Buffer.concat([segment(0x90, Buffer.of(0, 1, 0, 0, 0, 17, 0, 1)), Buffer.of(0xff, 0x93, 1, 2, 3)])),
    ],
    [
      "data of a tile",
      codestream(
        Buffer.concat([segment(0x90, Buffer.of(0, 0, 0, 0, 0, 26, 0, 1)), Buffer.of(0xff, 0x93, 0xff, 0xd9), name]),
      ),
    ],
  ])("is refused, as what a segment holds is not its own: %s", (_name, bytes) => {
    expect(outcomeOf(bytes, scanJpeg2000Frame(bytes))).toEqual(["marker"]);
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
