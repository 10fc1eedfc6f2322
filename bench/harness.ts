import { ratioOf, type Summary, summaryOf } from "./statistics.ts";

/** What one run came to. */
export interface Measurement {
  /** One for each of the comparison's figures, by name. */
  readonly figures: Readonly<Record<string, number>>;
  /** 0 when it was not looked at. */
  readonly peakRssBytes: number;
}

/** One of those that do the same work. */
export interface Contender {
  readonly name: string;
  /** The program it needs, as it is called. */
  readonly program: string;
  /** Does the work once. `folder` is not there before, and its files are emptied afterwards. */
  run(folder: string): Promise<Measurement>;
}

/** What must hold between two contenders of a table. */
export interface Gate {
  /** Such as "floor". */
  readonly name?: string;
  readonly figure: string;
  readonly contender: string;
  readonly peer: string;
  /** The contender's figure divided by the peer's. */
  readonly ratio: { readonly atLeast: number } | { readonly atMost: number };
}

/** What must hold of a contender by itself, on an idle machine. */
export interface AbsoluteGate {
  readonly name?: string;
  readonly figure: string;
  readonly contender: string;
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
}

export interface MemoryGate {
  readonly contender: string;
  readonly rssAtMostBytes: number;
}

/** Contenders and the same work; a table for each figure. */
export interface Comparison {
  readonly title: string;
  /** What is measured, by name: the unit. */
  readonly figures: Readonly<Record<string, string>>;
  readonly contenders: readonly Contender[];
  readonly gates: readonly Gate[];
  readonly absoluteGates?: readonly AbsoluteGate[];
  /** One round, counted: what takes long, and does not spread. */
  readonly isRunOnce?: boolean;
  readonly memoryGates?: readonly MemoryGate[];
}

/** One name of `npm run bench`. What it prepares is removed when it is disposed of. */
export interface Bench extends AsyncDisposable {
  readonly comparisons: readonly Comparison[];
}

export interface ContenderResult {
  readonly name: string;
  readonly figures: Readonly<Record<string, Summary>>;
  readonly peakRssBytes: number;
}

export interface GateResult {
  readonly gate: string;
  readonly measured: string;
  readonly met: boolean;
}

export interface ComparisonResult {
  readonly title: string;
  readonly figures: Readonly<Record<string, string>>;
  readonly contenders: readonly ContenderResult[];
  readonly gates: readonly GateResult[];
  readonly leftOut: readonly string[];
}

export interface RunOptions {
  /** Counted rounds; one more, not counted, comes before them. */
  readonly runs: number;
  /** A fresh path for each run. */
  folder(): string;
  /** Settles the machine before each run, so that one contender's unwritten pages do not cost the next one. */
  settle(): Promise<void>;
  /** Gives back what a run left in `folder`. */
  empty(folder: string): Promise<void>;
  isThere(program: string): boolean;
  onProgress(line: string): void;
}

/** Runs the contenders in turn, each round beginning with another one. One that is missing or fails is left out, by name. */
export async function compare(comparison: Comparison, options: RunOptions): Promise<ComparisonResult> {
  const { title, figures, contenders } = comparison;
  const leftOut = new Map<string, string>();
  for (const { name, program } of contenders) {
    if (!options.isThere(program)) leftOut.set(name, `${program} is not installed`);
  }
  const counted = new Map<string, Measurement[]>(contenders.map(({ name }) => [name, []]));
  const [firstRound, lastRound] = comparison.isRunOnce === true ? [1, 1] : [0, options.runs];
  for (let round = firstRound; round <= lastRound; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(round + turn) % contenders.length];
      if (contender === undefined || leftOut.has(contender.name)) continue;
      const measured = await runOnce(contender, options);
      if (measured instanceof Error) leftOut.set(contender.name, measured.message);
      else if (round > 0) counted.get(contender.name)?.push(measured);
      options.onProgress(`${title}, ${contender.name}, round ${round}: ${outcomeOf(measured)}`);
    }
  }
  const taken = [...counted].filter(([name, measurements]) => !leftOut.has(name) && measurements.length > 0);
  return {
    title,
    figures,
    contenders: taken.map(([name, measurements]) => ({
      name,
      figures: Object.fromEntries(
        Object.keys(figures).map((figure) => [figure, summaryOf(valuesOf(measurements, figure))]),
      ),
      peakRssBytes: Math.max(...measurements.map(({ peakRssBytes }) => peakRssBytes)),
    })),
    gates: gateResults(comparison, new Map(taken)),
    leftOut: [...leftOut].map(([name, reason]) => `${name}: ${reason}`),
  };
}

function valuesOf(measurements: readonly Measurement[], figure: string): readonly number[] {
  return measurements.map(({ figures }) => figures[figure] ?? Number.NaN);
}

function outcomeOf(measured: Measurement | Error): string {
  if (measured instanceof Error) return measured.message;
  return Object.entries(measured.figures)
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join(", ");
}

async function runOnce(contender: Contender, { folder, settle, empty }: RunOptions): Promise<Measurement | Error> {
  const path = folder();
  try {
    await settle();
    return await contender.run(path);
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  } finally {
    await empty(path);
  }
}

function gateResults(
  { figures, gates, absoluteGates = [], memoryGates = [] }: Comparison,
  rounds: ReadonlyMap<string, readonly Measurement[]>,
): readonly GateResult[] {
  const speed = gates.flatMap(({ name, figure, contender, peer, ratio }): GateResult[] => {
    const [ours, theirs] = [rounds.get(contender), rounds.get(peer)];
    if (ours === undefined || theirs === undefined) return [];
    const measured = ratioOf(valuesOf(ours, figure), valuesOf(theirs, figure));
    const [sign, bound] = "atLeast" in ratio ? (["≥", ratio.atLeast] as const) : (["≤", ratio.atMost] as const);
    return [
      {
        gate: `${name === undefined ? "" : `${name}, `}${figure}: ${contender} ${sign} ${bound} × ${peer}`,
        measured: `${measured.median.toFixed(2)} (${measured.lowest.toFixed(2)}–${measured.highest.toFixed(2)})`,
        met: "atLeast" in ratio ? measured.median >= bound : measured.median <= bound,
      },
    ];
  });
  const absolute = absoluteGates.flatMap(({ name, figure, contender, bound }): GateResult[] => {
    const ours = rounds.get(contender);
    if (ours === undefined) return [];
    const { median, lowest, highest } = summaryOf(valuesOf(ours, figure));
    const [sign, limit] = "atLeast" in bound ? (["≥", bound.atLeast] as const) : (["≤", bound.atMost] as const);
    const shown = (value: number): string => value.toPrecision(3);
    return [
      {
        gate: `${name === undefined ? "" : `${name}, `}${figure}: ${contender} ${sign} ${limit} ${figures[figure] ?? ""}`,
        measured: `${shown(median)} (${shown(lowest)}–${shown(highest)})`,
        met: "atLeast" in bound ? median >= limit : median <= limit,
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
  return [...speed, ...absolute, ...memory];
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
