import { describe, expect, it } from "vitest";
import { USUAL_PIXELS } from "../../../src/deid/pixels/pixel-settings.ts";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { GREY_8, ultrasoundImage } from "../../../src/deid/testing/images.ts";
import { SOP_CLASSES, text } from "../../../src/deid/testing/objects.ts";
import { requirePeer } from "../../peers/require-peer.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { explicit, explicitOfUndefinedLength, item } from "./support/bytes.ts";
import { deidentify, expectGone, expectRefused } from "./support/engine.ts";
import { CODECS, compressed, decodedPixels, metadataOffset, metadataSegments, withFrame } from "./support/jpeg.ts";
import { fileIn } from "./support/objects.ts";
import { createTokens } from "./support/tokens.ts";

const RLE = "1.2.840.10008.1.2.5";
const profile = profileWith([]);
const rejecting = profileWith([], { pixels: { ...USUAL_PIXELS, jpegMetadata: "reject" } });

describe.runIf(requirePeer("dcmdjpeg") && requirePeer("gdcmconv"))("item 12: metadata in compressed frames", () => {
  it.each(Object.entries(CODECS))("%s: stripped, the decoded pixels are the same; or rejected", async (name, codec) => {
    await using folder = await temporaryFolder();
    const seed = 1200 + Object.keys(CODECS).indexOf(name);
    const sound = await compressed(codec, folder.path);
    const tokens = createTokens(seed);
    const planted = await withFrame(folder.path, (frame) => {
      const at = metadataOffset(frame, codec.kind);
      const segments = metadataSegments(codec.kind, tokens);
      const whole = Buffer.concat([frame.subarray(0, at), ...segments, frame.subarray(at), Buffer.from(tokens.text())]);
      return [whole];
    });
    const result = await deidentify(planted, profile);
    expectGone(result, tokens);
    const [before, after] = [
      await decodedPixels(codec, folder.path, sound),
      await decodedPixels(codec, folder.path, result.bytes),
    ];
    expect(new Set(before).size).toBeGreaterThan(50);
    expect(after.equals(before)).toBe(true);
    expect(expectRefused(await deidentify(planted, rejecting), tokens)).toMatch(/^COMPRESSED_PIXEL_METADATA/);
  });

  it("a frame in several fragments, cut within a segment: stripped or rejected", async () => {
    await using folder = await temporaryFolder();
    const codec = CODECS["JPEG Baseline"];
    if (codec === undefined) throw new Error("no such codec");
    const sound = await compressed(codec, folder.path);
    const tokens = createTokens(1210);
    const planted = await withFrame(folder.path, (frame) => {
      const whole = Buffer.concat([frame.subarray(0, 2), ...metadataSegments("jpeg", tokens), frame.subarray(2)]);
      return [whole.subarray(0, 40), whole.subarray(40, 90), whole.subarray(90)];
    });
    const result = await deidentify(planted, profile);
    if (result.outcome.kind === "rejected") expectRefused(result, tokens);
    else {
      expectGone(result, tokens);
      const decoded = await decodedPixels(codec, folder.path, result.bytes);
      expect(decoded.equals(await decodedPixels(codec, folder.path, sound))).toBe(true);
    }
  });

  it("what is no frame of the transfer syntax, and a JP2 file around the codestream: stripped or rejected", async () => {
    await using folder = await temporaryFolder();
    const codec = CODECS["JPEG 2000"];
    if (codec === undefined) throw new Error("no such codec");
    await compressed(codec, folder.path);
    const tokens = createTokens(1220);
    // Length, type, content. T.800 I.4.
    const box = (type: string, content: Uint8Array | string): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.from(content).length + 8);
      return Buffer.concat([length, Buffer.from(type), Buffer.from(content)]);
    };
    const boxes = (frame: Buffer): Buffer[] => [
      box("jP  ", Buffer.of(0x0d, 0x0a, 0x87, 0x0a)),
      box("ftyp", "jp2 \0\0\0\0jp2 "),
      box("xml ", `<patient>${tokens.text()}</patient>`),
      box("uuid", Buffer.concat([Buffer.alloc(16, 7), Buffer.from(tokens.text())])),
      box("jp2c", frame),
      box("xml ", tokens.text()),
    ];
    const words = (): Buffer => Buffer.from(`${tokens.text()}  `);
    const changes: readonly ((frame: Buffer) => readonly Uint8Array[])[] = [
      (frame) => [Buffer.concat(boxes(frame))],
      () => [words()],
      (frame) => [words(), frame],
      (frame) => [frame, words()],
      (frame) => [Buffer.concat([words(), frame])],
    ];
    for (const change of changes) {
      const result = await deidentify(await withFrame(folder.path, change), profile);
      if (result.outcome.kind === "rejected") expectRefused(result, tokens);
      else expectGone(result, tokens);
    }
  });
});

describe("item 12: text around the frames", () => {
  const image = ultrasoundImage({ ...GREY_8, frames: 1 }, [text(0x00080016, SOP_CLASSES.ct), text(0x00080060, "CT")]);
  const [rows, columns] = [GREY_8.rows, GREY_8.columns];
  const run = (value: number): Buffer => Buffer.concat([Buffer.of(columns - 1), Buffer.alloc(columns, value)]);
  const segmentOfRows = Buffer.concat(Array.from({ length: rows }, (_, row) => run(row + 1)));
  /** 16 words: how many segments, and where they begin. PS3.5 G.5. */
  const header = (offset: number, rest = ""): Buffer => {
    const bytes = Buffer.alloc(64);
    bytes.writeUInt32LE(1, 0);
    bytes.writeUInt32LE(offset, 4);
    bytes.write(rest, 8, "latin1");
    return bytes;
  };
  const sound = Buffer.concat([header(64), segmentOfRows]);
  const encapsulated = (offsetTable: Uint8Array, ...fragments: readonly Uint8Array[]): Promise<Buffer> => {
    const items = [item(offsetTable), ...fragments.map((fragment) => item(fragment))];
    return fileIn(RLE, image, explicitOfUndefinedLength(0x7fe00010, "OB", ...items));
  };

  it("a sound frame stays as it is", async () => {
    const result = await deidentify(await encapsulated(Buffer.alloc(0), sound), profile);
    expect(result.pixels.equals(sound)).toBe(true);
  });

  it("RLE: in the header, between header and segment, behind the segment, in fragments of its own: gone or rejected", async () => {
    const tokens = createTokens(1230);
    const token = (): Buffer => Buffer.from(tokens.text());
    const frames = [
      Buffer.concat([header(64, tokens.text()), segmentOfRows]),
      Buffer.concat([header(76), token(), segmentOfRows]),
      Buffer.concat([sound, token()]),
      Buffer.concat([token(), sound]),
      token(),
    ];
    const files = [
      ...frames.map((frame) => encapsulated(Buffer.alloc(0), frame)),
      encapsulated(Buffer.alloc(0), sound, token()),
      encapsulated(Buffer.alloc(0), token(), sound),
    ];
    for (const file of files) {
      const result = await deidentify(await file, profile);
      if (result.outcome.kind === "rejected") expectRefused(result, tokens);
      else expectGone(result, tokens);
    }
  });

  it("in the basic offset table, and in extended ones: made anew", async () => {
    const tokens = createTokens(1231);
    const tables = [0x7fe00001, 0x7fe00002].map((tag) => explicit(tag, "OV", `${tokens.text()}    `));
    const items = [item(Buffer.from(tokens.text())), item(sound)];
    const file = await fileIn(RLE, image, ...tables, explicitOfUndefinedLength(0x7fe00010, "OB", ...items));
    const result = await deidentify(file, profile);
    if (result.outcome.kind === "rejected") expectRefused(result, tokens);
    else expectGone(result, tokens);
  });
});
