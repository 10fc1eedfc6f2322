import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findCorpus } from "../../../test/peers/corpus.ts";
import { newDciodvfyErrors } from "../../../test/peers/dciodvfy.ts";
import { findPeer, type Peer, requirePeer } from "../../../test/peers/require-peer.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier } from "../deidentifier.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import {
  type CorpusFile,
  chosen,
  decodedBy,
  lowerHalves,
  type Native,
  nativePixels,
  soundFiles,
} from "../testing/corpus-images.ts";
import type { ExternalCodec } from "./external-codec.ts";
import { USUAL_PIXELS } from "./pixel-settings.ts";

/** Larger ones tell no more, and take longer. */
const LARGEST_BYTES = 400_000;

const corpus = findCorpus();
let folder = "";
let objects: readonly CorpusFile[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "masked-peers-"));
  objects =
    corpus === undefined ? [] : await (await soundFiles(corpus)).filter(({ sizeBytes }) => sizeBytes <= LARGEST_BYTES);
});
afterAll(() => rm(folder, { recursive: true }));

/** Its upper half is blackened, whatever it is. */
async function maskUpperHalf(
  { path, sopClassUid }: CorpusFile,
  { layout: { rows, columns } }: Native,
  codecs: readonly ExternalCodec[] = [],
): Promise<InstanceOutcome> {
  const area = {
    kind: "rectangles",
    rectangles: [{ x: 0, y: 0, width: columns, height: Math.ceil(rows / 2) }],
  } as const;
  const masks = [{ name: "upper-half", when: { rows, columns, sopClassUids: [sopClassUid] }, area }];
  const profile = { ...loadProfile("research"), pixels: { ...USUAL_PIXELS, masks } };
  const engine = createDeidentifier({ profile, key: projectKeyOf(Buffer.alloc(32, 8)), filters: {}, codecs });
  const task = { path, outputPath: join(folder, "out.dcm"), participantId: undefined, seriesInstanceCount: 1 };
  return engine.instance(task, neverAborted());
}

/** What the mask left, beside what was there, and what dciodvfy holds against the result alone. */
async function compareMasked(
  object: CorpusFile,
  expected: Native,
  codecs: readonly ExternalCodec[] = [],
): Promise<InstanceOutcome> {
  const outcome = await maskUpperHalf(object, expected, codecs);
  if (outcome.kind !== "deidentified") return outcome;
  const { layout, pixels } = await nativePixels(outcome.file.path);
  const height = Math.ceil(layout.rows / 2);
  const whole = expected.pixels.subarray(0, pixels.length);
  expect(lowerHalves(layout, height, pixels).equals(lowerHalves(expected.layout, height, whole)), object.path).toBe(
    true,
  );
  expect(layout.photometricInterpretation).toBe(expected.layout.photometricInterpretation);
  if (!requirePeer("dciodvfy")) return outcome;
  expect(await newDciodvfyErrors(object.path, outcome.file.path), object.path).toEqual([]);
  return outcome;
}

/** The tiny programs that sites put between us and a decoder of theirs. */
async function wrapperOf(program: Peer, options: string): Promise<string> {
  const path = join(folder, `${program}.sh`);
  await writeFile(path, `#!/bin/sh\ncat > in && ${findPeer(program)} ${options} in out > log 2>&1 && cat out\n`, {
    mode: 0o700,
  });
  return path;
}

describe.runIf(corpus !== undefined).each<[string, Peer, string, RegExp, number]>([
  ["JPEG", "dcmdjpeg", "", /^1\.2\.840\.10008\.1\.2\.4\.(?:50|51|57|70)$/, 5],
  ["JPEG-LS", "gdcmconv", "--raw", /^1\.2\.840\.10008\.1\.2\.4\.8[01]$/, 2],
  ["JPEG 2000", "gdcmconv", "--raw", /^1\.2\.840\.10008\.1\.2\.4\.9[01]$/, 5],
])("a mask on %s with a site's codec", (_name, program, options, transferSyntax, enough) => {
  it.runIf(requirePeer(program))(
    `is what ${program} decodes, but for the upper half, and adds no error`,
    async () => {
      const command = [await wrapperOf(program, options)];
      let compared = 0;
      for (const object of chosen(objects, transferSyntax)) {
        if (compared === enough) break;
        const expected = await decodedBy(program, object.path, join(folder, "expected.dcm"));
        if (expected === undefined) continue;
        const codec = { transferSyntaxUids: [object.transferSyntaxUid], command, timeoutMs: 30_000 };
        const outcome = await compareMasked(object, expected, [codec]);
        if (outcome.kind === "deidentified") compared += 1;
      }
      expect(compared).toBe(enough);
    },
    60_000,
  );
});

describe.runIf(corpus !== undefined && requirePeer("dcmdrle"))("a mask on images that need no codec", () => {
  it.each<[string, RegExp, number]>([
    ["RLE", /^1\.2\.840\.10008\.1\.2\.5$/, 5],
    ["uncompressed", /^1\.2\.840\.10008\.1\.2(?:\.1)?$/, 5],
  ])(
    "adds no error to %s",
    async (name, transferSyntax, enough) => {
      let compared = 0;
      for (const object of chosen(objects, transferSyntax)) {
        if (compared === enough) break;
        const expected =
          name === "RLE"
            ? await decodedBy("dcmdrle", object.path, join(folder, "expected.dcm"))
            : await nativePixels(object.path).catch(() => undefined);
        if (expected === undefined) continue;
        const outcome = await compareMasked(object, expected);
        if (outcome.kind === "deidentified") compared += 1;
      }
      expect(compared).toBe(enough);
    },
    60_000,
  );
});
