import { FAULTS, type Fault } from "./faults.ts";
import type { SeedResult } from "./run-seed.ts";

/** What seeds came to, as text for people and for the documentation. */
export function reportOf(results: readonly SeedResult[]): string {
  const [first, last] = [results[0]?.seed ?? 0, results.at(-1)?.seed ?? 0];
  const steps = results.map((result) => result.steps).sort((a, b) => a - b);
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  const byNodes = [1, 2, 3].map((nodes) => results.filter((result) => result.nodes === nodes).length);
  const lines = [
    "| what | figure |",
    "|---|---|",
    `| seeds | ${results.length}: ${first} to ${last} |`,
    `| sites of one, two and three nodes | ${byNodes.join(", ")} |`,
    `| steps | ${total(steps)}; ${steps[0]} to ${steps.at(-1)} a seed, half of them below ${steps[steps.length >> 1]} |`,
    `| simulated time | ${Math.round(total(results.map(({ hours }) => hours)))} hours |`,
    `| studies at the end | ${statesOf(results)} |`,
    `| seeds that broke a promise | ${results.filter(({ violation }) => violation !== undefined).length} |`,
    "",
    "| what went wrong | times | what it is |",
    "|---|---|---|",
    ...faultNames().map(
      (fault) => `| ${fault} | ${total(results.map(({ faults }) => faults.get(fault) ?? 0))} | ${FAULTS[fault]} |`,
    ),
  ];
  return lines.join("\n");
}

function faultNames(): readonly Fault[] {
  return Object.keys(FAULTS).filter((name): name is Fault => name in FAULTS);
}

function statesOf(results: readonly SeedResult[]): string {
  const counts = new Map<string, number>();
  for (const { states } of results)
    for (const [state, count] of Object.entries(states)) counts.set(state, (counts.get(state) ?? 0) + count);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([state, count]) => `${count} ${state}`)
    .join(", ");
}
