/** What a data set may ask of a reader before it is refused. */
export interface ParseLimits {
  /** Sequences within sequences. */
  readonly depth: number;
  /** Elements, items and fragments in all, at every depth. */
  readonly elements: number;
  /** Memory that values may keep; longer values are left in their source. */
  readonly heldBytes: number;
  /** Bytes that a deflated data set may inflate to. */
  readonly inflatedBytes: number;
}

export const DEFAULT_LIMITS: ParseLimits = {
  depth: 1_024,
  elements: 2_000_000,
  heldBytes: 64 * 1024 * 1024,
  inflatedBytes: 512 * 1024 * 1024,
};
