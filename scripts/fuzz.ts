/**
 * `npm run fuzz -- NAME [--seconds N | --rounds N] [--seed S] [--round R]`: damages inputs of a target until the time is over, so many
 * are done or a promise is broken. Prints the seed; `--seed` and `--round` run one failed round again.
 */
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { systemRandom } from "../src/units/random.ts";
import { TARGETS } from "../test/fuzz/targets.ts";
import type { FuzzJob, FuzzResult } from "./fuzz-worker.ts";

const DEFAULT_SECONDS = 60;
/** A round takes milliseconds: one that computes this long hangs. The machine may be busy with other work, so that clocks tell less. */
const HANGS_AFTER_MS = 5_000;
/** One that waits this long waits for what does not come. */
const STALLS_AFTER_MS = 30_000;
const NOT_BEGUN = -1;
const LOOK_EVERY_MS = 1_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string" },
    rounds: { type: "string" },
    seed: { type: "string" },
    round: { type: "string" },
  },
});
const [name = ""] = positionals;
const names = TARGETS.map((target) => target.name);
if (!names.includes(name)) {
  console.error(`usage: npm run fuzz -- ${names.join("|")} [--seconds N | --rounds N] [--seed S] [--round R]`);
  process.exit(2);
}
const seed = Number(values.seed ?? Math.floor(systemRandom.next() * 2 ** 31));
const round = values.round === undefined ? undefined : Number(values.round);
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
const seconds = values.seconds ?? (rounds === undefined ? DEFAULT_SECONDS : Number.POSITIVE_INFINITY);
process.exitCode = await fuzz({ name, seed, round, rounds, seconds: Number(seconds) });

/** In a thread of its own, so that a hang can be seen from outside. */
function fuzz(task: Omit<FuzzJob, "progress">): Promise<number> {
  console.log(`fuzzing ${task.name}, --seed ${task.seed}`);
  const progress = new Int32Array(new SharedArrayBuffer(4)).fill(NOT_BEGUN);
  const job: FuzzJob = { ...task, progress };
  const worker = new Worker(new URL("fuzz-worker.ts", import.meta.url), { workerData: job });
  const lookAt = (at: number) => ({ round: at, sinceMs: Date.now(), sinceProcessorMs: processorMs() });
  let seen = lookAt(NOT_BEGUN);
  return new Promise((resolve, reject) => {
    const watch = setInterval(() => {
      const now = progress[0] ?? NOT_BEGUN;
      const isOver =
        processorMs() - seen.sinceProcessorMs > HANGS_AFTER_MS || Date.now() - seen.sinceMs > STALLS_AFTER_MS;
      if (now !== seen.round || now === NOT_BEGUN) seen = lookAt(now);
      else if (isOver) {
        clearInterval(watch);
        console.error(`round ${now} hangs: npm run fuzz -- ${task.name} --seed ${task.seed} --round ${now}`);
        void worker.terminate().then(() => resolve(1));
      }
    }, LOOK_EVERY_MS);
    worker.on("message", (result: FuzzResult) => {
      clearInterval(watch);
      console.log(`${result.rounds} rounds: ${result.outcomes.map(([word, count]) => `${word} ${count}`).join(", ")}`);
      for (const failure of result.failures) {
        console.error(`round ${failure.round}, ${failure.description} (${failure.inputPath})\n${failure.error}`);
        console.error(`again: npm run fuzz -- ${task.name} --seed ${task.seed} --round ${failure.round}`);
      }
      resolve(result.failures.length === 0 ? 0 : 1);
    });
    worker.on("error", reject);
  });
}

/** What all threads have computed. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
