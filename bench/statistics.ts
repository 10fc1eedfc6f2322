/** What several runs of one contender came to. */
export interface Summary {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  readonly runs: number;
}

/** @throws RangeError when there is nothing to sum up */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("a median of no values");
  return (lower + upper) / 2;
}

/** @throws RangeError when there is nothing to sum up */
export function summaryOf(values: readonly number[]): Summary {
  return { median: median(values), lowest: Math.min(...values), highest: Math.max(...values), runs: values.length };
}

/** How far the runs lie apart, as a share of the median. */
export function relativeSpread({ median: middle, lowest, highest }: Summary): number {
  return middle === 0 ? 0 : (highest - lowest) / middle;
}

/**
 * One ratio for each round: what disturbs the machine for a while then disturbs both sides of it. Rounds that either side lacks are left out.
 * @throws RangeError when no round has both
 */
export function ratioOf(
  numerators: readonly (number | undefined)[],
  denominators: readonly (number | undefined)[],
): Summary {
  const ratios = numerators.flatMap((numerator, round) => {
    const denominator = denominators[round];
    return numerator === undefined || denominator === undefined ? [] : [numerator / denominator];
  });
  return summaryOf(ratios);
}
