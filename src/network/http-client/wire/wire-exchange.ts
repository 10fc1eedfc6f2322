import { GatewayError } from "../../../errors/gateway-error.ts";
import { type RateWatch, watchRate } from "../../../units/minimum-rate.ts";
import type { ExchangeRequest, RawResponse } from "../exchange.ts";
import { HttpError, transportError } from "../http-error.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionPool } from "./connection-pool.ts";

/** A request whose body is there. */
export interface WireRequest extends Omit<ExchangeRequest, "body"> {
  readonly body: string | Uint8Array | undefined;
  /** Host and port, as the request names them. */
  readonly host: string;
}

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NO_FIELD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const WITH_BODY: ReadonlySet<string> = new Set(["PATCH", "POST", "PUT"]);

/**
 * One request and its answer over a connection of our own, the body in memory that is used again: for what is large.
 * @throws HttpError; the reason of the signal
 */
export function wireExchange(pool: ConnectionPool, request: WireRequest): Promise<RawResponse> {
  return new Promise((resolve, reject) => new Exchange(pool, request, resolve, reject).begin());
}

class Exchange {
  readonly #pool: ConnectionPool;
  readonly #request: WireRequest;
  readonly #resolve: (response: RawResponse) => void;
  readonly #reject: (reason: unknown) => void;
  #connection: Connection | undefined;
  #hasHead = false;
  #isOver = false;
  #isHeld = false;
  /** Between two pieces, or before the first. */
  #silence: NodeJS.Timeout | undefined;
  #total: NodeJS.Timeout | undefined;
  #rate: RateWatch | undefined;
  readonly #onAbort = (): void => this.#stop(this.#request.signal?.reason);

  constructor(
    pool: ConnectionPool,
    request: WireRequest,
    resolve: (response: RawResponse) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#pool = pool;
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    const { signal, totalMs: timeoutMs } = this.#request;
    if (signal?.aborted) {
      this.#onAbort();
      return;
    }
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (timeoutMs !== undefined) {
      this.#total = setTimeout(() => this.#stop(new HttpError("HTTP_TOTAL_TIMED_OUT", { timeoutMs })), timeoutMs);
    }
    this.#ask().catch((thrown: unknown) => this.#end(this.#errorOf(thrown)));
  }

  async #ask(): Promise<void> {
    const { method, headersMs: timeoutMs } = this.#request;
    const bytes = requestBytes(this.#request);
    const connection = await this.#pool.acquire();
    // It may have waited for a connection, for longer than anybody wanted it.
    if (this.#isOver) return this.#pool.release(connection);
    this.#connection = connection;
    this.#silence = setTimeout(() => this.#stop(new HttpError("HTTP_HEADERS_TIMED_OUT", { timeoutMs })), timeoutMs);
    connection.ask(method, bytes, {
      onHead: ({ status, headers }) => {
        this.#hasHead = true;
        const body = connection.ring.begin((isRead) => this.#leave(isRead));
        this.#waitForBody();
        const { slowest } = this.#request;
        this.#rate = watchRate(slowest, () => this.#stop(new HttpError("HTTP_TOO_SLOW", { ...slowest })));
        this.#resolve({ status, headers, body, stop: () => this.#quit() });
      },
      onBytes: (sizeBytes) => {
        this.#rate?.heard(sizeBytes);
        if (this.#hasHead && !this.#isHeld) this.#silence?.refresh();
      },
      onHeld: (isHeld) => {
        this.#isHeld = isHeld;
        this.#rate?.hold(isHeld);
        clearTimeout(this.#silence);
        if (!isHeld && !this.#isOver) this.#waitForBody();
      },
      onEnd: (failure) => this.#end(failure && this.#errorOf(failure)),
    });
  }

  #waitForBody(): void {
    const { idleMs: timeoutMs } = this.#request;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#stop(new HttpError("HTTP_IDLE_TIMED_OUT", { timeoutMs })), timeoutMs);
  }

  #errorOf(thrown: unknown): GatewayError {
    const isTls = this.#request.isTls;
    return transportError(thrown, { isConnected: this.#connection !== undefined, isTls });
  }

  /** The answer is there, or never will be. */
  #end(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#silence);
    clearTimeout(this.#total);
    this.#rate?.[Symbol.dispose]();
    this.#request.signal?.removeEventListener("abort", this.#onAbort);
    const failure =
      reason === undefined || reason instanceof Error ? reason : new GatewayError("CANCELLED", {}, reason);
    if (this.#hasHead) this.#connection?.ring.end(failure);
    else this.#reject(reason);
    // What was read with success is given back by its reader.
    if (failure !== undefined || !this.#hasHead) this.#giveBack();
  }

  /** Nobody waits any more; what is not over ends with its connection. */
  #stop(reason: unknown): void {
    if (this.#isOver) return;
    this.#connection?.destroy();
    this.#end(reason);
  }

  /** Once it is given back, the connection may be another's. */
  #quit(): void {
    if (this.#connection !== undefined) this.#leave(this.#connection.ring.leave());
  }

  /** The reader has all of it, or wants no more. */
  #leave(isRead: boolean): void {
    if (!isRead || !this.#isOver) this.#connection?.destroy();
    this.#end(undefined);
    this.#giveBack();
  }

  #giveBack(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) this.#pool.release(connection);
  }
}

/** @throws TypeError for a header that would be more than one */
function requestBytes({ method, target, headers, host, body }: WireRequest): readonly Uint8Array[] {
  const lines = [`${method} ${target} HTTP/1.1`, `host: ${host}`, "connection: keep-alive"];
  for (const [name, value] of Object.entries(headers)) {
    if (!FIELD_NAME.test(name) || NO_FIELD_VALUE.test(value)) throw new TypeError("invalid header");
    if (name !== "content-length") lines.push(`${name}: ${value}`);
  }
  const length = body === undefined ? 0 : Buffer.byteLength(body);
  if (length > 0 || WITH_BODY.has(method)) lines.push(`content-length: ${length}`);
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (body === undefined) return [head];
  return [head, typeof body === "string" ? Buffer.from(body, "utf8") : body];
}
