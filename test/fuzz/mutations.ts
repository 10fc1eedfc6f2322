import type { Random } from "../../src/units/random.ts";
import type { FuzzSeed } from "./target.ts";

export interface DamagedInput {
  readonly bytes: Uint8Array;
  /** The seed's name and what was done to it, for messages. */
  readonly description: string;
}

type Mutation = (bytes: Uint8Array, random: Random, seeds: readonly FuzzSeed[]) => Uint8Array;

/** Lengths that overflow, wrap, reach just beyond the end, or stand for "undefined". */
const NASTY_LENGTHS = [0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x7fffffff, 0xfffffffe];
const UNDEFINED_LENGTH = 0xffffffff;
/** Tags and VRs that change what follows: item, delimiters, pixel data, sequences. In both byte orders where it matters. */
const NASTY_WORDS = [
  "feff00e0",
  "feff0de0",
  "feffdde0",
  "fffee000",
  "fffee00d",
  "fffee0dd",
  "e07f1000",
  "5351",
  "554e",
];
/** VRs of every form of header and every kind of value. PS3.5 6.2, 7.1.2. */
const VRS = ["AE", "CS", "DA", "DS", "FD", "IS", "LO", "OB", "OW", "PN", "SH", "SQ", "UI", "UL", "UN", "US", "UT"];
/** What separates values, ends them, changes their character set; dates, UIDs and character sets that others are in place of. */
const NASTY_TEXTS = [
  "\0",
  "\\",
  "^",
  "=",
  "  ",
  "\x1b$B",
  "\x1b(B",
  "20240229",
  "1.2.3",
  "ISO_IR 192",
  "GB18030",
  "YES",
  "NO",
];
const LONGEST_PIECE_BYTES = 4_096;
const ANY_VR = new RegExp(VRS.join("|"));
/** No mutation grows its input beyond this. */
const LONGEST_INPUT_BYTES = 1024 * 1024;
const MOST_MUTATIONS = 4;

const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

const pick = <T>(random: Random, values: readonly T[]): T => {
  const value = values[below(random, values.length)];
  if (value === undefined) throw new Error("nothing to pick from");
  return value;
};

/** A position in the input: half of the time in its first kilobyte, where the headers are. */
function place(random: Random, bytes: Uint8Array): number {
  return below(random, random.next() < 0.5 ? Math.min(1_024, bytes.length) : bytes.length);
}

function overwrite(bytes: Uint8Array, offset: number, written: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set(written.subarray(0, Math.max(0, copy.length - offset)), offset);
  return copy;
}

function numberBytes(random: Random, value: number): Uint8Array {
  const bytes = Buffer.alloc(random.next() < 0.5 ? 2 : 4);
  const fitting = bytes.length === 2 ? value & 0xffff : value;
  if (random.next() < 0.5) bytes.writeUIntLE(fitting, 0, bytes.length);
  else bytes.writeUIntBE(fitting, 0, bytes.length);
  return bytes;
}

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "bit flipped": (bytes, random) => {
    const offset = place(random, bytes);
    return overwrite(bytes, offset, Uint8Array.of((bytes[offset] ?? 0) ^ (1 << below(random, 8))));
  },
  "byte overwritten": (bytes, random) => overwrite(bytes, place(random, bytes), random.bytes(1)),
  "noise written over": (bytes, random) => overwrite(bytes, place(random, bytes), random.bytes(1 + below(random, 32))),
  "length overwritten": (bytes, random) => {
    const nasty = [...NASTY_LENGTHS, UNDEFINED_LENGTH, bytes.length, bytes.length - 8, below(random, bytes.length + 1)];
    // Lengths stand on even offsets.
    return overwrite(bytes, place(random, bytes) & ~1, numberBytes(random, Math.max(0, pick(random, nasty))));
  },
  "word overwritten": (bytes, random) =>
    overwrite(bytes, place(random, bytes) & ~1, Buffer.from(pick(random, NASTY_WORDS), "hex")),
  "VR overwritten": (bytes, random) => {
    const offset = place(random, bytes);
    // The next two letters that are one.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    const at = text.slice(offset).search(ANY_VR);
    return at < 0 ? bytes : overwrite(bytes, offset + at, Buffer.from(pick(random, VRS)));
  },
  "text written over": (bytes, random) =>
    overwrite(bytes, place(random, bytes), Buffer.from(pick(random, NASTY_TEXTS), "latin1")),
  "cut short": (bytes, random) => bytes.subarray(0, place(random, bytes)),
  "range left out": (bytes, random) => {
    const start = place(random, bytes);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + 1 + below(random, LONGEST_PIECE_BYTES))]);
  },
  "range repeated": (bytes, random) => {
    const start = place(random, bytes);
    const end = start + 1 + below(random, LONGEST_PIECE_BYTES);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
  },
  "spliced with another": (bytes, random, seeds) => {
    const other = pick(random, seeds).bytes;
    return Buffer.concat([bytes.subarray(0, place(random, bytes)), other.subarray(place(random, other))]);
  },
  "another behind it": (bytes, random, seeds) => Buffer.concat([bytes, pick(random, seeds).bytes]),
  "noise behind it": (bytes, random) => Buffer.concat([bytes, random.bytes(1 + below(random, 64))]),
};

/** One of the seeds with one to four kinds of damage; the same random numbers give the same input. */
export function damaged(seeds: readonly FuzzSeed[], random: Random): DamagedInput {
  const seed = pick(random, seeds);
  let bytes = seed.bytes;
  const done: string[] = [];
  for (let count = 1 + below(random, MOST_MUTATIONS); count > 0 && bytes.length > 0; count -= 1) {
    const name = pick(random, Object.keys(MUTATIONS));
    const next = MUTATIONS[name]?.(bytes, random, seeds) ?? bytes;
    if (next.length > LONGEST_INPUT_BYTES) continue;
    bytes = next;
    done.push(name);
  }
  return { bytes, description: `${seed.name}: ${done.join(", ")}` };
}
