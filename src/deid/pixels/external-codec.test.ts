import { watch } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DataElement } from "../../dicom/data-set.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { element, textOf } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier } from "../deidentifier.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import {
  encapsulatedFile,
  GREY_8,
  type ImageShape,
  nativeFile,
  ultrasoundImage,
  withPixels,
} from "../testing/images.ts";
import { put, SOP_CLASSES, text } from "../testing/objects.ts";
import type { ExternalCodec } from "./external-codec.ts";
import { USUAL_PIXELS } from "./pixel-settings.ts";

const JPEG_BASELINE = "1.2.840.10008.1.2.4.50";
const JPEG_2000 = "1.2.840.10008.1.2.4.91";
/** Two frames of anything: no test here decodes them. */
const FRAMES = [Buffer.from("ffd8first frame!ffd9"), Buffer.from("ffd8second frame ffd9")];
const MASK = {
  name: "banner",
  when: { rows: 6, columns: 8, sopClassUids: [SOP_CLASSES.us] },
  area: { kind: "rectangles", rectangles: [{ x: 0, y: 0, width: 8, height: 2 }] },
} as const;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "codec-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A codec that is a shell script; what is in `decoded` is its file `decoded.dcm`. */
async function codecOf(script: string, changes: Partial<ExternalCodec> = {}): Promise<ExternalCodec> {
  const path = join(folder, "codec.sh");
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  return { transferSyntaxUids: [JPEG_BASELINE], command: [path], timeoutMs: 20_000, ...changes };
}

interface Masked {
  readonly outcome: InstanceOutcome;
  /** What is left in the folder of the output. */
  readonly left: readonly string[];
}

async function mask(
  codecs: readonly ExternalCodec[],
  changes: readonly DataElement[] = [],
  { shape = GREY_8, transferSyntaxUid = JPEG_BASELINE, frames = FRAMES, signal = neverAborted() } = {},
): Promise<Masked> {
  const input = await encapsulatedFile(ultrasoundImage(shape, changes), frames, transferSyntaxUid);
  const path = await put(join(folder, "in.dcm"), input);
  const profile = { ...loadProfile("research"), pixels: { ...USUAL_PIXELS, masks: [MASK] } };
  const engine = createDeidentifier({ profile, key: projectKeyOf(Buffer.alloc(32, 4)), filters: {}, codecs });
  const outputPath = join(folder, "out", "out.dcm");
  const task = { path, outputPath, participantId: undefined, seriesInstanceCount: 1 };
  const outcome = await engine.instance(task, signal);
  return { outcome, left: await readdir(join(folder, "out")).catch(() => []) };
}

async function decodedFile(shape: ImageShape, pixels: Uint8Array): Promise<string> {
  return put(
    join(folder, "decoded.dcm"),
    await nativeFile(withPixels(ultrasoundImage(shape), pixels, "OB"), "1.2.840.10008.1.2.1"),
  );
}

/** Every pixel 9. */
function plain(shape: ImageShape): Buffer {
  return Buffer.alloc(shape.rows * shape.columns * shape.samplesPerPixel * shape.frames, 9);
}

async function outputOf({ outcome }: Masked): Promise<{ value: (tag: number) => string | undefined; pixels: Buffer }> {
  if (outcome.kind !== "deidentified") throw new Error(JSON.stringify(outcome));
  await using file = await readPart10File(outcome.file.path);
  expect(file.transferSyntaxUid).toBe("1.2.840.10008.1.2.1");
  const { value } = file.dataSet.get(tagOf(0x7fe00010)) ?? {};
  const range = value?.kind === "range" ? value.range : { offset: 0, length: 0 };
  const pixels = value?.kind === "bytes" ? value.bytes : await file.source.read(range.offset, range.length);
  return { value: (tag) => textOf(file.dataSet, tagOf(tag)), pixels: Buffer.from(pixels) };
}

describe("a mask on a compressed image", () => {
  it("is made on what the site's codec decodes, and leaves uncompressed", async () => {
    await decodedFile(GREY_8, plain(GREY_8));
    const masked = await mask([await codecOf(`cat > /dev/null; cat "${folder}/decoded.dcm"`)]);
    const { value, pixels } = await outputOf(masked);
    for (const frame of [pixels.subarray(0, 48), pixels.subarray(48)])
      expect([...frame]).toEqual([...Array<number>(16).fill(0), ...Array<number>(32).fill(9)]);
    expect(value(0x00280301)).toBe("NO");
    expect(value(0x00080008)).toMatch(/^DERIVED/);
    expect(value(0x00282110)).toBe("01");
    expect(masked.left).toEqual(["out.dcm"]);
    if (masked.outcome.kind !== "deidentified") return;
    expect(masked.outcome.summary.notes.get("pixels-decoded-by-codec")).toBe(1);
  });

  it("takes the colours the codec decoded to", async () => {
    const compressed: ImageShape = { ...GREY_8, photometricInterpretation: "YBR_FULL_422", samplesPerPixel: 3 };
    const decoded: ImageShape = { ...compressed, photometricInterpretation: "RGB", planarConfiguration: 1 };
    await decodedFile(decoded, plain(decoded));
    const script = `cat > /dev/null; cat "${folder}/decoded.dcm"`;
    const { value, pixels } = await outputOf(await mask([await codecOf(script)], [], { shape: compressed }));
    expect(value(0x00280004)).toBe("RGB");
    expect([...pixels.subarray(0, 16), pixels[16], pixels[48], pixels[48 + 16]]).toEqual([
      ...Array<number>(16).fill(0),
      ...[9, 0, 9],
    ]);
  });

  it("is not made where a frame has as many samples in another width and height", async () => {
    await decodedFile(GREY_8, plain(GREY_8));
    // Start of image; 3 lines of 16 samples of 8 bits; one scan of a byte; end of image. ISO 10918-1 B.2.2, B.2.3.
    const frame = Buffer.from(
      "ffd8" + "ffc0000b08000300100101110" + "0" + "ffda0008010100003f00" + "11" + "ffd9",
      "hex",
    );
    const codec = await codecOf(`cat > /dev/null; cat "${folder}/decoded.dcm"`);
    const { outcome, left } = await mask([codec], [], { frames: [frame, frame] });
    expect(outcome).toMatchObject({ code: "PIXEL_DATA_INCONSISTENT", reason: "frame-header" });
    expect(left).toEqual([]);
  });

  it.each([
    ["was lossy", JPEG_2000, "01", "01"],
    ["denies a loss that its compression does not prove", JPEG_2000, "00", "00"],
    ["says nothing, and may have lost something", JPEG_2000, undefined, "01"],
    ["denies a loss that its compression proves", JPEG_BASELINE, "00", "01"],
    ["lost nothing", "1.2.840.10008.1.2.4.90", undefined, undefined],
  ])("says what it lost when it %s", async (_name, transferSyntaxUid, stated, expected) => {
    await decodedFile(GREY_8, plain(GREY_8));
    const script = `cat > /dev/null; cat "${folder}/decoded.dcm"`;
    const codec = await codecOf(script, { transferSyntaxUids: [transferSyntaxUid] });
    const changes = stated === undefined ? [] : [text(0x00282110, stated)];
    const { value } = await outputOf(await mask([codec], changes, { transferSyntaxUid }));
    expect(value(0x00282110)).toBe(expected);
  });
});

describe("the codec", () => {
  it("is given the image and nothing else of the object, no environment and a folder of its own", async () => {
    await decodedFile(GREY_8, plain(GREY_8));
    const script = `cat > "${folder}/given.dcm"; /usr/bin/env > "${folder}/environment"; pwd > "${folder}/where"; /bin/ls -ld . > "${folder}/mode"
      cat "${folder}/decoded.dcm"`;
    await outputOf(await mask([await codecOf(script)]));
    const given = await readFile(join(folder, "given.dcm"), "latin1");
    expect(given).toContain(FRAMES[1]?.toString("latin1"));
    for (const identifier of ["Brandybuck", "MRN4455667", "20240229", "1.2.826.0.1.3680043"])
      expect(given).not.toContain(identifier);
    expect(await readFile(join(folder, "environment"), "utf8")).not.toContain("HOME");
    expect(await readFile(join(folder, "where"), "utf8")).toMatch(/\/out\/\.codec-\w+\n$/);
    expect(await readFile(join(folder, "mode"), "utf8")).toMatch(/^drwx------/);
  });

  const decodes = (script: string): string => `cat > /dev/null; ${script}`;
  it.each<[string, string, Partial<ExternalCodec>, string]>([
    ["hangs", "sleep 600 & sleep 600", { timeoutMs: 200 }, "codec-timeout"],
    ["closes its output and hangs", "exec >&-; sleep 600", { timeoutMs: 200 }, "codec-timeout"],
    ["says too much", "while :; do echo 0123456789012345678901234567890123456789; done", {}, "codec-output-too-large"],
    ["fails", "exit 3", {}, "codec-failed"],
    ["crashes", "kill -SEGV $$", {}, "codec-failed"],
    ["is not there", "", { command: ["/nowhere/decode"] }, "codec-missing"],
    ["says nothing", decodes(":"), {}, "codec-output"],
    ["says something else", decodes("echo this is no DICOM file, and Brandybuck is a name"), {}, "codec-output"],
    ["gives back what it was given", "cat", {}, "codec-output"],
    ["is for another compression", "cat", { transferSyntaxUids: [JPEG_2000] }, "mask-needs-codec"],
  ])("%s: the object is rejected, and nothing stays", async (_name, script, changes, reason) => {
    const masked = await mask([await codecOf(script, changes)]);
    expect(masked.outcome).toEqual({ kind: "rejected", code: "PIXEL_MASK_NOT_APPLICABLE", reason });
    expect(masked.left).toEqual([]);
  });

  it.each<[string, ImageShape, number, string]>([
    ["size", { ...GREY_8, rows: 5 }, 0, "codec-layout"],
    ["number of frames", { ...GREY_8, frames: 1 }, 0, "codec-layout"],
    ["kind of colour", { ...GREY_8, photometricInterpretation: "MONOCHROME1" }, 0, "codec-layout"],
    ["number of bytes, too few", GREY_8, -2, "codec-size"],
    ["number of bytes, too many", GREY_8, 2, "codec-size"],
  ])("decodes to another %s: the object is rejected", async (_name, shape, more, reason) => {
    await decodedFile(shape, Buffer.alloc(plain(shape).length + more, 9));
    const { outcome, left } = await mask([await codecOf(decodes(`cat "${folder}/decoded.dcm"`))]);
    expect(outcome).toEqual({ kind: "rejected", code: "PIXEL_MASK_NOT_APPLICABLE", reason });
    expect(left).toEqual([]);
  });

  it("ends when the work is stopped", async () => {
    const stop = new AbortController();
    const codec = await codecOf(`echo started > "${folder}/started"; exec sleep 600`);
    const watcher = watch(folder, (_event, name) => {
      if (name === "started") stop.abort(new Error("stopped"));
    });
    await expect(mask([codec], [], { signal: stop.signal })).rejects.toThrow("stopped");
    watcher.close();
    expect(await readdir(join(folder, "out"))).toEqual([]);
  });

  it("is not asked about colours it could be told a name with", async () => {
    const named = element(tagOf(0x00280004), "CS", Buffer.from("BRANDYBUCK"));
    const { outcome } = await mask([await codecOf("cat")], [named]);
    expect(outcome).toMatchObject({ reason: "mask-photometric-interpretation" });
  });
});
