import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { parentPort, workerData } from "node:worker_threads";
import { type FuzzFailure, runFuzz } from "../test/fuzz/run-fuzz.ts";
import { TARGETS } from "../test/fuzz/targets.ts";

export interface FuzzJob {
  readonly name: string;
  readonly seed: number;
  /** The only round, or undefined for as many as there is time for. */
  readonly round: number | undefined;
  /** After so many it ends, or undefined for as many as there is time for. */
  readonly rounds: number | undefined;
  readonly seconds: number;
  /** Where the number of the round under way is written. */
  readonly progress: Int32Array;
}

export interface FuzzResult {
  readonly rounds: number;
  readonly outcomes: readonly (readonly [string, number])[];
  readonly failures: readonly {
    readonly round: number;
    readonly description: string;
    readonly inputPath: string;
    readonly error: string;
  }[];
}

const { name, seed, round, rounds, seconds, progress }: FuzzJob = workerData;
const target = TARGETS.find((one) => one.name === name);
if (target === undefined) throw new Error(`no target is called ${name}`);
const endMs = Date.now() + seconds * 1_000;
const report = await runFuzz(target, {
  seed,
  firstRound: round ?? 0,
  goOn: (next) => (round === undefined ? next !== rounds && Date.now() < endMs : next === round),
  onRound: (next) => Atomics.store(progress, 0, next),
});
const result: FuzzResult = {
  rounds: report.rounds,
  outcomes: [...report.outcomes].sort(([, a], [, b]) => b - a),
  failures: await Promise.all(report.failures.map(kept)),
};
parentPort?.postMessage(result);

/** The failing input in a file, to be looked at. */
async function kept({ round: number, description, input, thrown }: FuzzFailure) {
  const inputPath = join(await mkdtemp(join(tmpdir(), "radferry-fuzz-")), `${name}-${seed}-${number}`);
  await writeFile(inputPath, input);
  return { round: number, description, inputPath, error: inspect(thrown) };
}
