import { describe, expect, it } from "vitest";
import { inspectJpeg2000Frame, inspectJpegFrame } from "./jpeg-markers.ts";
import { inspectRleFrame } from "./rle-frame.ts";

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
  it.each([
    ["of tables and a scan", frame(TABLES), undefined],
    ["with JFIF and a padding byte", Buffer.concat([frame(JFIF, TABLES), Buffer.of(0)]), undefined],
    ["signed by its encoder", frame(segment(0xfe, Buffer.from("LEAD Technologies Inc. V1.01\0"))), undefined],
    ["with a comment", frame(segment(0xfe, Buffer.from("Brandybuck"))), "comment"],
    ["with EXIF", frame(segment(0xe1, Buffer.from("Exif\0\0"))), "application-segment"],
    [
      "with a JFIF thumbnail",
      frame(segment(0xe0, Buffer.from("JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01abc", "latin1"))),
      "application-segment",
    ],
    ["with bytes behind the end", Buffer.concat([frame(TABLES), Buffer.from("Brandybuck")]), "trailing-bytes"],
    ["with no end", Buffer.concat([SOI, TABLES, SCAN]), "truncated"],
    ["that is none", Buffer.from("Brandybuck"), "no-start-of-image"],
    ["with bytes between segments", Buffer.concat([SOI, Buffer.from("hi"), TABLES, SCAN, EOI]), "marker"],
  ])("%s", (_name, bytes, finding) => {
    expect(inspectJpegFrame(bytes)).toBe(finding);
  });
});

describe("a JPEG 2000 frame", () => {
  const SOC = Buffer.of(0xff, 0x4f);
  const SIZ = segment(0x51, Buffer.alloc(39));
  /** Tile-part: index 0, length of 12 + 2 + 3 bytes, part 0 of 1; start of data; three bytes. */
  const TILE = Buffer.concat([segment(0x90, Buffer.of(0, 0, 0, 0, 0, 17, 0, 1)), Buffer.of(0xff, 0x93, 1, 2, 3)]);
  const comment = (body: string): Buffer => segment(0x64, Buffer.from(`\0\x01${body}`, "latin1"));
  it.each([
    ["of headers and a tile", Buffer.concat([SOC, SIZ, TILE, EOI]), undefined],
    [
      "signed by its encoder",
      Buffer.concat([SOC, SIZ, comment("Created by OpenJPEG version 2.5.0"), TILE, EOI]),
      undefined,
    ],
    ["with a comment", Buffer.concat([SOC, SIZ, comment("Brandybuck"), TILE, EOI]), "comment"],
    ["with bytes behind the end", Buffer.concat([SOC, SIZ, TILE, EOI, Buffer.from("Brandybuck")]), "trailing-bytes"],
    ["in a file format", Buffer.from("\0\0\0\x0cjP  \r\n", "latin1"), "no-start-of-image"],
  ])("%s", (_name, bytes, finding) => {
    expect(inspectJpeg2000Frame(bytes)).toBe(finding);
  });
});

describe("an RLE frame", () => {
  /** One segment of 6 pixels: five times 7, then 9. */
  const rle = (body: Buffer): Buffer => {
    const header = Buffer.alloc(64);
    header.writeUInt32LE(1, 0);
    header.writeUInt32LE(64, 4);
    return Buffer.concat([header, body]);
  };
  const SEGMENT = Buffer.of(0xfc, 7, 0, 9);
  it.each([
    ["of one segment", rle(SEGMENT), undefined],
    ["with text behind the segment", rle(Buffer.concat([SEGMENT, Buffer.from("name")])), "trailing-bytes"],
    [
      "with text in unused offsets",
      Buffer.concat([rle(SEGMENT).subarray(0, 60), Buffer.from("name"), SEGMENT]),
      "marker",
    ],
    ["that is too short", rle(SEGMENT.subarray(0, 2)), "truncated"],
  ])("%s", (_name, bytes, finding) => {
    expect(inspectRleFrame(bytes, 6)).toBe(finding);
  });
});
