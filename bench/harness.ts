import { rm } from "node:fs/promises";
import { ratioOf, type Summary, summaryOf } from "./statistics.ts";

/** What one run came to. */
export interface Measurement {
  /** In the unit of the table. */
  readonly figure: number;
  readonly peakRssBytes: number;
}

/** One of those that do the same work. */
export interface Contender {
  readonly name: string;
  /** The program it needs, as it is called. */
  readonly program: string;
  /** Does the work once. `folder` is empty before, and removed afterwards. */
  run(folder: string): Promise<Measurement>;
}

/** What must hold between two contenders of a table. */
export interface Gate {
  readonly contender: string;
  readonly peer: string;
  /** The contender's figure divided by the peer's. */
  readonly ratio: { readonly atLeast: number } | { readonly atMost: number };
}

export interface MemoryGate {
  readonly contender: string;
  readonly rssAtMostBytes: number;
}

/** One table: contenders, the same work, one unit. */
export interface Comparison {
  readonly title: string;
  readonly unit: string;
  readonly contenders: readonly Contender[];
  readonly gates: readonly Gate[];
  readonly memoryGates?: readonly MemoryGate[];
}

/** One name of `npm run bench`. What it prepares is removed when it is disposed of. */
export interface Bench extends AsyncDisposable {
  readonly comparisons: readonly Comparison[];
}

export interface ContenderResult {
  readonly name: string;
  readonly figure: Summary;
  readonly peakRssBytes: number;
}

export interface GateResult {
  readonly gate: string;
  readonly measured: string;
  readonly met: boolean;
}

export interface ComparisonResult {
  readonly title: string;
  readonly unit: string;
  readonly contenders: readonly ContenderResult[];
  readonly gates: readonly GateResult[];
  readonly leftOut: readonly string[];
}

export interface RunOptions {
  readonly runs: number;
  /** A fresh path for each run. */
  folder(): string;
  /** Settles the machine before each run, so that one contender's unwritten pages do not cost the next one. */
  settle(): Promise<void>;
  isThere(program: string): boolean;
  onProgress(line: string): void;
}

/** Runs the contenders in turn, as many rounds as asked, each round beginning with another one. One that fails is left out, by name. */
export async function compare(comparison: Comparison, options: RunOptions): Promise<ComparisonResult> {
  const leftOut = new Map<string, string>();
  for (const { name, program } of comparison.contenders) {
    if (!options.isThere(program)) leftOut.set(name, `${program} is not installed`);
  }
  const rounds = new Map<string, Measurement[]>(comparison.contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < options.runs; round += 1) {
    const { contenders } = comparison;
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(round + turn) % contenders.length];
      if (contender === undefined || leftOut.has(contender.name)) continue;
      const measured = await runOnce(contender, options);
      if (measured instanceof Error) leftOut.set(contender.name, measured.message);
      else {
        rounds.get(contender.name)?.push(measured);
        options.onProgress(
          `${comparison.title}, ${contender.name}: ${measured.figure.toPrecision(4)} ${comparison.unit}`,
        );
      }
    }
  }
  const taken = [...rounds].filter(([name]) => !leftOut.has(name));
  return {
    title: comparison.title,
    unit: comparison.unit,
    contenders: taken.map(([name, measurements]) => ({
      name,
      figure: summaryOf(measurements.map(({ figure }) => figure)),
      peakRssBytes: Math.max(...measurements.map(({ peakRssBytes }) => peakRssBytes)),
    })),
    gates: gateResults(comparison, new Map(taken)),
    leftOut: [...leftOut].map(([name, reason]) => `${name}: ${reason}`),
  };
}

async function runOnce(contender: Contender, { folder, settle }: RunOptions): Promise<Measurement | Error> {
  const path = folder();
  try {
    await settle();
    return await contender.run(path);
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

function gateResults(
  { gates, memoryGates = [] }: Comparison,
  rounds: ReadonlyMap<string, readonly Measurement[]>,
): readonly GateResult[] {
  const speed = gates.flatMap(({ contender, peer, ratio }): GateResult[] => {
    const [ours, theirs] = [rounds.get(contender), rounds.get(peer)];
    if (ours === undefined || theirs === undefined) return [];
    const measured = ratioOf(
      ours.map(({ figure }) => figure),
      theirs.map(({ figure }) => figure),
    );
    const [sign, bound] = "atLeast" in ratio ? (["≥", ratio.atLeast] as const) : (["≤", ratio.atMost] as const);
    return [
      {
        gate: `${contender} ${sign} ${bound} × ${peer}`,
        measured: `${measured.median.toFixed(2)} (${measured.lowest.toFixed(2)}–${measured.highest.toFixed(2)})`,
        met: "atLeast" in ratio ? measured.median >= bound : measured.median <= bound,
      },
    ];
  });
  const memory = memoryGates.flatMap(({ contender, rssAtMostBytes }): GateResult[] => {
    const ours = rounds.get(contender);
    if (ours === undefined) return [];
    const peak = Math.max(...ours.map(({ peakRssBytes }) => peakRssBytes));
    return [
      {
        gate: `${contender} peak RSS ≤ ${megabytes(rssAtMostBytes)}`,
        measured: megabytes(peak),
        met: peak <= rssAtMostBytes,
      },
    ];
  });
  return [...speed, ...memory];
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
