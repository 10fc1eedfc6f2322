/** Number of segments and 15 offsets. PS3.5 G.5. */
export const RLE_HEADER_BYTES = 64;
const MAXIMUM_SEGMENTS = 15;

/** One segment of a frame's RLE data, from the frame's first byte. */
export interface RleSegment {
  readonly start: number;
  readonly end: number;
}

/** The segments an RLE header names: as many as `count`, in order and within the frame. Undefined: they are not. PS3.5 G.5. */
export function rleSegments(header: Buffer, frameBytes: number, count: number): readonly RleSegment[] | undefined {
  if (header.length < RLE_HEADER_BYTES || count > MAXIMUM_SEGMENTS || header.readUInt32LE(0) !== count)
    return undefined;
  const offsets = Array.from({ length: count }, (_, index) => header.readUInt32LE(4 + 4 * index));
  const ends = [...offsets.slice(1), frameBytes];
  const segments = ends.map((end, index) => ({ start: offsets[index] ?? 0, end }));
  const isSound = ({ start, end }: RleSegment): boolean =>
    RLE_HEADER_BYTES <= start && start <= end && end <= frameBytes;
  return segments.every(isSound) ? segments : undefined;
}

/** Where the bytes of one segment go: every `step` bytes from `start`, so many of them. */
export interface RlePlaces {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** Decodes one segment, whose bytes come in pieces. */
export interface RleDecoder {
  /** The next piece of the segment, once all of the one before is used. */
  feed(piece: Uint8Array): void;
  /** Puts the segment's next bytes into their places. How many there were: fewer than wanted when the piece is used up. */
  take(target: Uint8Array, places: RlePlaces): number;
  /** Whether a run goes on behind what was taken. */
  readonly isWithinRun: boolean;
}

/** -128: nothing. */
const NOTHING = 0x80;
/** A run of bytes as they are; and one that repeats a byte which stands in the next piece. */
const [LITERAL, UNREAD] = [-1, -2];

/** PS3.5 G.3.2: a byte n, then n + 1 bytes as they are (0 to 127), or one byte repeated 1 - n times (-1 to -127, which is 257 less the byte without its sign). */
export function createRleDecoder(): RleDecoder {
  let piece: Uint8Array = new Uint8Array();
  let at = 0;
  /** Bytes of the run that were not taken. */
  let pending = 0;
  /** The byte of a run that repeats one, or one of these. */
  let repeated = LITERAL;

  return {
    feed(next) {
      piece = next;
      at = 0;
    },
    get isWithinRun() {
      return pending > 0;
    },
    take(target, { start, step, count }) {
      const from = piece;
      const end = from.length;
      // What changes with every run is kept in variables of its own: these loops are all there is to decoding.
      let [next, left, ofRun, value] = [at, count, pending, repeated];
      let to = start;
      while (left > 0) {
        if (ofRun === 0) {
          if (next === end) break;
          const n = from[next] ?? 0;
          next += 1;
          if (n === NOTHING) continue;
          ofRun = n < NOTHING ? n + 1 : 257 - n;
          value = n < NOTHING ? LITERAL : UNREAD;
        }
        if (value === UNREAD) {
          if (next === end) break;
          value = from[next] ?? 0;
          next += 1;
        }
        let run = Math.min(ofRun, left);
        if (value === LITERAL) {
          if (end - next < run) run = end - next;
          if (run === 0) break;
          if (step === 1 && run >= FEW_BYTES) target.set(from.subarray(next, next + run), to);
          else
            for (let index = 0, place = to; index < run; index += 1, place += step)
              target[place] = from[next + index] ?? 0;
          next += run;
        } else if (step === 1 && run >= FEW_BYTES) target.fill(value, to, to + run);
        else for (let index = 0, place = to; index < run; index += 1, place += step) target[place] = value;
        to += run * step;
        left -= run;
        ofRun -= run;
      }
      [at, pending, repeated] = [next, ofRun, value];
      return count - left;
    },
  };
}

/** Below this the bytes are put one by one: to call what copies them costs more. */
const FEW_BYTES = 16;
