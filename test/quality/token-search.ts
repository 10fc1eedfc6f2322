import type { Token } from "./tokens.ts";

/** Finds which tokens are in a file, wherever. */
export interface TokenSearch {
  foundIn(bytes: Uint8Array): ReadonlySet<Token>;
}

interface Needle {
  readonly bytes: Buffer;
  readonly token: Token;
}

/** What a needle is found by: its last bytes, as its first ones are the same in all UIDs. */
const KEY_BYTES = 4;

export function createTokenSearch(tokens: readonly Token[]): TokenSearch {
  const byEnd = new Map<number, Needle[]>();
  for (const token of tokens) {
    for (const bytes of token.needles) {
      const key = bytes.readUInt32LE(bytes.length - KEY_BYTES);
      const needles = byEnd.get(key);
      if (needles === undefined) byEnd.set(key, [{ bytes, token }]);
      else needles.push({ bytes, token });
    }
  }
  return {
    foundIn(file) {
      const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
      const found = new Set<Token>();
      for (let end = KEY_BYTES; end <= bytes.length; end += 1) {
        for (const needle of byEnd.get(bytes.readUInt32LE(end - KEY_BYTES)) ?? []) {
          const start = end - needle.bytes.length;
          if (start >= 0 && bytes.compare(needle.bytes, 0, needle.bytes.length, start, end) === 0)
            found.add(needle.token);
        }
      }
      return found;
    },
  };
}
