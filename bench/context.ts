import type { Bench } from "./harness.ts";
import type { SetName } from "./sets.ts";

export interface BenchContext {
  /** Outside of the repository, on a disk; removed at the end. */
  readonly folder: string;
  readonly sets: readonly SetName[];
  /** An interpreter with pydicom and pynetdicom; a path that leads nowhere when there is none. */
  readonly python: string;
}

/** Prepares what the contenders need. */
export type BenchFactory = (context: BenchContext) => Promise<Bench>;
