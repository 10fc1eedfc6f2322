/** What a data set may ask of a reader before it is refused. */
export interface ParseLimits {
  /** Sequences within sequences. */
  readonly depth: number;
  /** Elements in all, at every depth. */
  readonly elements: number;
  /** Items of one sequence. */
  readonly items: number;
  /** Fragments of encapsulated pixel data. */
  readonly fragments: number;
  /** Bytes that a deflated data set may inflate to. */
  readonly inflatedBytes: number;
}

export const DEFAULT_LIMITS: ParseLimits = {
  depth: 1_024,
  elements: 2_000_000,
  items: 65_535,
  fragments: 5_000_000,
  inflatedBytes: 512 * 1024 * 1024,
};
