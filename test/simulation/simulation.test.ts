import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { ROOT } from "../tidy/repository.ts";

const SIMULATE = join(ROOT, "scripts/simulate.ts");
/** As seen on a busy machine, many times over. */
const TIMEOUT_MS = 300_000;

interface Line {
  readonly seed: number;
  readonly trace: number;
  readonly steps: number;
  readonly violation?: { readonly what: string };
  readonly mutation?: string;
  readonly breaks?: string;
  readonly seen?: string | null;
}

/** In a process of its own: what the product imports from Node is another thing in it. */
async function simulate(...flags: readonly string[]): Promise<readonly Line[]> {
  const run = promisify(execFile)(process.execPath, [SIMULATE, "--json", ...flags], { maxBuffer: 1 << 26 });
  const { stdout } = await run.catch((failed: { readonly stdout?: string }) => {
    // It ends with 1 when promises were broken, and says which.
    if (failed.stdout === undefined || failed.stdout === "") throw failed;
    return { stdout: failed.stdout };
  });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

it("keeps its promises whatever goes wrong, in a hundred worlds, each of which comes out the same again", {
  timeout: TIMEOUT_MS,
}, async () => {
  const results = await simulate("--seed", "1", "--seeds", "100");
  expect(results.map(({ seed }) => seed)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  expect(
    results.flatMap(({ seed, violation }) => (violation === undefined ? [] : [`${seed}: ${violation.what}`])),
  ).toEqual([]);
  const again = await simulate("--seed", "40", "--seeds", "4");
  expect(again).toEqual(results.slice(39, 43));
  expect(new Set(results.map(({ trace }) => trace)).size).toBe(100);
});

it("sees each promise broken where the product is broken on purpose", { timeout: TIMEOUT_MS }, async () => {
  const results = await simulate("--mutation", "all", "--seed", "1", "--seeds", "30");
  expect(results.length).toBeGreaterThan(8);
  for (const { mutation, breaks, seen } of results) expect(seen, mutation).toBe(breaks);
});
