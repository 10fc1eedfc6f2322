import type { Harvest, IdentifierKind } from "./harvest.ts";

interface Needle {
  readonly bytes: Buffer;
  readonly kind: IdentifierKind;
}

/** Identifiers in every encoding they could stand in, ready to be searched for in bytes. */
export interface Needles {
  /** The kind of the first identifier of at least `minimumBytes` in the bytes, letters in any case; undefined: none. */
  find(bytes: Uint8Array, minimumBytes: number): IdentifierKind | undefined;
  readonly longestBytes: number;
  readonly count: number;
}

/** Shorter ones are made up, and chance spells them. */
const SHORTEST_UID = 10;
const LOWER_CASE = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));

export function needlesOf(harvest: Harvest): Needles {
  const needles: Needle[] = [];
  const seen = new Set<string>();
  const add = (bytes: Buffer, kind: IdentifierKind): void => {
    const key = bytes.toString("latin1");
    if (seen.has(key) || bytes.length === 0) return;
    seen.add(key);
    needles.push({ bytes: lowerCase(bytes), kind });
  };
  const uids = [...harvest.uids].filter((uid) => uid.length >= SHORTEST_UID).map((uid) => [uid, "uid"] as const);
  for (const [text, kind] of [...harvest.identifiers, ...uids]) {
    add(Buffer.from(text, "utf8"), kind);
    add(Buffer.from(text.normalize("NFC"), "latin1"), kind);
    const littleEndian = Buffer.from(text, "utf16le");
    add(littleEndian, kind);
    add(Buffer.from(littleEndian).swap16(), kind);
    if (text.length % 2 === 0) add(Buffer.from(text, "latin1").swap16(), kind);
  }
  for (const [raw, kind] of harvest.rawValues) add(Buffer.from(raw, "latin1"), kind);

  return {
    count: needles.length,
    longestBytes: needles.reduce((longest, needle) => Math.max(longest, needle.bytes.length), 0),
    find(bytes, minimumBytes) {
      const haystack = lowerCase(bytes);
      return needles.find((needle) => needle.bytes.length >= minimumBytes && haystack.includes(needle.bytes))?.kind;
    },
  };
}

function lowerCase(bytes: Uint8Array): Buffer {
  const lowered = Buffer.allocUnsafe(bytes.length);
  for (let index = 0; index < bytes.length; index += 1) lowered[index] = LOWER_CASE[bytes[index] ?? 0] ?? 0;
  return lowered;
}
