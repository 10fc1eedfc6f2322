import { type Random, seededRandom } from "../../../../src/units/random.ts";

/** Identifiers that nothing but a planted one can hold: each begins and ends with letters that are drawn once. */
export interface Tokens {
  /** Twelve capital letters and digits: fits every text VR of PS3.5 table 6.2-1 but the short ones. */
  text(): string;
  /** A UID below a root of its own. */
  uid(): string;
  /** Digits alone, for numbers in texts. */
  digits(): string;
  /** Every token drawn so far. */
  readonly planted: readonly string[];
  /** What any token betrays itself by, cut or not: the letters at its ends, the root of UIDs, the beginning of numbers. */
  readonly marks: readonly string[];
}

const CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ";
const DIGITS = "123456789";
const MARK_CHARACTERS = 4;

export function createTokens(seed: number): Tokens {
  const random = seededRandom(seed);
  const [head, tail] = [drawn(random, CONSONANTS, MARK_CHARACTERS), drawn(random, CONSONANTS, MARK_CHARACTERS)];
  const root = `1.2.826.0.1.3680043.9.${drawn(random, DIGITS, 8)}`;
  const number = drawn(random, DIGITS, 8);
  const planted: string[] = [];
  const plant = (token: string): string => {
    planted.push(token);
    return token;
  };
  const count = (radix: number): string => planted.length.toString(radix).toUpperCase().padStart(4, "0");
  return {
    text: () => plant(head + count(36) + tail),
    uid: () => plant(`${root}.${planted.length}`),
    digits: () => plant(number + count(10)),
    planted,
    marks: [head, tail, root, number],
  };
}

function drawn(random: Random, alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[Math.floor(random.next() * alphabet.length)]).join("");
}
