import { describe, expect, it } from "vitest";
import { USUAL_PIXELS } from "../../../src/deid/pixels/pixel-settings.ts";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { requirePeer } from "../../peers/require-peer.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { deidentify, expectGone, expectRefused } from "./support/engine.ts";
import { CODECS, compressed, decodedPixels, metadataOffset, metadataSegments, withFrame } from "./support/jpeg.ts";
import { createTokens } from "./support/tokens.ts";

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
    const text = (): Buffer => Buffer.from(`${tokens.text()}  `);
    const changes: readonly ((frame: Buffer) => readonly Uint8Array[])[] = [
      (frame) => [Buffer.concat(boxes(frame))],
      () => [text()],
      (frame) => [text(), frame],
      (frame) => [frame, text()],
      (frame) => [Buffer.concat([text(), frame])],
    ];
    for (const change of changes) {
      const result = await deidentify(await withFrame(folder.path, change), profile);
      if (result.outcome.kind === "rejected") expectRefused(result, tokens);
      else expectGone(result, tokens);
    }
  });
});
