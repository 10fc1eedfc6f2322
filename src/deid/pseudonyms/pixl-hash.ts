import { blake2b } from "@noble/hashes/blake2.js";

/** The secrets of PIXL's hasher, as texts. */
export interface PixlSecrets {
  readonly hashKey: string;
  readonly projectSalt: string;
  readonly localSalt: string;
}

/** What PIXL asks of its hasher for a Patient ID. */
export const PIXL_HASH_LENGTH = 64;
const SHORTEST = 2;
const LONGEST = 64;
/** RFC 7693 2.1. */
export const BLAKE2B_KEY_LIMIT_BYTES = 64;

/**
 * PIXL's pseudonym of an identifier: keyed BLAKE2b over the value and both salts, lower-case hexadecimal. Half of `length`, rounded down,
 * is the number of bytes: an odd length gives one character less.
 * @throws RangeError for a length outside 2 to 64
 */
export function pixlHash(secrets: PixlSecrets, value: string, length: number): string {
  if (!Number.isInteger(length) || length < SHORTEST || length > LONGEST) {
    throw new RangeError(`a hash has ${SHORTEST} to ${LONGEST} characters`);
  }
  const message = Buffer.from(value + secrets.projectSalt + secrets.localSalt, "utf8");
  const digest = blake2b(message, { key: Buffer.from(secrets.hashKey, "utf8"), dkLen: Math.floor(length / 2) });
  return Buffer.from(digest).toString("hex");
}
