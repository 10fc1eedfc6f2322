import { deepStrictEqual, ok } from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDeidentifier } from "../../src/deid/deidentifier.ts";
import { loadProfile } from "../../src/deid/profiles/load-profile.ts";
import { projectKeyOf } from "../../src/deid/pseudonyms/project-key.ts";
import { bytesSource, readPart10 } from "../../src/dicom/reader.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { tracesOf } from "../acceptance/deidentification/support/traces.ts";
import { corpusSeeds } from "./corpus-seeds.ts";
import { deidSeeds } from "./deid-seeds.ts";
import type { FuzzTarget } from "./target.ts";

/** The synthetic ones are damaged in every second round or so, however many the corpus has. */
const SYNTHETIC_SHARE = 24;
const PIXEL_DATA = [tagOf(0x7fe00008), tagOf(0x7fe00009), tagOf(0x7fe00010)];
const engines = ["basic", "research"].map((name) =>
  createDeidentifier({ profile: loadProfile(name), key: projectKeyOf(Buffer.alloc(32, 25)), filters: {} }),
);
const planted = deidSeeds();

/** De-identification with its verification: whatever comes in, nothing goes out unproven, and no planted identifier does. */
export const deidTarget: FuzzTarget = {
  name: "deid",
  seeds: async () => {
    const { seeds } = await planted;
    return [
      ...Array.from({ length: SYNTHETIC_SHARE }, () => seeds).flat(),
      ...(await corpusSeeds(process.env.RADFERRY_CORPUS)),
    ];
  },
  run: async (input, random) => {
    const engine = engines[Math.floor(random.next() * engines.length)];
    const folder = await mkdtemp(join(tmpdir(), "radferry-fuzz-deid-"));
    try {
      const [path, outputPath] = [join(folder, "in.dcm"), join(folder, "out.dcm")];
      await writeFile(path, input);
      const task = { path, outputPath, participantId: undefined, seriesInstanceCount: 9 };
      const outcome = await engine?.instance(task, neverAborted());
      const left = (await readdir(folder)).filter((name) => name !== "in.dcm");
      deepStrictEqual(left, outcome?.kind === "deidentified" ? ["out.dcm"] : [], "files beside the outcome");
      if (outcome?.kind !== "deidentified") return outcome?.kind === "rejected" ? outcome.code : "excluded";
      ok((await engine?.verify(task, neverAborted()))?.ok, "an output that does not verify");
      await judgeOutput(await readFile(outputPath));
      return "deidentified";
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

/** Sound, and without any planted identifier but for what damage moved into the pixels. */
async function judgeOutput(bytes: Buffer): Promise<void> {
  const { findings, layout, dataSet } = await readPart10(bytesSource(bytes));
  deepStrictEqual(findings, [], "an output that is odd");
  const isNative = PIXEL_DATA.some((tag) => dataSet.get(tag)?.value.kind !== "fragments");
  const at = layout?.tags.findIndex((tag) => PIXEL_DATA.includes(tag)) ?? -1;
  const start = at < 0 || !isNative ? bytes.length : (layout?.offsets[at] ?? 0);
  const end = layout?.offsets[at + 1] ?? layout?.endOffset ?? bytes.length;
  const searched = Buffer.concat([bytes.subarray(0, start), bytes.subarray(Math.max(start, end))]);
  deepStrictEqual(tracesOf(searched, (await planted).marks), [], "a planted identifier leaves");
}
