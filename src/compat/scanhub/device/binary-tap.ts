import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { createFrameReader, type Frame, unmask } from "./frame-reader.ts";
import { readInPlace } from "./read-in-place.ts";

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
  /**
   * Unmasked, and there until the bytes behind it are asked for: who needs it longer pauses. `isOwn`: nobody else holds the memory that the
   * piece is a part of, once the pieces before it are done with.
   */
  readonly onBinary: (piece: Uint8Array, isOwn: boolean) => void;
}

/** What is known while bytes are taken. */
interface Taking {
  /** The memory of what is being taken is read into again. */
  isReused: boolean;
  /** A text passed, and what came behind it waits. */
  awaitsText: boolean;
  /** Some of what is being taken went to the library, which may keep it. */
  hasPassed: boolean;
}

export function tapBinaryFrames(given: Duplex, options: BinaryTapOptions): BinaryTap {
  const { head } = options;
  const takeOrHold = (bytes: Uint8Array): void => {
    held = take(bytes);
    if (held !== undefined) connection.pause();
  };
  // What a stream reads from a socket has memory of its own; other streams may share theirs.
  const isSocket = given instanceof Socket;
  const { connection, isReused } = readInPlace(given, (bytes) => {
    taking.isReused = isReused;
    taking.hasPassed = isReused || !isSocket;
    takeOrHold(bytes);
  });
  const stream = standInFor(connection);
  // The head is somebody else's memory.
  const taking: Taking = { awaitsText: false, hasPassed: true, isReused: false };
  const take = createTaker(taking, stream, options);
  let isStarted = false;
  let isPaused = false;
  let held: Uint8Array | undefined = head.length > 0 ? head : undefined;

  const goOn = (): void => {
    if (!isStarted || isPaused || taking.awaitsText) return;
    const rest = held;
    held = undefined;
    if (rest !== undefined) takeOrHold(rest);
    if (!isPaused && !taking.awaitsText) connection.resume();
  };
  return {
    stream,
    start() {
      isStarted = true;
      goOn();
    },
    textTaken() {
      taking.awaitsText = false;
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

/** Answers what has to wait for a text that passed. */
function createTaker(
  taking: Taking,
  stream: Duplex,
  { maximumFrameBytes, onBinary }: BinaryTapOptions,
): (bytes: Uint8Array) => Uint8Array | undefined {
  const reader = createFrameReader(maximumFrameBytes);
  const pass = (bytes: Uint8Array): void => {
    taking.hasPassed = true;
    // The library may keep it.
    stream.push(taking.isReused ? Buffer.from(bytes) : bytes);
  };
  /** Before its last bytes pass: the library may take the text at once. */
  const endIfWhole = ({ missingBytes, endsText, isBinary }: Frame): void => {
    if (missingBytes > 0) return;
    reader.end();
    taking.awaitsText = endsText && !isBinary;
  };
  const takeHeader = (bytes: Uint8Array): number => {
    const { used, header } = reader.takeHeader(bytes);
    const { frame } = reader;
    if (header === undefined || frame === undefined) return used;
    endIfWhole(frame);
    if (!frame.isBinary) pass(header);
    return used;
  };
  const takePayload = (bytes: Uint8Array, frame: Frame): number => {
    const piece = bytes.subarray(0, Math.min(bytes.length, frame.missingBytes));
    frame.missingBytes -= piece.length;
    endIfWhole(frame);
    if (frame.isBinary) {
      unmask(piece, frame.mask, frame.phase);
      frame.phase = (frame.phase + piece.length) & 3;
      onBinary(piece, piece.length === bytes.length && !taking.hasPassed);
    } else pass(piece);
    return piece.length;
  };
  return (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      const rest = bytes.subarray(at);
      if (taking.awaitsText) return rest;
      at += reader.frame === undefined ? takeHeader(rest) : takePayload(rest, reader.frame);
    }
    return undefined;
  };
}

/** What is written to it goes to the connection; what it gives is pushed. Both end together. */
function standInFor(connection: Duplex): Duplex {
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk, _, done) => void connection.write(chunk, done),
    final: (done) => void connection.end(done),
    destroy(thrown, done) {
      connection.destroy();
      done(thrown);
    },
  });
  connection.once("end", () => stream.push(null));
  connection.once("error", () => stream.destroy(new GatewayError("SCAN_DEVICE_LOST")));
  connection.once("close", () => stream.destroy());
  return stream;
}
