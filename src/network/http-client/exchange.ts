import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type MinimumRate, type RateWatch, watchRate } from "../../units/minimum-rate.ts";
import { type BodyQueue, createBodyQueue, type Pieces } from "./body-queue.ts";
import { HttpError, transportError } from "./http-error.ts";

export interface ExchangeRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH";
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly headersMs: number;
  readonly idleMs: number;
  readonly totalMs: number | undefined;
  readonly slowest: MinimumRate;
  /** By `https`. */
  readonly isTls: boolean;
  readonly signal: AbortSignal | undefined;
}

/** An answer as it comes over the wire. */
export interface RawResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Pieces;
  /** Ends the exchange; the connection too when it is not over. */
  stop(): void;
}

/**
 * One request and its answer. Pieces go from undici's parser to the reader as they are: its streams would cost a third of the speed.
 * @throws HttpError; the reason of the signal
 */
export function exchange(dispatcher: Dispatcher, request: ExchangeRequest): Promise<RawResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<RawResponse>();
  const { method, target: path, headers, headersMs: headersTimeout, idleMs: bodyTimeout } = request;
  const body = bodyOf(request.body);
  dispatcher.dispatch(
    { path, method, headers, body, headersTimeout, bodyTimeout },
    createHandler(request, resolve, reject),
  );
  return promise;
}

function bodyOf(body: ExchangeRequest["body"]): string | Uint8Array | Readable | null {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return body ?? null;
  return Readable.from(body, { objectMode: false });
}

function createHandler(
  { signal, totalMs, slowest, isTls }: ExchangeRequest,
  resolve: (response: RawResponse) => void,
  reject: (reason: unknown) => void,
): Dispatcher.DispatchHandler {
  let controller: Dispatcher.DispatchController | undefined;
  let queue: BodyQueue | undefined;
  let rate: RateWatch | undefined;
  /** Why it is over. */
  let ended: { readonly reason: unknown } | undefined;

  const end = (reason: unknown): void => {
    if (ended !== undefined) return;
    ended = { reason };
    clearTimeout(timer);
    rate?.[Symbol.dispose]();
    signal?.removeEventListener("abort", onAbort);
    reject(reason);
    queue?.end(reason === undefined || reason instanceof Error ? reason : new GatewayError("CANCELLED", {}, reason));
  };
  const stop = (reason: unknown): void => {
    if (ended !== undefined) return;
    end(reason);
    controller?.abort(new Error("stopped"));
  };
  const onAbort = (): void => stop(signal?.reason);
  const timer =
    totalMs === undefined
      ? undefined
      : setTimeout(() => stop(new HttpError("HTTP_TOTAL_TIMED_OUT", { timeoutMs: totalMs })), totalMs);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });

  return {
    // It may have waited for a connection, for longer than anybody wanted it.
    onRequestStart(started) {
      controller = started;
      if (ended !== undefined) started.abort(new Error("stopped"));
    },
    onResponseStart(started, status, headers) {
      if (status < 200 || ended !== undefined) return;
      const hold = (isHeld: boolean): void => {
        if (isHeld) started.pause();
        else started.resume();
        rate?.hold(isHeld);
      };
      rate = watchRate(slowest, () => stop(new HttpError("HTTP_TOO_SLOW", { ...slowest })));
      queue = createBodyQueue({
        pause: () => hold(true),
        resume: () => hold(false),
        stop: () => stop(undefined),
      });
      resolve({ status, headers: headersOf(headers), body: queue, stop: () => stop(undefined) });
    },
    onResponseData(_, piece) {
      rate?.heard(piece.length);
      queue?.push(piece);
    },
    onResponseEnd: () => end(undefined),
    onResponseError: (_, error) => end(transportError(error, { isConnected: controller !== undefined, isTls })),
  };
}

function headersOf(headers: IncomingHttpHeaders): ReadonlyMap<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value] as const],
  );
  return new Map(entries);
}
