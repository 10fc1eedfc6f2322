import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { api } from "../bench/cases/api.ts";
import { deid } from "../bench/cases/deid.ts";
import { deidMemory } from "../bench/cases/deid-memory.ts";
import { deidQuality, type QualityResult, qualityLines } from "../bench/cases/deid-quality.ts";
import { stow, wado } from "../bench/cases/dicomweb.ts";
import { edit } from "../bench/cases/edit.ts";
import { endToEnd } from "../bench/cases/end-to-end.ts";
import { find } from "../bench/cases/find.ts";
import { flip } from "../bench/cases/flip.ts";
import { intake } from "../bench/cases/intake.ts";
import { move } from "../bench/cases/move.ts";
import { parse } from "../bench/cases/parse.ts";
import { pixl } from "../bench/cases/pixl.ts";
import { rad69 } from "../bench/cases/rad69.ts";
import { receive } from "../bench/cases/receive.ts";
import { scanner } from "../bench/cases/scanner.ts";
import { send } from "../bench/cases/send.ts";
import { store } from "../bench/cases/store.ts";
import { type BenchFactory, createContext } from "../bench/context.ts";
import { type Comparison, type ComparisonResult, compare, type RunOptions } from "../bench/harness.ts";
import { isInstalled, machineLine } from "../bench/machine.ts";
import { reportLines } from "../bench/report.ts";
import { SET_NAMES, type SetName } from "../bench/sets.ts";
import { findPythonPeers, PYTHON_FOLDER } from "../test/peers/python-peers.ts";

/** `npm run bench -- [NAME…] [--set a,b,c] [--runs N] [--peers NAME,…] [--json]`: side by side with other programs, ratios and medians. */
const BENCHES: Readonly<Record<string, BenchFactory>> = {
  ...{ receive, send, intake, find, move, parse, edit, deid, rad69, wado, stow, pixl, flip, scanner, api, store },
  "deid-memory": deidMemory,
  "end-to-end": endToEnd,
};

/** Not a matter of speed: scores, once. */
const QUALITY = "deid-quality";

const USUAL_RUNS = 5;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    set: { type: "string", default: "a,b,c" },
    runs: { type: "string", default: `${USUAL_RUNS}` },
    /** Contenders whose name contains one of these; ours take part always. */
    peers: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

function isSetName(text: string): text is SetName {
  return SET_NAMES.some((name) => name === text);
}

function isWanted(name: string): boolean {
  const wanted = options.peers?.split(",");
  return wanted === undefined || name.startsWith("radferry") || wanted.some((part) => name.includes(part));
}

function chosen({ contenders, ...comparison }: Comparison): Comparison {
  return { ...comparison, contenders: contenders.filter(({ name }) => isWanted(name)) };
}

function runOptions(folder: string): RunOptions {
  let number = 0;
  return {
    runs: Math.max(1, Math.trunc(Number(options.runs)) || USUAL_RUNS),
    folder: () => join(folder, `run-${++number}`),
    settle: async () => void execFileSync("sync"),
    empty: emptyFiles,
    isThere: isInstalled,
    onProgress: (line) => console.error(line),
  };
}

/**
 * The memory and the disk of what was written are free again for the next run; the files themselves stay to the end, as file systems are
 * slow to make files for a while when many were removed.
 */
async function emptyFiles(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (entry.isFile()) await truncate(join(entry.parentPath, entry.name));
  }
}

async function main(): Promise<number> {
  const known = [...Object.keys(BENCHES), QUALITY];
  const names = positionals.length === 0 ? known : positionals;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`no such bench: ${unknown.join(", ")}; there are ${known.join(", ")}`);
    return 2;
  }
  const python = findPythonPeers();
  const folder = await mkdtemp(join(tmpdir(), "radferry-bench-"));
  try {
    const machine = machineLine(python);
    const context = createContext({
      folder,
      sets: options.set.split(",").filter(isSetName),
      python: python ?? join(PYTHON_FOLDER, "bin", "python"),
    });
    if (!options.json) console.log(machine);
    const run = runOptions(folder);
    const results: Record<string, readonly ComparisonResult[] | QualityResult> = {};
    for (const name of names) {
      if (name === QUALITY) {
        const quality = await deidQuality(folder, isWanted);
        results[name] = quality;
        if (!options.json) for (const line of qualityLines(quality)) console.log(line);
        continue;
      }
      await using bench = await BENCHES[name]?.(context);
      const compared: ComparisonResult[] = [];
      for (const comparison of bench?.comparisons ?? []) {
        const result = await compare(chosen(comparison), run);
        compared.push(result);
        if (!options.json) for (const line of reportLines(result)) console.log(line);
      }
      results[name] = compared;
    }
    if (options.json) console.log(JSON.stringify({ machine, results }, undefined, 2));
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
