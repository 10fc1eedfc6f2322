import { gunzipSync, inflateSync, constants as zlib } from "node:zlib";

const COMPRESSED_STARTS: readonly (readonly [start: string, inflate: typeof inflateSync])[] = [
  ["7801", inflateSync],
  ["785e", inflateSync],
  ["789c", inflateSync],
  ["78da", inflateSync],
  ["1f8b08", gunzipSync],
];
const LONGEST_INFLATED_BYTES = 64 * 2 ** 20;
const AROUND = 12;
const SHORTEST_WORDS = 4;

/**
 * Where bytes hold one of the texts: as UTF-8, Latin-1, UTF-16 of either order, in another encoding that is given, with the bytes of every
 * word turned round at either alignment, in capitals or not, and once more in whatever is compressed within. Independent of the product.
 * @param encoded further spellings as bytes, such as a text in the declared character set
 */
export function tracesOf(bytes: Uint8Array, texts: readonly string[], encoded: readonly Uint8Array[] = []): string[] {
  const needles = needlesOf(texts, encoded);
  return [bytes, ...inflatedFrom(bytes)].flatMap((each) => searched(Buffer.from(each), needles));
}

function needlesOf(texts: readonly string[], encoded: readonly Uint8Array[]): readonly string[] {
  const plain = texts.flatMap((text) => {
    const wide = Buffer.from(text, "utf16le");
    return [Buffer.from(text, "utf8"), Buffer.from(text, "latin1"), wide, turned(wide)];
  });
  const all = [...plain, ...encoded.map((each) => Buffer.from(each))];
  // A word that is split by the alignment loses its first and its last byte. A few digits turned round are in many a UID.
  const isTelling = (each: Buffer): boolean => each.length >= SHORTEST_WORDS && (each.length > 9 || !isDigits(each));
  const words = all.flatMap((each) => [turned(each), turned(each.subarray(1))]).filter(isTelling);
  return [...new Set([...all, ...words].map((each) => each.toString("latin1").toLowerCase()))];
}

function isDigits(bytes: Buffer): boolean {
  return /^[0-9.\0 ]*$/.test(bytes.toString("latin1"));
}

/** The bytes of every whole word turned round; an odd one at the end is left out. */
function turned(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16();
}

function searched(bytes: Buffer, needles: readonly string[]): string[] {
  const text = bytes.toString("latin1");
  const folded = text.toLowerCase();
  return needles.flatMap((needle) => {
    const at = folded.indexOf(needle);
    return at < 0
      ? []
      : [`${at}: ${JSON.stringify(text.slice(Math.max(0, at - AROUND), at + needle.length + AROUND))}`];
  });
}

/** Whatever begins like a compressed stream, as far as it can be inflated. */
function inflatedFrom(bytes: Uint8Array): Uint8Array[] {
  const options = { finishFlush: zlib.Z_SYNC_FLUSH, maxOutputLength: LONGEST_INFLATED_BYTES };
  const buffer = Buffer.from(bytes);
  return COMPRESSED_STARTS.flatMap(([start, inflate]) =>
    positionsOf(buffer, Buffer.from(start, "hex")).flatMap((at) => {
      try {
        return [inflate(buffer.subarray(at), options)];
      } catch {
        return [];
      }
    }),
  );
}

function positionsOf(bytes: Buffer, needle: Buffer): number[] {
  const positions: number[] = [];
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) positions.push(at);
  return positions;
}
