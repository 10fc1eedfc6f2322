import { connect, type OnReadOpts, Socket, type TcpNetConnectOpts } from "node:net";

/**
 * Node gives every read a buffer of its own. At a gigabyte a second that is a gigabyte of garbage a second, and collecting it costs more than
 * reading; so here each connection reads into one buffer again and again. TLS connections read as Node does: their bytes are decrypted anyhow.
 */
const READ_BYTES = 256 * 1024;

type ChunkListener = (chunk: Buffer) => void;

/** Connections with a read buffer, and who reads them. */
const listeners = new WeakMap<Socket, { listener: ChunkListener | undefined }>();

/**
 * Whoever reads a connection. A chunk is the listener's until it returns, or, when it pauses the socket before, until that is resumed.
 */
export function onChunk(socket: Socket, listener: ChunkListener): void {
  const reading = listeners.get(socket);
  if (reading === undefined) socket.on("data", listener);
  else {
    reading.listener = listener;
    socket.resume();
  }
}

/** Turns of the queues of ticks and promises; what takes more waits for the world. */
const TURNS_BEFORE_PAUSE = 16;

/**
 * Reads nothing more until the work on the chunk that has just come is settled. Between two reads into its buffer Node runs all that needs no
 * waiting: a small object is stored and answered in that time, and to stop and start reading would cost as much again.
 */
export function holdBack(socket: Socket, settled: Promise<void>): void {
  let isSettled = false;
  let isPaused = false;
  const pause = (): void => {
    isPaused = true;
    socket.pause();
  };
  const look = (turns: number): void => {
    if (isSettled) return;
    if (turns === 0) pause();
    else queueMicrotask(() => process.nextTick(look, turns - 1));
  };
  void settled.then(() => {
    isSettled = true;
    if (isPaused) socket.resume();
  });
  // Without a read buffer several chunks come in one turn.
  if (listeners.has(socket)) look(TURNS_BEFORE_PAUSE);
  else pause();
}

function createReading(): { readonly state: { listener: ChunkListener | undefined }; readonly onread: OnReadOpts } {
  const state: { listener: ChunkListener | undefined } = { listener: undefined };
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  return {
    state,
    onread: {
      buffer,
      callback(count) {
        state.listener?.(buffer.subarray(0, count));
        return true;
      },
    },
  };
}

export function connectWithReadBuffer(options: TcpNetConnectOpts): Socket {
  const { state, onread } = createReading();
  const socket = connect({ ...options, onread });
  listeners.set(socket, state);
  return socket;
}

/**
 * The same for a connection that a server has accepted with `pauseOnConnect`. Node has no option for that, so its handle is put into another
 * socket; where this Node has no such handle the accepted socket is left as it is.
 */
export function acceptedWithReadBuffer(accepted: Socket): Socket {
  const handle: unknown = Reflect.get(accepted, "_handle");
  if (typeof handle !== "object" || handle === null || !("useUserBuffer" in handle)) return accepted.resume();
  Reflect.set(accepted, "_handle", null);
  const { state, onread } = createReading();
  const options = { handle, onread, readable: true, writable: true };
  // Not the handle that the option is documented for.
  const socket: Socket = Reflect.construct(Socket, [options]);
  listeners.set(socket, state);
  // The server counts the one that it has accepted.
  socket.once("close", () => accepted.destroy());
  return socket;
}
