/** What a caller may do about an error. Retry policy reads this and nothing else. */
export type ErrorClass =
  /** The peer provably did not act: try again. */
  | "transient"
  /** The peer may have acted: reconcile, then try again. */
  | "ambiguous"
  /** Trying again cannot help: a person must act. */
  | "permanent";

export interface ErrorEntry {
  readonly class: ErrorClass;
  readonly summary: string;
  readonly remedy: string;
}
