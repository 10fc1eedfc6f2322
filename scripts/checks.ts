import { runStep, type Step } from "./run-step.ts";

/** What is looked at without running anything of the product. */
const CHECKS: readonly Step[] = [
  { name: "format and lint (biome)", program: "biome", args: ["ci", "--colors=off", "--log-level=warn", "."] },
  { name: "types (tsc)", program: "tsc", args: ["--pretty", "false", "-p", "."] },
  { name: "types of the dashboard (tsc)", program: "tsc", args: ["--pretty", "false", "-p", "web"] },
  { name: "dead code (knip)", program: "knip", args: ["--no-progress"] },
];

/** Runs all of them, whichever fails, and counts the failed ones. */
export async function runChecks(): Promise<number> {
  let failed = 0;
  for (const check of CHECKS) if (!(await runStep(check))) failed += 1;
  return failed;
}
