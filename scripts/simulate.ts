/**
 * `npm run simulate -- [--seeds N] [--seed S] [--world site|queues] [--mutation NAME|all] [--json]`: whole sites in simulated time, N of them from seed S on, with everything
 * going wrong that can. Prints the seeds that broke a promise, and tables of what was done to all. A mutation breaks the product on purpose, and
 * goes from seed to seed until that is seen. `--json`: a line for each seed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemRandom } from "../src/units/random.ts";
import type { SeedResult } from "../test/simulation/run-seed.ts";

// From here on the product finds simulated time, disk and chance where it looks for Node's.
await import("../test/simulation/substitutes/register.ts");
const { runSeed } = await import("../test/simulation/run-seed.ts");
const { runQueueSeed } = await import("../test/simulation/run-queue-seed.ts");
const { makeTemplate } = await import("../test/simulation/simulated-store.ts");
const { MUTATIONS } = await import("../test/simulation/mutations.ts");
const { reportOf } = await import("../test/simulation/report.ts");

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    mutation: { type: "string" },
    world: { type: "string" },
    json: { type: "boolean" },
  },
});
/** A site of gateways; what stands in for PIXL's imaging API, with its queues. */
const WORLDS: Readonly<Record<string, readonly (typeof runSeed)[]>> = {
  site: [runSeed],
  queues: [runQueueSeed],
};
refuseUnknown("--mutation", values.mutation, ["all", ...Object.keys(MUTATIONS)]);
refuseUnknown("--world", values.world, Object.keys(WORLDS));
const first = Number(values.seed ?? Math.floor(systemRandom.next() * 2 ** 31));
const count = Number(values.seeds ?? 1);
const folder = mkdtempSync(join(tmpdir(), "radferry-simulation-"));
const template = join(folder, "template.db");
makeTemplate(template);
console.error(`simulating --seeds ${count} --seed ${first}`);
process.exitCode = values.mutation === undefined ? await simulate() : await mutate(values.mutation);
rmSync(folder, { recursive: true });

/** Else nothing would be looked for, and nothing of it be unseen. */
function refuseUnknown(flag: string, given: string | undefined, known: readonly string[]): void {
  if (given === undefined || known.includes(given)) return;
  console.error(`${flag}: ${JSON.stringify(given)} is none of:\n${known.map((name) => `  ${name}`).join("\n")}`);
  process.exit(2);
}

async function simulate(): Promise<number> {
  const runs = WORLDS[values.world ?? ""] ?? [runSeed, runQueueSeed];
  const results: SeedResult[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    for (const run of runs) {
      const result = await run(seed, { template, path: join(folder, "store.db") });
      results.push(result);
      tell(result);
    }
  }
  if (values.json !== true) console.log(reportOf(results));
  return results.some(({ violation }) => violation !== undefined) ? 1 : 0;
}

function tell({ faults, ...result }: SeedResult): void {
  const { seed, violation } = result;
  if (values.json === true) console.log(JSON.stringify({ ...result, faults: Object.fromEntries(faults) }));
  else if (violation !== undefined) console.log(`${violation.what}\nagain: npm run simulate -- --seed ${seed}\n`);
}

/** Every mutation has to be seen within the seeds. */
async function mutate(name: string): Promise<number> {
  let unseen = 0;
  for (const [mutation, broken] of Object.entries(MUTATIONS)) {
    if (name !== "all" && name !== mutation) continue;
    let seen: SeedResult["violation"];
    let seed = first;
    for (; seed < first + count && seen?.invariant !== broken.breaks; seed += 1)
      seen = (await runSeed(seed, { template, path: join(folder, "store.db"), mutation: broken })).violation;
    if (seen?.invariant !== broken.breaks) unseen += 1;
    const { breaks } = broken;
    if (values.json === true)
      console.log(JSON.stringify({ mutation, breaks, seen: seen?.invariant ?? null, seeds: seed - first }));
    else console.log(`${mutation}: ${seen?.what ?? "not seen"} (seed ${seed - 1})`);
  }
  return unseen;
}
