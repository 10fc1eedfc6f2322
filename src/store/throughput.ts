export const THROUGHPUT_SPANS = ["hour", "day"] as const;
export type ThroughputSpan = (typeof THROUGHPUT_SPANS)[number];

/** Length of a bucket, which begins at a whole one of UTC, and how many of them are kept. */
export const THROUGHPUT_BUCKETS: { readonly [S in ThroughputSpan]: { readonly ms: number; readonly kept: number } } = {
  hour: { ms: 3_600_000, kept: 48 },
  day: { ms: 86_400_000, kept: 60 },
};

/** When the bucket began that holds a time. */
export function bucketStartMs(span: ThroughputSpan, atMs: number): number {
  const { ms } = THROUGHPUT_BUCKETS[span];
  return Math.floor(atMs / ms) * ms;
}

/** What was delivered: studies that got something, instances and bytes that were not there before. */
export interface DeliveredCounts {
  readonly instances: number;
  readonly bytes: number;
}

export interface ThroughputCount extends DeliveredCounts {
  readonly startedAtMs: number;
  readonly project: string;
  readonly studies: number;
}

/** The part of the store that knows how much was delivered when. */
export interface ThroughputStore {
  /** Buckets in which something was delivered, of each project, in order, from a time on. */
  throughput(span: ThroughputSpan, fromMs: number): Promise<readonly ThroughputCount[]>;
}
