import { decodeText, isAscii } from "./character-sets.ts";
import { declaredSets, UTF_8 } from "./character-sets-table.ts";
import { followsCharacterSet, type Vr } from "./vr.ts";

/** The upper half of a set of one byte: byte by character. */
const upperHalves = new Map<string, ReadonlyMap<string, number>>();

function upperHalf(encoding: string): ReadonlyMap<string, number> {
  const known = upperHalves.get(encoding);
  if (known !== undefined) return known;
  const decoder = new TextDecoder(encoding);
  const bytes = Array.from({ length: 0x60 }, (_, index) => 0xa0 + index);
  const half = new Map(bytes.map((byte) => [decoder.decode(Uint8Array.of(byte)), byte] as const));
  upperHalves.set(encoding, half);
  return half;
}

/**
 * The bytes of a text, without padding; undefined when the character set has no bytes for it: then ISO_IR 192 must be declared instead.
 * Escape sequences are never written: text of several sets is better in UTF-8. PS3.3 C.12.1.1.2.
 * @param specificCharacterSet the value of (0008,0005), all values joined by backslashes
 */
export function encodeText(text: string, vr: Vr, specificCharacterSet: string | undefined): Uint8Array | undefined {
  if (!followsCharacterSet(vr)) {
    const latin = Buffer.from(text, "latin1");
    return latin.toString("latin1") === text ? latin : undefined;
  }
  const { terms, first } = declaredSets(specificCharacterSet);
  const bytes =
    terms[0] === UTF_8 ? Buffer.from(text, "utf8") : singleBytes(asRomaji(text, first?.encoding), first?.encoding);
  // What does not read as what was written is not written: a yen sign between values, say.
  return bytes !== undefined && decodeText(bytes, vr, specificCharacterSet) === text ? bytes : undefined;
}

/** ISO-IR 14 writes an overline and a yen sign where ASCII has tilde and backslash. */
function asRomaji(text: string, encoding: string | undefined): string {
  return encoding === "shift-jis" ? text.replaceAll("\u203e", "~").replaceAll("\u00a5", "\\") : text;
}

function singleBytes(text: string, encoding: string | undefined): Uint8Array | undefined {
  if (isAscii(text)) return Buffer.from(text, "latin1");
  if (encoding === undefined) return undefined;
  const half = upperHalf(encoding);
  const bytes: number[] = [];
  for (const character of text) {
    const byte = isAscii(character) ? character.charCodeAt(0) : half.get(character);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
