import type { Random } from "../../src/units/random.ts";

/** Bytes that damage is done to: sound ones, and malformed ones that get worse. */
export interface FuzzSeed {
  /** For messages: what the bytes are. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What is fuzzed: a reader of bytes that a stranger may send. */
export interface FuzzTarget {
  /** As `npm run fuzz -- NAME` says it. */
  readonly name: string;
  /** Read once; small ones, as each is damaged thousands of times. */
  readonly seeds: () => Promise<readonly FuzzSeed[]>;
  /**
   * Gives the damaged bytes to the reader and judges what came of it; `random` decides whatever else varies (windows, chunks).
   * Answers a word for the tally, such as "read" or an error's code. Bounded by what it counts (reads, bytes, steps), not by time.
   * @throws any error when the reader broke its promise: the round has failed
   */
  readonly run: (input: Uint8Array, random: Random) => Promise<string>;
}
