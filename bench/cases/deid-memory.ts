import { mkdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BenchFactory } from "../context.ts";
import type { Comparison, Contender } from "../harness.ts";
import { benchScript, RADFERRY, runToEnd } from "../processes.ts";
import { writeSparseObject } from "../sparse-objects.ts";

const OURS = "radferry deid run";
const BYTES = "data";
const TIME = "time";
const RSS_LIMIT_BYTES = 200e6;
const SIZES = [4e9, 10e9] as const;
const START_LIMIT_SECONDS = 0.3;
const COMPILE_LIMIT_MS = 50;

/**
 * What one very large object takes of memory: of 4 GB native, of 10 GB in RLE frames, holes on disk. The outputs are written in full, so
 * that a size for which there is no room is left out. And how long starting takes.
 */
export const deidMemory: BenchFactory = async ({ folder }) => {
  const keyFile = join(folder, "key-memory");
  await writeFile(keyFile, `${"5a".repeat(32)}\n`, { mode: 0o600 });
  const { bavail, bsize } = await statfs(folder);
  const fitting = SIZES.filter((sizeBytes) => bavail * bsize > 2 * sizeBytes);
  return {
    comparisons: [...fitting.map((sizeBytes) => largeObject(folder, keyFile, sizeBytes)), starting, compiling],
    async [Symbol.asyncDispose]() {
      await rm(keyFile, { force: true });
    },
  };
};

function largeObject(folder: string, keyFile: string, sizeBytes: number): Comparison {
  const run: Contender["run"] = async (output) => {
    const input = join(folder, `sparse-${sizeBytes / 1e9}`);
    await mkdir(input, { recursive: true });
    await mkdir(output, { recursive: true });
    await writeSparseObject(join(input, "1.dcm"), sizeBytes);
    const args = ["deid", "run", input, join(output, "out"), "--profile", "basic", "--key-file", keyFile];
    const { seconds, peakRssBytes, stdout } = await runToEnd(
      RADFERRY,
      [...args, "--project", "bench", "--json"],
      output,
    );
    const { instances }: { readonly instances: { readonly delivered: number } } = JSON.parse(stdout);
    if (instances.delivered !== 1) throw new Error("the object was not let out");
    return { figures: { [BYTES]: sizeBytes / seconds / 1e6 }, peakRssBytes };
  };
  return {
    title: `de-identify 1 multi-frame object of ${sizeBytes / 1e9} GB`,
    figures: { [BYTES]: "MB/s" },
    contenders: [{ name: OURS, program: RADFERRY, run }],
    gates: [],
    isRunOnce: true,
    memoryGates: [{ contender: OURS, rssAtMostBytes: RSS_LIMIT_BYTES }],
  };
}

const starting: Comparison = {
  title: "start-up",
  figures: { [TIME]: "s" },
  contenders: [["--version"], ["deid", "explain", "basic"]].map((args) => ({
    name: `radferry ${args.join(" ")}`,
    program: RADFERRY,
    async run(folder) {
      await mkdir(folder, { recursive: true });
      const { seconds, peakRssBytes } = await runToEnd(RADFERRY, args, folder);
      return { figures: { [TIME]: seconds }, peakRssBytes };
    },
  })),
  gates: [],
  absoluteGates: ["radferry --version", "radferry deid explain basic"].map((contender) => ({
    figure: TIME,
    contender,
    bound: { atMost: START_LIMIT_SECONDS },
  })),
};

const COMPILE = "radferry (library), first profile of a process";

const compiling: Comparison = {
  title: "compiling the profile `basic`",
  figures: { [TIME]: "ms" },
  contenders: [
    {
      name: COMPILE,
      program: RADFERRY,
      async run(folder) {
        await mkdir(folder, { recursive: true });
        const [program, script] = benchScript("compile-profile-main.ts");
        const { stdout, peakRssBytes } = await runToEnd(program, [script, "basic"], folder);
        const { milliseconds }: { readonly milliseconds: number } = JSON.parse(stdout);
        return { figures: { [TIME]: milliseconds }, peakRssBytes };
      },
    },
  ],
  gates: [],
  absoluteGates: [{ figure: TIME, contender: COMPILE, bound: { atMost: COMPILE_LIMIT_MS } }],
};
