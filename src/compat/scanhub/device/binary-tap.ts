import { Duplex } from "node:stream";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { createFrameReader, type Frame, unmask } from "./frame-reader.ts";

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

export function tapBinaryFrames(
  connection: Duplex,
  { head, maximumFrameBytes, onBinary }: BinaryTapOptions,
): BinaryTap {
  const reader = createFrameReader(maximumFrameBytes);
  const stream = standInFor(connection);
  let isStarted = false;
  let isPaused = false;
  let awaitsText = false;
  /** Some of what is being taken went to the library, which may keep it; the head is somebody else's. */
  let hasPassed = true;
  let held: Uint8Array | undefined = head.length > 0 ? head : undefined;

  const pass = (bytes: Uint8Array): void => {
    hasPassed = true;
    stream.push(bytes);
  };
  /** Before its last bytes pass: the library may take the text at once. */
  const endIfWhole = ({ missingBytes, endsText, isBinary }: Frame): void => {
    if (missingBytes > 0) return;
    reader.end();
    awaitsText = endsText && !isBinary;
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
      onBinary(piece, piece.length === bytes.length && !hasPassed);
    } else pass(piece);
    return piece.length;
  };
  const take = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; ) {
      const rest = bytes.subarray(at);
      if (awaitsText) {
        held = rest;
        connection.pause();
        return;
      }
      at += reader.frame === undefined ? takeHeader(rest) : takePayload(rest, reader.frame);
    }
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
