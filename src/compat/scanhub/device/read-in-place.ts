import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

/** So much one read takes: a stream's takes a quarter of it. */
const READ_BYTES = 256 * 1024;

/** Where bytes of a device come from. */
export interface BytesOf {
  /** To write to, to pause and to end; it may be another one than was given, which is then not to be used any more. */
  readonly connection: Duplex;
  /** Bytes lie in memory that the next read overwrites: none comes while the connection is paused. */
  readonly isReused: boolean;
}

/**
 * A plain connection is read into one piece of memory again and again, which halves what receiving costs. Node offers it for connections
 * that a program opens (`onread`), so one that a server accepted is handed to a socket of that kind. TLS, and whatever else cannot be
 * handed over, is read as a stream.
 */
export function readInPlace(given: Duplex, onBytes: (bytes: Uint8Array) => void): BytesOf {
  const handle: unknown =
    given instanceof Socket && !(given instanceof TLSSocket) ? Reflect.get(given, HANDLE) : undefined;
  if (typeof handle !== "object" || handle === null || given.readableLength > 0) {
    given.on("data", onBytes);
    given.pause();
    return { connection: given, isReused: false };
  }
  Reflect.set(given, HANDLE, null);
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const callback = (sizeBytes: number, bytes: Uint8Array): boolean => {
    onBytes(bytes.subarray(0, sizeBytes));
    return true;
  };
  const options = { handle, allowHalfOpen: true, onread: { buffer, callback } };
  // Its type knows of handles that are not connected yet only.
  const connection: Socket = Reflect.construct(Socket, [options]);
  connection.pause();
  // Its server counts it no longer.
  given.destroy();
  return { connection, isReused: true };
}

/** Node's own name for what is below a socket. */
const HANDLE = "_handle";
