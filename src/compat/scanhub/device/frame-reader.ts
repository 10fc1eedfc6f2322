/** RFC 6455 5.2. */
const OPCODES = { continuation: 0x0, text: 0x1, binary: 0x2 } as const;
const FIN = 0x80;
const RESERVED_AND_OPCODE = 0x7f;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MAXIMUM_HEADER_BYTES = 14;

/** A frame as its header tells it. */
export interface Frame {
  /** Binary, masked and no longer than allowed. */
  readonly isBinary: boolean;
  /** A text message ends with it. */
  readonly endsText: boolean;
  readonly mask: Uint8Array;
  /** What is missing of its payload. */
  missingBytes: number;
  /** Place of the next byte in the mask. */
  phase: number;
}

/** Tells where frames of a client begin, byte by byte. */
export interface FrameReader {
  /** The frame that the bytes are in; undefined between two. */
  readonly frame: Frame | undefined;
  /** Takes bytes of a header; answers how many, and the header when it is whole: `frame` is then set. */
  takeHeader(bytes: Uint8Array): { readonly used: number; readonly header: Buffer | undefined };
  /** The frame's payload is through. */
  end(): void;
}

export function createFrameReader(maximumFrameBytes: number): FrameReader {
  const header = Buffer.alloc(MAXIMUM_HEADER_BYTES);
  let known = 0;
  let frame: Frame | undefined;
  /** Fragments that follow belong to a binary message. */
  let isInBinary = false;
  return {
    get frame() {
      return frame;
    },
    takeHeader(bytes) {
      for (let used = 0; used < bytes.length; ) {
        header[known] = bytes[used] ?? 0;
        known += 1;
        used += 1;
        if (known !== headerLength(header, known)) continue;
        const whole = Buffer.from(header.subarray(0, known));
        known = 0;
        frame = frameOf(whole, maximumFrameBytes, isInBinary);
        if (frame.isBinary) isInBinary = ((whole[0] ?? 0) & FIN) === 0;
        return { used, header: whole };
      }
      return { used: bytes.length, header: undefined };
    },
    end() {
      frame = undefined;
    },
  };
}

/** As far as its first bytes tell; more than is there while they do not. */
function headerLength(header: Uint8Array, known: number): number {
  const second = header[1];
  if (known < 2 || second === undefined) return 2;
  const length = second & ~MASKED;
  const lengthBytes = length === LENGTH_16 ? 2 : length === LENGTH_64 ? 8 : 0;
  return 2 + lengthBytes + ((second & MASKED) === 0 ? 0 : 4);
}

function frameOf(header: Buffer, maximumFrameBytes: number, isInBinary: boolean): Frame {
  const [first = 0, second = 0] = header;
  const opcode = first & RESERVED_AND_OPCODE;
  const isMasked = (second & MASKED) !== 0;
  const short = second & ~MASKED;
  const missingBytes =
    short === LENGTH_16 ? header.readUInt16BE(2) : short === LENGTH_64 ? Number(header.readBigUInt64BE(2)) : short;
  const isBinary = opcode === OPCODES.binary || (opcode === OPCODES.continuation && isInBinary);
  const isText = opcode === OPCODES.text || (opcode === OPCODES.continuation && !isBinary);
  return {
    isBinary: isBinary && isMasked && missingBytes <= maximumFrameBytes,
    endsText: isText && (first & FIN) !== 0,
    mask: isMasked ? header.subarray(-4) : new Uint8Array(4),
    missingBytes,
    phase: 0,
  };
}

/** In place, four bytes at a time where memory is aligned. RFC 6455 5.3. @param phase place of the first byte in the mask */
export function unmask(bytes: Uint8Array, mask: Uint8Array, phase: number): void {
  const at = (index: number): number => mask[(phase + index) & 3] ?? 0;
  const lead = Math.min(bytes.length, (4 - (bytes.byteOffset & 3)) & 3);
  const words = (bytes.length - lead) >>> 2;
  for (let index = 0; index < lead; index += 1) bytes[index] = (bytes[index] ?? 0) ^ at(index);
  // Signed: an unsigned word may be too large for the engine's small integers.
  const word = new Int32Array(Uint8Array.of(at(lead), at(lead + 1), at(lead + 2), at(lead + 3)).buffer)[0] ?? 0;
  const view = words === 0 ? new Int32Array() : new Int32Array(bytes.buffer, bytes.byteOffset + lead, words);
  for (let index = 0; index < words; index += 1) view[index] = (view[index] ?? 0) ^ word;
  for (let index = lead + 4 * words; index < bytes.length; index += 1) bytes[index] = (bytes[index] ?? 0) ^ at(index);
}
