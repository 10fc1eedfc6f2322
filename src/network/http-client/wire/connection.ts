import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls, type SecureContext } from "node:tls";
import { HttpError } from "../http-error.ts";
import { type BodyRing, createBodyRing } from "./body-ring.ts";
import { type ResponseHead, violation } from "./response-head.ts";
import { createResponseReader, type ResponseReader } from "./response-reader.ts";

export interface WireOptions {
  readonly origin: URL;
  readonly connectMs: number;
  /** For `https`. */
  readonly secureContext?: SecureContext | undefined;
  readonly servername?: string | undefined;
}

/** Who waits for an answer. */
export interface AnswerListener {
  /** The body follows. */
  onHead(head: ResponseHead): void;
  /** More of the answer, head or body, has come. */
  onBytes(sizeBytes: number): void;
  /** We are behind: the peer waits for us; and no more. */
  onHeld(isHeld: boolean): void;
  /** All of it is there, or this is why not: a system error, or what the peer does wrong. */
  onEnd(failure?: Error): void;
}

/** One connection to the peer, for one answer after the other. */
export interface Connection {
  /** The body of the answer that comes now. */
  readonly ring: BodyRing;
  /** False: it is to be destroyed when the answer has been read. */
  readonly isReusable: boolean;
  /** Sends a request. @param bytes as they go over the wire */
  ask(method: string, bytes: readonly Uint8Array[], listener: AnswerListener): void;
  /** While nobody asks, the process may end; what comes is none of ours. @param onGone called when it ends meanwhile */
  rest(onGone: () => void): void;
  /** @param reason what who waits for an answer is told */
  destroy(reason?: Error): void;
}

/** Connects. @throws what Node says, with its code; HttpError CONNECTION_FAILED when it takes too long */
export async function openConnection(options: WireOptions, lifetime: AbortSignal): Promise<Connection> {
  const wire = new Wire();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connected(options, wire, resolve);
  const { connectMs } = options;
  const fail = (thrown: unknown): void => {
    socket.destroy();
    reject(thrown);
  };
  const onAbort = (): void => fail(lifetime.reason);
  const late = (): void => fail(new HttpError("CONNECTION_FAILED", { reason: "ETIMEDOUT", timeoutMs: connectMs }));
  const timer = setTimeout(late, connectMs);
  const onClose = (): void => fail(new HttpError("CONNECTION_FAILED"));
  lifetime.addEventListener("abort", onAbort, { once: true });
  socket.once("error", fail);
  socket.once("close", onClose);
  try {
    lifetime.throwIfAborted();
    await promise;
  } catch (thrown) {
    fail(thrown);
    // A second error has nobody else who listens.
    socket.on("error", () => undefined);
    throw thrown;
  } finally {
    clearTimeout(timer);
    lifetime.removeEventListener("abort", onAbort);
    socket.removeListener("error", fail);
    socket.removeListener("close", onClose);
  }
  wire.begin(socket);
  return wire;
}

function connected({ origin, secureContext, servername }: WireOptions, wire: Wire, onReady: () => void): Socket {
  const isTls = origin.protocol === "https:";
  const host = origin.hostname.replace(/^\[|\]$/g, "");
  const target = {
    host,
    port: Number(origin.port === "" ? (isTls ? 443 : 80) : origin.port),
    onread: {
      buffer: () => wire.nextRoom(),
      callback: (sizeBytes: number) => {
        wire.read(sizeBytes);
        return true;
      },
    },
  };
  if (!isTls) return connectPlain({ ...target, noDelay: true }, onReady);
  const name = servername === undefined ? {} : { servername };
  const socket = connectTls({ ...target, ...name, secureContext, ALPNProtocols: ["http/1.1"] }, onReady);
  return socket.setNoDelay(true);
}

class Wire implements Connection {
  readonly ring: BodyRing = createBodyRing({ pause: () => this.#hold(true), resume: () => this.#hold(false) });
  #socket: Socket | undefined;
  #reader: ResponseReader | undefined;
  #listener: AnswerListener | undefined;
  #onGone: (() => void) | undefined;
  #isKept = true;
  #isGone = false;
  /** Something came that nobody had asked for. */
  #isEarly = false;

  get isReusable(): boolean {
    return this.#isKept && !this.#isGone && this.#listener === undefined;
  }

  /** Where the socket reads to next. */
  nextRoom(): Uint8Array {
    const { memory, from } = this.ring.room();
    return memory.subarray(from);
  }

  begin(socket: Socket): void {
    this.#socket = socket;
    socket.on("error", (error) => this.#over(error));
    socket.once("end", () => this.#over());
    socket.once("close", () => this.#over());
    if (socket.destroyed) this.#over();
  }

  ask(method: string, bytes: readonly Uint8Array[], listener: AnswerListener): void {
    const socket = this.#socket;
    this.#listener = listener;
    this.#onGone = undefined;
    this.#reader = createResponseReader(method, (head) => {
      this.#isKept = head.isKept;
      listener.onHead(head);
    });
    if (this.#isEarly) this.#finish(violation("answer before its request"));
    else if (socket === undefined || this.#isGone) this.#over();
    else {
      socket.ref();
      socket.cork();
      for (const each of bytes) socket.write(each);
      socket.uncork();
    }
  }

  rest(onGone: () => void): void {
    this.#onGone = onGone;
    this.#socket?.unref();
    if (this.#isGone) onGone();
  }

  destroy(reason?: Error): void {
    this.#isKept = false;
    this.#socket?.destroy();
    if (reason !== undefined) this.#finish(reason);
  }

  /** So much was read to where it was to be read to. */
  read(sizeBytes: number): void {
    const [reader, listener] = [this.#reader, this.#listener];
    if (reader === undefined || listener === undefined) {
      this.#isEarly = true;
      this.destroy();
      return;
    }
    const { memory, from } = this.ring.room();
    listener.onBytes(sizeBytes);
    this.ring.fill(reader.take(memory, from, from + sizeBytes));
    if (reader.hasSurplus) this.#isKept = false;
    if (reader.isOver || reader.fault !== undefined) this.#finish(reader.fault);
  }

  #finish(failure?: Error): void {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#reader = undefined;
    // Who answers before all of the request is there has not read it.
    if (failure !== undefined || !this.#isKept || (this.#socket?.writableLength ?? 0) > 0) this.destroy();
    listener?.onEnd(failure);
  }

  #over(error?: Error): void {
    this.#isGone = true;
    const reader = this.#reader;
    reader?.end();
    if (reader !== undefined) this.#finish(reader.isOver ? undefined : (error ?? reader.fault));
    this.destroy();
    this.#onGone?.();
    this.#onGone = undefined;
  }

  #hold(isHeld: boolean): void {
    if (isHeld) this.#socket?.pause();
    else this.#socket?.resume();
    this.#listener?.onHeld(isHeld);
  }
}
