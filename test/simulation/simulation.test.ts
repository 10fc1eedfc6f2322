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

function brokenIn(results: readonly Line[]): readonly string[] {
  return results.flatMap(({ seed, violation }) => (violation === undefined ? [] : [`${seed}: ${violation.what}`]));
}

it(
  "keeps its promises whatever goes wrong in sites of gateways, and each comes out the same again",
  async () => {
    const results = await simulate("--world", "site", "--seed", "1", "--seeds", "80");
    expect(results.map(({ seed }) => seed)).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    expect(brokenIn(results)).toEqual([]);
    const again = await simulate("--world", "site", "--seed", "40", "--seeds", "3");
    expect(again).toEqual(results.slice(39, 42));
    expect(new Set(results.map(({ trace }) => trace)).size).toBe(80);
  },
  TIMEOUT_MS,
);

it(
  "keeps them with a broker's queues, too",
  async () => {
    const results = await simulate("--world", "queues", "--seed", "1", "--seeds", "20");
    expect(results).toHaveLength(20);
    expect(brokenIn(results)).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  "sees each promise broken where the product is broken on purpose",
  async () => {
    const results = await simulate("--mutation", "all", "--seed", "1", "--seeds", "30");
    expect(results.length).toBeGreaterThan(8);
    for (const { mutation, breaks, seen } of results) expect(seen, mutation).toBe(breaks);
  },
  TIMEOUT_MS,
);

it.each([
  ["--mutation", "each instance is sent twize", "each instance is sent twice"],
  ["--world", "sites", "site"],
])("names what there is where %s is misspelt, and does not pass", async (flag, misspelt, known) => {
  const run = promisify(execFile)(process.execPath, [SIMULATE, flag, misspelt]);
  const refused = { code: 2, stdout: "", stderr: expect.stringContaining(`  ${known}\n`) };
  await expect(run).rejects.toMatchObject(refused);
});
