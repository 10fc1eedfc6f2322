import type { ServiceState } from "./soak-protocol.ts";

/** The service as it was at a moment of the soak. */
export interface SoakSample extends ServiceState {
  /** Since the beginning. */
  readonly atMs: number;
  /** Studies that ended, delivered or otherwise. */
  readonly studies: number;
  readonly storeBytes: number;
  readonly stagingBytes: number;
  readonly deliveredStudies: number;
  readonly submittedStudies: number;
}

export interface SoakFinding {
  readonly what: string;
  readonly measured: string;
  readonly met: boolean;
}

/** Of the samples: caches fill and code is compiled meanwhile. */
const WARM_UP_SHARE = 0.3;
/** A regression over fewer tells nothing. */
const FEWEST_SAMPLES = 8;
const FEWEST_STUDIES = 200;
const RSS_AT_MOST_BYTES = 300e6;
/** Over all that was measured behind the warm-up, as a share of the mean. */
const GROWTH_AT_MOST = 0.1;
/** Handles and open files come and go with what is under way: the fewest of each half are compared, and so many more are none that were lost. */
const HANDLES_AT_MOST = 5;
/** Of the later half, beside the earlier half: a machine shared with others is never quite even. */
const RATE_AT_LEAST = 0.75;

/** What must hold of a soak; of a short one that everything was delivered, and no more. */
export function verdictOf(samples: readonly SoakSample[]): readonly SoakFinding[] {
  const { deliveredStudies: delivered = 0, submittedStudies: studies = 0 } = samples.at(-1) ?? {};
  const all = {
    what: "every study delivered",
    measured: `${delivered} of ${studies}`,
    met: delivered === studies && studies > 0,
  };
  const warm = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  if (warm.length < FEWEST_SAMPLES || spanOf(warm) < FEWEST_STUDIES) return [all];
  const peakBytes = Math.max(...samples.map(({ rssBytes }) => rssBytes));
  return [
    all,
    {
      what: `RSS ≤ ${RSS_AT_MOST_BYTES / 1e6} MB`,
      measured: `${Math.round(peakBytes / 1e6)} MB`,
      met: peakBytes <= RSS_AT_MOST_BYTES,
    },
    flat("RSS", warm, ({ rssBytes }) => rssBytes),
    constant("handles", warm, ({ handles }) => handles),
    constant("open files", warm, ({ openFiles }) => openFiles),
    steady(warm),
  ];
}

/** How much a figure grows over the samples, by the line that fits them best. */
export function growthOf(samples: readonly SoakSample[], figure: (sample: SoakSample) => number): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const studies = samples.map((sample) => sample.studies);
  const [middle, level] = [mean(studies), mean(samples.map(figure))];
  const covariance = mean(samples.map((sample) => (sample.studies - middle) * (figure(sample) - level)));
  const variance = mean(studies.map((count) => (count - middle) ** 2));
  const span = (studies.at(-1) ?? 0) - (studies[0] ?? 0);
  return variance === 0 ? 0 : (covariance / variance) * span;
}

function flat(what: string, samples: readonly SoakSample[], figure: (sample: SoakSample) => number): SoakFinding {
  const level = samples.reduce((sum, sample) => sum + figure(sample), 0) / samples.length;
  const growth = growthOf(samples, figure) / level;
  const measured = `${growth >= 0 ? "+" : ""}${(growth * 100).toFixed(1)} % over ${spanOf(samples)} studies`;
  return { what: `${what} grows by ≤ ${GROWTH_AT_MOST * 100} %`, measured, met: growth <= GROWTH_AT_MOST };
}

function constant(what: string, samples: readonly SoakSample[], figure: (sample: SoakSample) => number): SoakFinding {
  const middle = Math.floor(samples.length / 2);
  const fewest = (half: readonly SoakSample[]): number => Math.min(...half.map(figure));
  const [before, after] = [fewest(samples.slice(0, middle)), fewest(samples.slice(middle))];
  const growth = after - before;
  const measured = `${before}, then ${after}, over ${spanOf(samples)} studies`;
  return { what: `${what} grow by ≤ ${HANDLES_AT_MOST}`, measured, met: growth <= HANDLES_AT_MOST };
}

function steady(samples: readonly SoakSample[]): SoakFinding {
  const middle = Math.floor(samples.length / 2);
  const later = rateOf(samples.slice(middle));
  const ratio = later / rateOf(samples.slice(0, middle + 1));
  const what = `rate of the later half ≥ ${RATE_AT_LEAST} × that of the earlier half`;
  return { what, measured: ratio.toFixed(2), met: ratio >= RATE_AT_LEAST };
}

function spanOf(samples: readonly SoakSample[]): number {
  return (samples.at(-1)?.studies ?? 0) - (samples[0]?.studies ?? 0);
}

/** Studies a second. */
export function rateOf(samples: readonly SoakSample[]): number {
  const seconds = ((samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0)) / 1_000;
  return seconds === 0 ? 0 : spanOf(samples) / seconds;
}
