import { damaged } from "./frame-shape.ts";

/** Longest code. ITU-T T.81 C. */
const LONGEST_CODE = 16;

/** By the next 16 bits: the length of the code in the upper byte, what it stands for in the lower; 0: no code. */
export type HuffmanTable = Uint16Array;

/**
 * ITU-T T.81 C.2, F.2.2.3.
 * @param counts of codes by length, from 1 to 16 bits
 * @param values in the order of their codes
 */
export function huffmanTable(counts: Uint8Array, values: Uint8Array): HuffmanTable {
  const table = new Uint16Array(1 << LONGEST_CODE);
  let next = 0;
  let used = 0;
  for (let length = 1; length <= LONGEST_CODE; length += 1) {
    for (let count = counts[length - 1] ?? 0; count > 0; count -= 1) {
      const span = 1 << (LONGEST_CODE - length);
      if (next + span > table.length) throw damaged("Huffman table");
      table.fill((length << 8) | (values[used] ?? 0), next, next + span);
      next += span;
      used += 1;
    }
  }
  return table;
}

/** Bits of an entropy-coded segment, in which FF00 is the byte FF. ITU-T T.81 B.1.1.5, F.2.2.5. */
export interface BitReader {
  /** The category that the next code stands for. @throws GatewayError TRANSCODING_DAMAGED */
  symbol(table: HuffmanTable): number;
  /** Up to 16 bits. */
  bits(count: number): number;
  /** Goes on behind the next marker, which must be RSTm. ITU-T T.81 F.2.2.3. */
  restart(): void;
  /** Where the segment ends: at the next marker. */
  end(): number;
}

export function createBitReader(bytes: Uint8Array, start: number): BitReader {
  let at = start;
  let held = 0;
  let heldBits = 0;
  /** Zeros that were put behind the end. */
  let missingBits = 0;

  const fill = (): void => {
    while (heldBits <= 16) {
      const byte = bytes[at];
      const isMarker = byte === undefined || (byte === 0xff && bytes[at + 1] !== 0);
      if (isMarker) missingBits += 8;
      else at += byte === 0xff ? 2 : 1;
      held = ((held << 8) | (isMarker ? 0 : byte)) & 0xffffffff;
      heldBits += 8;
    }
  };
  const drop = (count: number): void => {
    heldBits -= count;
    if (heldBits < missingBits) throw damaged("JPEG ends in the middle");
  };
  return {
    symbol(table) {
      if (heldBits < LONGEST_CODE) fill();
      const entry = table[(held >>> (heldBits - LONGEST_CODE)) & 0xffff] ?? 0;
      if (entry === 0) throw damaged("JPEG code");
      drop(entry >>> 8);
      return entry & 0xff;
    },
    bits(count) {
      if (count === 0) return 0;
      if (heldBits < LONGEST_CODE) fill();
      const value = (held >>> (heldBits - count)) & ((1 << count) - 1);
      drop(count);
      return value;
    },
    restart() {
      [held, heldBits, missingBits] = [0, 0, 0];
      while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at += 1;
      const marker = bytes[at + 1] ?? 0;
      if (bytes[at] !== 0xff || marker < 0xd0 || marker > 0xd7) throw damaged("JPEG restart");
      at += 2;
    },
    end: () => at,
  };
}
