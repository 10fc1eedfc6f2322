import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findCorpus } from "../../../test/peers/corpus.ts";
import { type Peer, requirePeer } from "../../../test/peers/require-peer.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf } from "../../dicom/values.ts";
import { writePart10 } from "../../dicom/writer.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier } from "../deidentifier.ts";
import { composeSource } from "../engine/composed-source.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { type CorpusFile, chosen, decodedBy, soundFiles } from "../testing/corpus-images.ts";
import { put } from "../testing/objects.ts";
import { pixelLayoutOf } from "./pixel-layout.ts";
import { type PixelSettings, USUAL_PIXELS } from "./pixel-settings.ts";
import { PIXEL_GROUPS } from "./sop-classes.ts";

const PIXEL_DATA = tagOf(0x7fe00010);
const RLE = "1.2.840.10008.1.2.5";
/** What is planted into compressed frames. */
const TOKEN = "QZTOKEN7731";
const corpus = findCorpus();
let folder = "";
let objects: readonly CorpusFile[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pixels-peers-"));
  objects = corpus === undefined ? [] : await soundFiles(corpus);
});
afterAll(() => rm(folder, { recursive: true }));

async function deidentify(path: string, pixels: Partial<PixelSettings>): Promise<InstanceOutcome> {
  const settings = { ...USUAL_PIXELS, allow: [...PIXEL_GROUPS], allowAbsent: "test", ...pixels };
  const profile = { ...loadProfile("research"), pixels: settings };
  const engine = createDeidentifier({ profile, key: projectKeyOf(Buffer.alloc(32, 8)), filters: {} });
  const task = { path, outputPath: join(folder, "out.dcm"), participantId: undefined, seriesInstanceCount: 1 };
  return engine.instance(task, neverAborted());
}

function segment(marker: number, text: string): Buffer {
  const body = Buffer.from(text, "latin1");
  return Buffer.concat([Buffer.of(0xff, marker, (body.length + 2) >>> 8, (body.length + 2) & 0xff), body]);
}

/** What a sender may leave in the first frame: Exif, XMP and a comment of JPEG behind its start, or a comment of JPEG 2000 behind SIZ; text behind the end. A JP2 file is bad enough as it is. */
function planted(frame: Buffer): Buffer {
  if (frame.toString("latin1", 4, 8) === "jP  ") return frame;
  const isJpeg2000 = frame[1] === 0x4f;
  const exif = segment(0xe1, `Exif\0\0MM\0*\0\0\0\b${TOKEN}`);
  const xmp = segment(0xe1, `http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>${TOKEN}</x:xmpmeta>`);
  const metadata = isJpeg2000 ? [segment(0x64, `\0\x01${TOKEN}`)] : [exif, xmp, segment(0xfe, TOKEN)];
  // Start of image, or start of codestream and SIZ with its length behind the marker.
  const head = isJpeg2000 ? 4 + frame.readUInt16BE(4) : 2;
  return Buffer.concat([frame.subarray(0, head), ...metadata, frame.subarray(head), Buffer.from(`${TOKEN} `)]);
}

/** The object with its first frame so changed; undefined: several frames, and not one to a fragment. */
async function plant(path: string): Promise<string | undefined> {
  await using file = await readPart10File(path);
  const element = file.dataSet.get(PIXEL_DATA);
  const frames = pixelLayoutOf(file.dataSet, false)?.frames ?? 0;
  if (element?.value.kind !== "fragments") return undefined;
  const all = element.value.fragments.slice(1);
  if (frames !== 1 && frames !== all.length) return undefined;
  const first = frames === 1 ? all : all.slice(0, 1);
  const parts = await Promise.all(first.map(({ offset, length }) => file.source.read(offset, length)));
  const source = composeSource(file.source);
  const frame = source.append(planted(Buffer.concat(parts)));
  const fragments = [source.append(new Uint8Array()), frame, ...all.slice(first.length)];
  const changed = { ...element, value: { kind: "fragments", fragments } as const };
  const dataSet = dataSetOf([...[...file.dataSet.values()].filter(({ tag }) => tag !== PIXEL_DATA), changed]);
  const chunks: Uint8Array[] = [];
  const { meta, transferSyntaxUid } = file;
  await writePart10(
    { write: (chunk) => void chunks.push(Buffer.from(chunk)) },
    { meta, dataSet, transferSyntaxUid, source },
  );
  return put(join(folder, "planted.dcm"), Buffer.concat(chunks));
}

describe.runIf(corpus !== undefined).each<[string, Peer, RegExp, number]>([
  ["JPEG", "dcmdjpeg", /^1\.2\.840\.10008\.1\.2\.4\.(?:50|51|57|70)$/, 5],
  ["JPEG-LS", "gdcmconv", /^1\.2\.840\.10008\.1\.2\.4\.8[01]$/, 2],
  ["JPEG 2000", "gdcmconv", /^1\.2\.840\.10008\.1\.2\.4\.9[01]$/, 6],
])("metadata in %s", (_name, program, transferSyntax, least) => {
  it.runIf(requirePeer(program))(
    `is gone, and ${program} decodes the same pixels`,
    async () => {
      let compared = 0;
      for (const { path } of chosen(objects, transferSyntax)) {
        const input = await plant(path);
        const before = await decodedBy(program, path, join(folder, "before.dcm"));
        if (input === undefined || before === undefined) continue;
        const outcome = await deidentify(input, {});
        if (outcome.kind !== "deidentified") continue;
        expect((await readFile(outcome.file.path)).includes(TOKEN)).toBe(false);
        const after = await decodedBy(program, outcome.file.path, join(folder, "after.dcm"));
        expect(after?.pixels.equals(before.pixels), path).toBe(true);
        expect(await deidentify(input, { jpegMetadata: "reject" })).toMatchObject({
          code: "COMPRESSED_PIXEL_METADATA",
        });
        compared += 1;
      }
      expect(compared).toBeGreaterThanOrEqual(least);
    },
    60_000,
  );
});

it.runIf(corpus !== undefined)("RLE as archives have it passes as it is, byte for byte", async () => {
  let compared = 0;
  for (const { path } of chosen(objects, /^1\.2\.840\.10008\.1\.2\.5$/)) {
    const outcome = await deidentify(path, {});
    if (outcome.kind !== "deidentified") continue;
    await using before = await readPart10File(path);
    await using after = await readPart10File(outcome.file.path);
    const fragmentsOf = async ({ dataSet, source }: typeof before): Promise<Buffer> => {
      const { value } = dataSet.get(PIXEL_DATA) ?? {};
      const ranges = value?.kind === "fragments" ? value.fragments.slice(1) : [];
      return Buffer.concat(await Promise.all(ranges.map(({ offset, length }) => source.read(offset, length))));
    };
    expect(after.transferSyntaxUid).toBe(RLE);
    expect((await fragmentsOf(after)).equals(await fragmentsOf(before))).toBe(true);
    compared += 1;
  }
  expect(compared).toBeGreaterThanOrEqual(4);
});
