import { Duplex } from "node:stream";
import { GatewayError } from "../../../errors/gateway-error.ts";

/** RFC 6455 5.2. */
const OPCODES = { continuation: 0x0, text: 0x1, binary: 0x2 } as const;
const FIN = 0x80;
const RESERVED_AND_OPCODE = 0x7f;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MAXIMUM_HEADER_BYTES = 14;

/**
 * Stands between a connection and the library that speaks WebSocket over it: binary frames are taken out as their bytes come, without
 * waiting for a frame's end and without a copy; everything else passes as it is.
 */
export interface BinaryTap {
  /** For the library, in the connection's place. */
  readonly stream: Duplex;
  /** Bytes are read from here on. */
  start(): void;
  /** The library gave the text message that passed last: what came behind it may follow. */
  textTaken(): void;
  pause(): void;
  resume(): void;
}

export interface BinaryTapOptions {
  /** What was read of the connection already. */
  readonly head: Uint8Array;
  /** A frame that is longer passes: the library ends the connection over it. */
  readonly maximumFrameBytes: number;
  /** Unmasked. `isOwn`: nobody else holds the memory that the piece is a part of, once the pieces before it are done with. */
  readonly onBinary: (piece: Uint8Array, isOwn: boolean) => void;
}

interface Reading {
  /** Of the header, as far as it came. */
  header: Buffer;
  headerBytes: number;
  /** What is missing of the frame's payload; undefined between two frames. */
  missing: number | undefined;
  isTapped: boolean;
  /** Its last frame, and text: the library answers it with a message. */
  endsText: boolean;
  /** Fragments that follow belong to a binary message. */
  isInBinary: boolean;
  mask: Uint8Array;
  phase: number;
}

export function tapBinaryFrames(
  connection: Duplex,
  { head, maximumFrameBytes, onBinary }: BinaryTapOptions,
): BinaryTap {
  const reading: Reading = {
    header: Buffer.alloc(MAXIMUM_HEADER_BYTES),
    headerBytes: 0,
    missing: undefined,
    isTapped: false,
    endsText: false,
    isInBinary: false,
    mask: new Uint8Array(4),
    phase: 0,
  };
  let isStarted = false;
  let isPaused = false;
  let awaitsText = false;
  /** Some of what is being taken went to the library, which may keep it; the head is somebody else's. */
  let hasPassed = true;
  let held: Uint8Array | undefined = head.length > 0 ? head : undefined;

  const stream = new Duplex({
    read: () => undefined,
    write: (chunk, _, done) => void connection.write(chunk, done),
    final: (done) => void connection.end(done),
    destroy(thrown, done) {
      connection.destroy();
      done(thrown);
    },
  });

  const take = (bytes: Uint8Array): void => {
    let at = 0;
    while (at < bytes.length) {
      if (awaitsText) {
        held = bytes.subarray(at);
        connection.pause();
        return;
      }
      const rest = bytes.subarray(at);
      at += reading.missing === undefined ? takeHeader(rest) : takePayload(rest, reading.missing);
    }
  };

  const takeHeader = (bytes: Uint8Array): number => {
    let used = 0;
    while (used < bytes.length) {
      reading.header[reading.headerBytes] = bytes[used] ?? 0;
      reading.headerBytes += 1;
      used += 1;
      if (reading.headerBytes === headerLength(reading.header, reading.headerBytes)) {
        beginFrame(reading, maximumFrameBytes);
        const header = Buffer.from(reading.header.subarray(0, reading.headerBytes));
        reading.headerBytes = 0;
        if (reading.missing === 0) endFrame();
        if (!reading.isTapped) stream.push(header);
        break;
      }
    }
    return used;
  };

  const takePayload = (bytes: Uint8Array, missing: number): number => {
    const piece = bytes.subarray(0, Math.min(bytes.length, missing));
    reading.missing = missing - piece.length;
    // Before it passes: the library may take it at once.
    if (reading.missing === 0) endFrame();
    if (reading.isTapped) {
      unmask(piece, reading.mask, reading.phase);
      reading.phase = (reading.phase + piece.length) & 3;
      onBinary(piece, piece.length === bytes.length && !hasPassed);
    } else {
      hasPassed = true;
      stream.push(piece);
    }
    return piece.length;
  };

  const endFrame = (): void => {
    reading.missing = undefined;
    awaitsText = reading.endsText;
  };

  const goOn = (): void => {
    if (!isStarted || isPaused || awaitsText) return;
    const rest = held;
    held = undefined;
    if (rest !== undefined) take(rest);
    if (!isPaused && !awaitsText) connection.resume();
  };

  connection.on("data", (bytes: Uint8Array) => {
    hasPassed = false;
    take(bytes);
  });
  connection.pause();
  connection.once("end", () => stream.push(null));
  connection.once("error", () => stream.destroy(new GatewayError("SCAN_DEVICE_LOST")));
  connection.once("close", () => stream.destroy());
  return {
    stream,
    start() {
      isStarted = true;
      goOn();
    },
    textTaken() {
      awaitsText = false;
      goOn();
    },
    pause() {
      isPaused = true;
      connection.pause();
    },
    resume() {
      isPaused = false;
      goOn();
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

function beginFrame(reading: Reading, maximumFrameBytes: number): void {
  const { header, headerBytes } = reading;
  const [first = 0, second = 0] = header;
  const opcode = first & RESERVED_AND_OPCODE;
  const isMasked = (second & MASKED) !== 0;
  const short = second & ~MASKED;
  const missing =
    short === LENGTH_16 ? header.readUInt16BE(2) : short === LENGTH_64 ? Number(header.readBigUInt64BE(2)) : short;
  const isFinal = (first & FIN) !== 0;
  const isBinary = opcode === OPCODES.binary || (opcode === OPCODES.continuation && reading.isInBinary);
  reading.missing = missing;
  reading.isTapped = isBinary && isMasked && missing <= maximumFrameBytes;
  if (reading.isTapped) reading.isInBinary = !isFinal;
  const isText = opcode === OPCODES.text || (opcode === OPCODES.continuation && !isBinary);
  reading.endsText = isText && isFinal && !reading.isTapped;
  if (!isMasked) return;
  reading.mask.set(header.subarray(headerBytes - 4, headerBytes));
  reading.phase = 0;
}

/** In place, four bytes at a time where memory is aligned. RFC 6455 5.3. @param phase place of the first byte in the mask */
export function unmask(bytes: Uint8Array, mask: Uint8Array, phase: number): void {
  const at = (index: number): number => mask[(phase + index) & 3] ?? 0;
  const lead = Math.min(bytes.length, (4 - (bytes.byteOffset & 3)) & 3);
  const words = (bytes.length - lead) >>> 2;
  for (let index = 0; index < lead; index += 1) bytes[index] = (bytes[index] ?? 0) ^ at(index);
  const word = new Uint32Array(Uint8Array.of(at(lead), at(lead + 1), at(lead + 2), at(lead + 3)).buffer)[0] ?? 0;
  const view = words === 0 ? new Uint32Array() : new Uint32Array(bytes.buffer, bytes.byteOffset + lead, words);
  for (let index = 0; index < words; index += 1) view[index] = (view[index] ?? 0) ^ word;
  for (let index = lead + 4 * words; index < bytes.length; index += 1) bytes[index] = (bytes[index] ?? 0) ^ at(index);
}
